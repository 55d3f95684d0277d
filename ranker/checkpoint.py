"""Trained networks in a folder, with the features that they read."""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

import torch

from ranker.actor import Actor
from ranker.config import ActorConfig, EvaluatorConfig, HypernetConfig, InputConfig, InputShape
from ranker.errors import FeatureSpecInvalid, ModelInvalid
from ranker.evaluator import Evaluator
from ranker.features import FeatureEncoder
from ranker.objective import Objective
from ranker.utilities import UtilityRegistry, default_utilities, stretched

FORMAT: Final = 3
"""Raised when older folders can't be read any more."""
NETWORKS: Final = "networks.pt"
"""All of it: shape, configs, parameters, and the features as well, so that one rename replaces everything."""
FEATURES: Final = "features.json"
"""The features alone, for people and other programs; never read back."""
REPORT: Final = "report.json"
CARD: Final = "README.md"
SAMPLE: Final = "sample.parquet"
"""Logged lists that nothing was fitted to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """An actor, the evaluator that it was trained against, the utilities in their order, and what makes requests."""

    actor: Actor
    evaluator: Evaluator
    utilities: tuple[str, ...]
    features: FeatureEncoder
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """The values that a utility is stretched over, by name; the others keep their own scale."""

    def save(self, folder: Path) -> None:
        """Write it; a crash leaves an older one whole.

        Raises:
            ModelInvalid: If the utilities or the features aren't those of the actor's input.
        """
        self._check()
        folder.mkdir(parents=True, exist_ok=True)
        features = self.features.dump()
        whole = {
            "format": FORMAT,
            "shape": asdict(self.actor.shape),
            "utilities": list(self.utilities),
            "features": features,
            "ranges": {name: list(pair) for name, pair in self.ranges.items()},
            "actor": {"config": asdict(self.actor.config), "parameters": self.actor.state_dict()},
            "evaluator": {"config": asdict(self.evaluator.config), "parameters": self.evaluator.state_dict()},
        }
        fresh = folder / f"{NETWORKS}.new"
        torch.save(whole, fresh)
        fresh.replace(folder / NETWORKS)
        (folder / FEATURES).write_text(features, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Checkpoint:
        """Read one, ready to rank.

        Raises:
            ModelInvalid: If the folder holds none, or it doesn't fit this version.
        """
        try:
            return cls._built(torch.load(folder / NETWORKS, weights_only=True))
        except _DAMAGE as error:
            hint = "train one, or name the folder that training wrote"
            raise ModelInvalid(f"{folder} isn't a checkpoint of this version: {error}", hint=hint) from error

    def objective(self, utilities: UtilityRegistry | None = None) -> Objective:
        """What its actor was trained to maximise.

        Args:
            utilities: Where the utilities are looked up; the default ones, without it.

        Raises:
            UtilityUnknown: If one of the names isn't there.
        """
        registry = stretched((utilities or default_utilities()).only(self.utilities), self.ranges)
        return Objective(utilities=registry, evaluator=self.evaluator)

    @classmethod
    def _built(cls, whole: dict[str, Any]) -> Checkpoint:
        if whole["format"] != FORMAT:
            raise KeyError(f"format {whole['format']}")
        shape = InputShape(**{**whole["shape"], "vocabularies": tuple(whole["shape"]["vocabularies"])})
        actor = Actor(shape, _actor_config(whole["actor"]["config"]))
        actor.load_state_dict(whole["actor"]["parameters"])
        evaluator = Evaluator(shape, _evaluator_config(whole["evaluator"]["config"]))
        evaluator.load_state_dict(whole["evaluator"]["parameters"])
        made = cls(
            actor=actor.eval(),
            evaluator=evaluator.frozen(),
            utilities=tuple(whole["utilities"]),
            features=FeatureEncoder.parse(whole["features"]),
            ranges={name: (low, high) for name, (low, high) in whole["ranges"].items()},
        )
        made._check()
        return made

    def _check(self) -> None:
        shape = self.actor.shape
        if len(self.utilities) != shape.utilities:
            raise ModelInvalid(f"{len(self.utilities)} utilities are named, and the actor weighs {shape.utilities}")
        given = _inputs(input_shape(self.features, self.utilities))
        if not given == _inputs(shape) == _inputs(self.evaluator.shape):
            raise ModelInvalid("the features give another input than the networks were made for")
        if not set(self.ranges) <= set(self.utilities):
            raise ModelInvalid(f"ranges of {', '.join(self.ranges)}, some of which aren't among the utilities")


_DAMAGE: Final = (
    *(OSError, EOFError, KeyError, TypeError, AttributeError, ValueError, RuntimeError),
    *(pickle.UnpicklingError, FeatureSpecInvalid),
)


def input_shape(features: FeatureEncoder, utilities: tuple[str, ...]) -> InputShape:
    """The input that networks for these features and utilities read."""
    return InputShape(
        user=features.user_width,
        item=features.item_width,
        vocabularies=features.vocabularies,
        utilities=len(utilities),
    )


def shipped_checkpoint() -> Path:
    """The folder of the checkpoint that ships, trained on a generated log."""
    return Path(__file__).parent / "shipped"


def _inputs(shape: InputShape) -> tuple[int, int, tuple[int, ...]]:
    return shape.user, shape.item, shape.vocabularies


def _actor_config(values: dict[str, Any]) -> ActorConfig:
    parts = {"input": InputConfig(**values["input"]), "hypernet": HypernetConfig(**values["hypernet"])}
    return ActorConfig(**{**values, **parts})


def _evaluator_config(values: dict[str, Any]) -> EvaluatorConfig:
    return EvaluatorConfig(**{**values, "input": InputConfig(**values["input"])})
