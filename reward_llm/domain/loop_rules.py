"""Which records of the loop keep others of their kind out of their scope.

A store asks inside the transaction that makes or changes a record, so of two that come in the same instant one is
refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from reward_llm.domain.control import STATES_OF_HOLDERS, ControllerState
from reward_llm.domain.experiments import LIVE, ExperimentState
from reward_llm.domain.loop import LoopKind, LoopRecord
from reward_llm.domain.scenario import Scope
from reward_llm.errors import Conflict, ExperimentUnderway, ScopeControlled


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """That at most one record of a kind has a scope.

    A record in one of the states of `holding` has its scope; into those of `entered` it comes only while no other has
    one that is in its way. Who is in a state already may stay in it.
    """

    holding: frozenset[str]
    entered: frozenset[str]
    in_the_way: Callable[[Scope, Scope], bool]
    refusal: Callable[[LoopRecord], Conflict]

    def applies(self, before: str | None, after: str) -> bool:
        """Whether a record that comes from one state, None if there was none, into another must be alone."""
        return after in self.entered and after != before

    def check(self, scope: Scope, holders: Iterable[LoopRecord]) -> None:
        """Accept a scope that none of the others is in the way of.

        Raises:
            Conflict: If one is.
        """
        for other in holders:
            if self.in_the_way(scope, other.scope):
                raise self.refusal(other)


def _shares_units(one: Scope, other: Scope) -> bool:
    """Whether there may be units in both: a scenario has those of all its segments."""
    same = one.segment is None or other.segment is None or one.segment == other.segment
    return one.scenario == other.scenario and same


def _underway(other: LoopRecord) -> Conflict:
    return ExperimentUnderway(f"{other.id} runs in {other.scope}", hint="Stop it, or wait for its end.")


def _controlled(other: LoopRecord) -> Conflict:
    return ScopeControlled(f"{other.id} controls {other.scope} ({other.state})", hint="End it first.")


ALONE: Final[Mapping[LoopKind, Alone]] = MappingProxyType(
    {
        LoopKind.EXPERIMENT: Alone(
            holding=frozenset(LIVE),
            entered=frozenset({ExperimentState.RUNNING}),
            in_the_way=_shares_units,
            refusal=_underway,
        ),
        LoopKind.CONTROLLER: Alone(
            holding=frozenset(STATES_OF_HOLDERS),
            entered=frozenset({ControllerState.PROPOSED, ControllerState.RUNNING}),
            in_the_way=Scope.__eq__,
            refusal=_controlled,
        ),
    }
)
"""Kinds whose records are alone in their scopes."""
