"""Where the agents' state is kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from reward_llm.agents.live.counts import Counts

Versions = Mapping[str, int]
"""The versions that somebody has of users or items by name; what they don't have is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRecord:
    """A user as they are kept: what has settled, None for nothing, and the events since then by their ids."""

    settled: str | None = None
    recent: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserWrite:
    """What is new of a user, and what it adds to the counts of items; for those who have `version` of the user.

    `settled` takes the place of what had settled, unless it is None; `added` are new events by their ids, `removed`
    the ids of events that have settled.
    """

    user: str
    version: int
    settled: str | None
    added: Mapping[str, str]
    removed: Sequence[str]
    additions: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """What somebody has an earlier version of, or none; with its version, 0 for who isn't there."""

    users: Mapping[str, tuple[int, UserRecord]]
    items: Mapping[str, tuple[int, Counts]]


class StateStore(Protocol):
    """The state of users and items by scenario; all methods raise EventsUnavailable where it is away."""

    async def changed(self, scenario: str, users: Versions, items: Versions) -> Changed:
        """Those of the named users and items that have another version than the one given, 0 for none."""
        ...

    async def write(self, scenario: str, writes: Sequence[UserWrite]) -> list[bool]:
        """Write each user that still has the version that was read, together with its additions or not at all.

        Returns:
            Which were written.
        """
        ...

    async def publish(self, scenario: str, published_ms: Mapping[str, int]) -> None:
        """Note when items were published; the earliest moment counts."""
        ...

    async def aclose(self) -> None:
        """Let the connection go."""
        ...
