"""What is known of one user: a settled mood, and the events since then.

    ─── settled ───┤ recent, in the order in which they happened ├─ newest
                   └ newest − lateness

An event that comes late takes its place among the recent ones, one that comes twice is found there by its id, and one
from before them is too late. So the state is the same in whatever order events come, if none is more than
`lateness_s` behind the user's newest one.
"""

from __future__ import annotations

import json
from bisect import bisect_right, insort
from enum import Enum
from typing import Any, Final

from reward_llm.agents.live.config import StateConfig
from reward_llm.agents.live.mood import Mood, Trace
from reward_llm.agents.live.stores import UserRecord

_COMPACT: Final = (",", ":")


class Outcome(Enum):
    """What became of an event."""

    APPLIED = "applied"
    DUPLICATE = "duplicate"
    LATE = "late"


class UserState:
    """A user's state, to which events are added.

    Args:
        config: How it is kept.
        settled: The mood after all events up to and with `until_ms`.
        until_ms: None where nothing has settled.
        recent: The events after that, in order.
    """

    __slots__ = ("_added", "_config", "_has_settled", "_ids", "_removed", "recent", "settled", "until_ms")

    def __init__(
        self,
        config: StateConfig,
        settled: Mood | None = None,
        until_ms: int | None = None,
        recent: list[Trace] | None = None,
    ) -> None:
        self._config = config
        self.settled = settled or Mood.first(config.mood)
        self.until_ms = until_ms
        self.recent = recent or []
        self._ids = {trace.event_id for trace in self.recent}
        self._added: dict[str, str] = {}
        self._removed: list[str] = []
        self._has_settled = False

    @classmethod
    def read(cls, config: StateConfig, record: UserRecord) -> UserState:
        """The state that is kept."""
        recent = sorted(Trace(*json.loads(text)) for text in record.recent.values())
        if record.settled is None:
            return cls(config, recent=recent)
        document: dict[str, Any] = json.loads(record.settled)
        return cls(config, Mood(**document["mood"]), document["until_ms"], recent)

    def changes(self) -> tuple[str | None, dict[str, str], list[str]]:
        """What is new since the state was read, or since this was asked last.

        Returns:
            What has settled, None if nothing did; the events that were added, by their ids; and the ids of those
            that have settled.
        """
        document = {"mood": self.settled.document(), "until_ms": self.until_ms}
        settled = json.dumps(document, ensure_ascii=False, separators=_COMPACT) if self._has_settled else None
        changes = settled, self._added, self._removed
        self._added, self._removed, self._has_settled = {}, [], False
        return changes

    def add(self, trace: Trace) -> Outcome:
        """Give an event its place."""
        if self.until_ms is not None and trace.at_ms <= self.until_ms:
            return Outcome.LATE
        if trace.event_id in self._ids:
            return Outcome.DUPLICATE
        insort(self.recent, trace)
        self._ids.add(trace.event_id)
        self._added[trace.event_id] = json.dumps(trace, ensure_ascii=False, separators=_COMPACT)
        return Outcome.APPLIED

    def settle(self) -> None:
        """Let those events settle that nothing can come before any more."""
        if not self.recent:
            return
        until_ms = self.recent[-1].at_ms - round(self._config.lateness_s * 1_000)
        if len(self.recent) > self._config.max_recent:
            until_ms = max(until_ms, self.recent[-self._config.max_recent - 1].at_ms)
        if self.until_ms is not None and until_ms <= self.until_ms:
            return
        old = bisect_right(self.recent, until_ms, key=lambda trace: trace.at_ms)
        for trace in self.recent[:old]:
            self.settled.feel(trace, self._config.mood)
            self._ids.discard(trace.event_id)
            if self._added.pop(trace.event_id, None) is None:
                self._removed.append(trace.event_id)
        del self.recent[:old]
        self.until_ms = until_ms
        self._has_settled = True

    def now(self) -> Mood:
        """The mood after everything that is known."""
        mood = self.settled.copy()
        for trace in self.recent:
            mood.feel(trace, self._config.mood)
        return mood
