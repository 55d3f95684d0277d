"""What is served."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.scenario import Scope
from reward_llm.domain.serving import EncodedSnapshot, Freshness, ServedWeights


class WeightsBoard(Protocol):
    """What is served now, kept in memory; reading it never waits for the store."""

    @property
    def revision(self) -> int:
        """How many changes of activations and freezes it has taken over: it only grows, in the order of commits."""
        ...

    def lookup(self, scope: Scope, now: datetime, unit: str | None = None) -> ServedWeights:
        """The weights that hold for the scope: its segment's, else its scenario's, else the defaults.

        A unit keeps its place in every rollout; without one, only what is for everybody counts. In a frozen scope
        the defaults hold.

        Raises:
            ScenarioUnknown: If there is no such scenario.
            SegmentUnknown: If the scenario has no such segment.
        """
        ...

    def snapshot(self, now: datetime) -> Sequence[ServedWeights]:
        """What `lookup` gives for every scenario and each of its segments."""
        ...

    def held_at(self, scope: Scope, moment: datetime) -> RewardPolicy:
        """The policy that was served at a moment in the past, whatever was activated since.

        Raises:
            ScenarioUnknown: If there is no such scenario.
            SegmentUnknown: If the scenario has no such segment.
        """
        ...

    def was_activated(self, policy_id: str) -> bool:
        """Whether the policy was put into force before."""
        ...

    def freshness(self, now: datetime) -> Freshness:
        """How sure the board is of what it serves."""
        ...

    def next_change(self, now: datetime) -> datetime | None:
        """When the next activation begins or ends: before that every scope is served what it is served now."""
        ...

    async def refresh(self) -> None:
        """Take over what the store knows.

        Raises:
            StoreUnavailable: If it can't be read; the board goes on with what it has.
        """
        ...

    async def keep_fresh(self) -> None:
        """Refresh again and again, whatever the store does, until cancelled."""
        ...

    def wake(self) -> None:
        """Have `keep_fresh` refresh now; for the thread of its event loop."""
        ...

    def on_change(self, callback: Callable[[], None]) -> None:
        """Have this called after every refresh that changed something."""
        ...


class Snapshots(Protocol):
    """Everything that is served, encoded."""

    async def snapshot(self, now: datetime, scenarios: frozenset[str] | None = None) -> EncodedSnapshot:
        """What holds now in these scenarios, None for all; never less than what the board knew when it was asked."""
        ...

    async def etag(self, now: datetime, scenarios: frozenset[str] | None = None) -> str:
        """The entity tag of that snapshot."""
        ...
