"""The scorer: requests and weights in, slates out."""

# B batch, L lists, M candidates, N slate, K utilities

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import torch
from torch import Tensor

from ranker.actor import Actor
from ranker.checkpoint import Checkpoint
from ranker.config import InputShape
from ranker.errors import DependencyMissing, ModelInvalid, UtilityUnknown, ValueOutOfRange
from ranker.features import FeatureEncoder
from ranker.objective import Objective
from ranker.requests import Requests
from ranker.rules import Breach, MaxRun, Rules
from ranker.scorer.compiled import CompiledEngine
from ranker.scorer.conditions import Condition, Conditions
from ranker.scorer.config import CONDITIONS_KEPT, ScorerConfig
from ranker.scorer.eager import EagerEngine
from ranker.scorer.lists import Engine
from ranker.scorer.probe import disagreement
from ranker.scorer.ruling import ruled

DEFAULT_RULES: Final = Rules((MaxRun(of="seller", most=3),))
"""No four in a row from one seller."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """Slates to show, and how they came about."""

    slate_BN: Tensor
    """int64 index into the candidates."""
    reward_B: Tensor
    """R_w."""
    utility_BK: Tensor
    chosen: tuple[str, ...]
    """Which list is shown: `actor`, `sampled`, `greedy`, `mmr`, `dpp`, `improved`, or the `baseline`."""
    breaches: tuple[Breach, ...]
    """Rules that the most valued lists broke, which therefore aren't shown."""
    unmet: tuple[Breach, ...]
    """Rules that what is shown breaks all the same, because every list does."""


class Scorer:
    """Ranks requests by weights that come with them; loaded once, used from any thread.

    Args:
        actor: Writes slates.
        objective: What they are worth, over the actor's utilities.
        features: Makes requests of logged columns.
    """

    def __init__(
        self,
        actor: Actor,
        objective: Objective,
        features: FeatureEncoder | None = None,
        config: ScorerConfig | None = None,
        *,
        rules: Rules = DEFAULT_RULES,
    ) -> None:
        if len(objective.utilities) != actor.shape.utilities:
            raise ModelInvalid(f"{len(objective.utilities)} utilities, and the actor weighs {actor.shape.utilities}")
        self.objective, self.rules, self.config = objective, rules, config or ScorerConfig()
        self._actor, self._features = actor.eval(), features
        self._engine, self.eager_reason = _engine(actor, objective, self.config)
        self._conditions = Conditions(actor, self._engine.prepared, CONDITIONS_KEPT)

    @classmethod
    def load(cls, folder: Path, config: ScorerConfig | None = None, *, rules: Rules = DEFAULT_RULES) -> Scorer:
        """Load a checkpoint; the first time on a machine, the kernels are compiled, which takes some seconds.

        Raises:
            ModelInvalid: If the folder holds no checkpoint of this version.
        """
        checkpoint = Checkpoint.load(folder)
        return cls(checkpoint.actor, checkpoint.objective(), checkpoint.features, config, rules=rules)

    @property
    def features(self) -> FeatureEncoder:
        """What makes requests of a log's columns.

        Raises:
            ModelInvalid: If the scorer was made without.
        """
        if self._features is None:
            raise ModelInvalid("this scorer was made without features", hint="load it from a checkpoint")
        return self._features

    @property
    def utilities(self) -> tuple[str, ...]:
        """Names, in the order of the weights."""
        return self.objective.utilities.names

    @property
    def path(self) -> Literal["compiled", "eager"]:
        """How lists are computed; `eager_reason` says why it isn't the compiled path."""
        return "compiled" if self.eager_reason is None else "eager"

    @property
    def actor_shape(self) -> InputShape:
        """What requests have to be made of."""
        return self._actor.shape

    @property
    def largest_slate(self) -> int | None:
        """Slots that the evaluator knows; None for any number."""
        return None if self.objective.evaluator is None else self.objective.evaluator.config.slate

    def weights(self, named: Mapping[str, float]) -> Tensor:
        """Give named weights as `weights_1K`, 0 for those that aren't named.

        Raises:
            UtilityUnknown: If a name isn't one of the scorer's utilities.
        """
        unknown = sorted(set(named) - set(self.utilities))
        if unknown:
            raise UtilityUnknown(
                f"no utility is called {', '.join(unknown)}", hint=f"there are {', '.join(self.utilities)}"
            )
        return torch.tensor([[named.get(name, 0.0) for name in self.utilities]])

    def greedy(self, requests: Requests, weights_BK: Tensor, size: int) -> Tensor:
        """Give the actor's greedy lists, unruled, as `slate_BN`.

        Raises:
            RequestInvalid: If a request can't be ranked, such as one of fewer candidates than slots.
            WeightsInvalid: If weights are negative, not finite, all zero, or not one for every utility.
        """
        conditions = self._checked(requests, weights_BK, size)
        with torch.inference_mode():
            return self._engine.greedy(requests, [one.parameters for one in conditions], size)

    def rank(self, requests: Requests, weights_BK: Tensor, size: int) -> Ranked:
        """Give the slates to show: the best of all competing lists that keeps the rules, else the baseline.

        Among the lists is the actor's greedy one: before the rules, none is worth less than it.

        Raises:
            RequestInvalid, WeightsInvalid: As `greedy`.
        """
        conditions = self._checked(requests, weights_BK, size)
        with torch.inference_mode():
            simplex_BK = torch.cat([one.simplex_1K for one in conditions])
            lists = self._engine.lists(requests, simplex_BK, [one.parameters for one in conditions], size)
            shown = ruled(self.rules, requests, lists, self.config.names)
            utility_BK = shown.utility_BK
            for row in shown.baseline_rows:
                one = requests.select([row])
                utility_BK[row] = self.objective.values(one, shown.slate_BN[row, None, None])[0, 0]
            return Ranked(
                slate_BN=shown.slate_BN,
                reward_B=(simplex_BK * utility_BK).sum(-1),
                utility_BK=utility_BK,
                chosen=shown.chosen,
                breaches=shown.breaches,
                unmet=shown.unmet,
            )

    def _checked(self, requests: Requests, weights_BK: Tensor, size: int) -> list[Condition]:
        self._actor.check(requests, weights_BK, size)
        most = self.largest_slate
        if most is not None and size > most:
            raise ValueOutOfRange(f"{size} slots; the evaluator knows {most}", hint="ask for a shorter slate")
        requests.check(size=size)
        return self._conditions.of(weights_BK.detach())


def _engine(actor: Actor, objective: Objective, config: ScorerConfig) -> tuple[Engine, str | None]:
    """The engine, and why it isn't the compiled one; a compiled one that disagrees with PyTorch isn't used."""
    eager = EagerEngine(actor, objective, config)
    if not config.compiled:
        return eager, "the configuration says so"
    try:
        # All the engine's work, on one thread and with few lists, on requests that are small.
        few = replace(config, samples=min(config.samples, 1), threads=1)
        reason = disagreement(actor, objective, CompiledEngine(actor, objective, few))
        if reason is None:
            return CompiledEngine(actor, objective, config), None
        reason = f"the kernels disagree with the networks: {reason}"
    except (DependencyMissing, ModelInvalid) as error:
        reason = error.message
    logger.warning("ranking on the eager path: %s", reason)
    return eager, reason
