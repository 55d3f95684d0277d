"""A trained pair of networks in one file: shape, configs and parameters."""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch

from ranker.actor import Actor
from ranker.config import ActorConfig, EvaluatorConfig, HypernetConfig, InputConfig, InputShape
from ranker.errors import ModelInvalid
from ranker.evaluator import Evaluator

FORMAT: Final = 1
"""Raised when older files can't be read any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """An actor, the evaluator that it was trained against, and the names of the utilities in their order."""

    actor: Actor
    evaluator: Evaluator
    utilities: tuple[str, ...]

    def save(self, file: Path) -> None:
        """Write it; a crash leaves an older file whole.

        Raises:
            ModelInvalid: If the names aren't one for every weight of the actor.
        """
        _check_names(self.utilities, self.actor.shape)
        whole = {
            "format": FORMAT,
            "shape": asdict(self.actor.shape),
            "utilities": list(self.utilities),
            "actor": {"config": asdict(self.actor.config), "parameters": self.actor.state_dict()},
            "evaluator": {"config": asdict(self.evaluator.config), "parameters": self.evaluator.state_dict()},
        }
        fresh = file.with_name(f"{file.name}.new")
        torch.save(whole, fresh)
        fresh.replace(file)

    @classmethod
    def load(cls, file: Path) -> Checkpoint:
        """Read one, ready to rank.

        Raises:
            ModelInvalid: If it isn't one, or doesn't fit this version.
        """
        try:
            whole = torch.load(file, weights_only=True)
            return cls._built(whole)
        except (OSError, EOFError, KeyError, TypeError, RuntimeError, pickle.UnpicklingError) as error:
            hint = "train one, or name the file that training wrote"
            raise ModelInvalid(f"{file} isn't a checkpoint of this version: {error}", hint=hint) from error

    @classmethod
    def _built(cls, whole: dict[str, Any]) -> Checkpoint:
        if whole["format"] != FORMAT:
            raise KeyError(f"format {whole['format']}")
        shape = InputShape(**{**whole["shape"], "vocabularies": tuple(whole["shape"]["vocabularies"])})
        utilities = tuple(whole["utilities"])
        _check_names(utilities, shape)
        actor = Actor(shape, _actor_config(whole["actor"]["config"]))
        actor.load_state_dict(whole["actor"]["parameters"])
        evaluator = Evaluator(shape, _evaluator_config(whole["evaluator"]["config"]))
        evaluator.load_state_dict(whole["evaluator"]["parameters"])
        return cls(actor=actor.eval(), evaluator=evaluator.frozen(), utilities=utilities)


def _actor_config(values: dict[str, Any]) -> ActorConfig:
    parts = {"input": InputConfig(**values["input"]), "hypernet": HypernetConfig(**values["hypernet"])}
    return ActorConfig(**{**values, **parts})


def _evaluator_config(values: dict[str, Any]) -> EvaluatorConfig:
    return EvaluatorConfig(**{**values, "input": InputConfig(**values["input"])})


def _check_names(utilities: tuple[str, ...], shape: InputShape) -> None:
    if len(utilities) != shape.utilities:
        raise ModelInvalid(f"{len(utilities)} utilities are named, and the actor weighs {shape.utilities}")
