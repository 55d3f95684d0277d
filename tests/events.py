"""Events, and what takes them in and lives by them within one process."""

from __future__ import annotations

import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from reward_llm.agents.live.config import DecisionConfig, StateConfig
from reward_llm.agents.live.decisions import LiveAgents
from reward_llm.agents.live.stores.memory import MemoryStates
from reward_llm.agents.live.updater import Updater
from reward_llm.domain.events import Event, EventType
from reward_llm.feedback.intake.intake import Intake
from reward_llm.feedback.intake.local import LocalStream

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
STATE = StateConfig()
DECIDING = DecisionConfig()


def event(name: str = "e1", kind: EventType = EventType.CLICK, after_s: float = 0.0, **changes: Any) -> Event:
    """A click of a user on an item, so many seconds after noon, or what the changes make of it."""
    given = {"scenario": "home_feed", "user": "u1", "item": "i1", "category": "shoes", **changes}
    return Event(event_id=name, type=kind, at=NOON + timedelta(seconds=after_s), **given)


@dataclass(frozen=True, slots=True)
class EventRoom:
    """An intake, and agents that live by what it takes in."""

    stream: LocalStream
    intake: Intake
    updater: Updater
    agents: LiveAgents

    @classmethod
    def open(cls) -> EventRoom:
        stream, store = LocalStream(), MemoryStates()
        agents = LiveAgents(store, STATE, DECIDING, random.Random(0))
        return cls(stream, Intake([stream]), Updater(store, STATE), agents)

    @property
    def work(self) -> Callable[[], Coroutine[Any, Any, None]]:
        return lambda: self.updater.run(self.stream)
