"""Why a unit is served what it is: every activation that counts for it, and what became of each.

frozen ─► the defaults
else: of the segment's activations and then the scenario's, the first that is for the unit; else the defaults
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from reward_llm.domain.activation import Activation
from reward_llm.domain.rollout import bucket
from reward_llm.domain.schedule import includes, winners_first
from reward_llm.domain.serving import Rule

Layer = tuple[Rule, Sequence[Activation]]
"""Whose activations they are, and those that cover the moment."""


class Outcome(StrEnum):
    """What became of an activation that covers the moment."""

    SERVES = "serves"
    NOT_FOR_UNIT = "not_for_unit"
    """It is for a share of the units, and the unit isn't in it; without a unit, nobody is."""
    BELOW = "below"
    """Another one is served over it."""
    FROZEN = "frozen"
    """A freeze sets it aside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One activation on the way; `bucket` is the unit's place in [0, 100) where a share is asked for."""

    activation: Activation
    rule: Rule
    outcome: Outcome
    bucket: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What serves, None for the scenario's defaults; `steps` come in the order in which they are asked."""

    rule: Rule
    serving: Activation | None
    steps: tuple[Step, ...]


def explained(layers: Sequence[Layer], unit: str | None, *, frozen: bool) -> Explanation:
    """Who wins among activations that cover a moment.

    Args:
        layers: Whose activations count, the most specific first.
        unit: Whom they are for; None is everybody.
        frozen: Whether the scope is.
    """
    steps = tuple(_steps(layers, unit, frozen=frozen))
    found = next((s for s in steps if s.outcome is Outcome.SERVES), None)
    if found is not None:
        return Explanation(rule=found.rule, serving=found.activation, steps=steps)
    return Explanation(rule=Rule.FROZEN if frozen else Rule.DEFAULT, serving=None, steps=steps)


def _steps(layers: Sequence[Layer], unit: str | None, *, frozen: bool) -> Iterator[Step]:
    served = False
    for rule, activations in layers:
        for activation in winners_first(activations):
            outcome = _outcome(activation, unit, frozen=frozen, served=served)
            served = served or outcome is Outcome.SERVES
            place = bucket(activation.policy_id, unit) if activation.partial and unit is not None else None
            yield Step(activation=activation, rule=rule, outcome=outcome, bucket=place)


def _outcome(activation: Activation, unit: str | None, *, frozen: bool, served: bool) -> Outcome:
    if frozen:
        return Outcome.FROZEN
    if not includes(activation, unit):
        return Outcome.NOT_FOR_UNIT
    return Outcome.BELOW if served else Outcome.SERVES
