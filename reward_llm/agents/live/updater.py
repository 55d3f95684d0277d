"""Events in, states out: what a worker does all day.

    batch ─► by user ─► held or read ─► add, settle ─► write all users in one round trip ─► done with
                            ▲                              │ another process was first
                            └──────────────────────────────┘ read again

A batch that comes a second time changes nothing, because users know the ids of their events; so events may be
delivered more than once, and a worker may die at any point.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from reward_llm.agents.live.cache import MAX_USERS, Held
from reward_llm.agents.live.config import StateConfig
from reward_llm.agents.live.counts import additions
from reward_llm.agents.live.mood import Trace
from reward_llm.agents.live.stores import StateStore, UserRecord, UserWrite
from reward_llm.agents.live.user_state import Outcome, UserState
from reward_llm.domain.events import Event, EventType
from reward_llm.domain.ports.events import EventSource
from reward_llm.errors import EventsUnavailable

_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 5.0
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Work:
    """A user's events in a batch, and what comes of them."""

    events: list[Event]
    version: int = 0
    state: UserState | None = None
    outcomes: Counter[Outcome] = field(default_factory=Counter)


class Updater:
    """Keeps the agents' state up with events.

    Args:
        store: Where the state is kept.
        config: How users are kept.
    """

    def __init__(self, store: StateStore, config: StateConfig) -> None:
        self._store = store
        self._config = config
        self._held: Held[UserState] = Held(MAX_USERS)
        self.tally: Counter[Outcome] = Counter()

    async def run(self, source: EventSource) -> None:
        """Live by the events of a source until cancelled."""
        await source.run(self.apply_surely)

    async def apply_surely(self, events: Sequence[Event]) -> None:
        """Apply events, however long the store is away."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                await self.apply(events)
            except EventsUnavailable as exc:
                _log.warning("agents.waiting", error=exc.message, events=len(events), pause_s=pause_s)
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            else:
                return

    async def apply(self, events: Sequence[Event]) -> None:
        """Apply events, each of which counts once however often it comes.

        Raises:
            EventsUnavailable: If the store is away; some of the events may have been applied.
        """
        by_scenario: defaultdict[str, list[Event]] = defaultdict(list)
        for event in events:
            by_scenario[event.scenario].append(event)
        for scenario, group in by_scenario.items():
            await self._store.publish(scenario, _published(group))
            todo = _by_user(group)
            while todo:
                todo = await self._attempt(scenario, todo)

    async def _attempt(self, scenario: str, todo: Mapping[str, list[Event]]) -> dict[str, list[Event]]:
        """Apply the users' events; gives those whose users another process has changed in the meantime."""
        works = await self._begun(scenario, todo)
        writes = []
        for user, work in works.items():
            write = self._advance(user, work)
            if write is None:
                self._hold(scenario, user, work)
            else:
                writes.append(write)
        left = {}
        for write, done in zip(writes, await self._store.write(scenario, writes), strict=True):
            work = works[write.user]
            if done:
                work.version += 1
                self._hold(scenario, write.user, work)
            else:
                left[write.user] = work.events
        return left

    async def _begun(self, scenario: str, todo: Mapping[str, list[Event]]) -> dict[str, _Work]:
        """The users as they were, which aren't held any more until they are written."""
        works = {user: _Work(events) for user, events in todo.items()}
        for user, work in works.items():
            held = self._held.take(scenario, user)
            if held is not None:
                work.version, work.state = held
        unknown = {user: 0 for user, work in works.items() if work.state is None}
        changed = (await self._store.changed(scenario, unknown, {})).users if unknown else {}
        for user in unknown:
            version, record = changed.get(user, (0, UserRecord()))
            works[user].version = version
            works[user].state = UserState.read(self._config, record)
        return works

    def _advance(self, user: str, work: _Work) -> UserWrite | None:
        state = work.state
        assert state is not None  # noqa: S101 - every work that was begun has one
        added: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for event in work.events:
            outcome = state.add(Trace.of(event))
            work.outcomes[outcome] += 1
            if outcome is Outcome.APPLIED and event.item is not None:
                added[event.item].update(additions(event))
        if not work.outcomes[Outcome.APPLIED]:
            return None
        state.settle()
        settled, fresh, removed = state.changes()
        return UserWrite(
            user=user, version=work.version, settled=settled, added=fresh, removed=removed, additions=added
        )

    def _hold(self, scenario: str, user: str, work: _Work) -> None:
        assert work.state is not None  # noqa: S101 - see above
        self.tally.update(work.outcomes)
        self._held.put(scenario, user, work.version, work.state)


def _published(events: Sequence[Event]) -> dict[str, int]:
    published: dict[str, int] = {}
    for event in events:
        if event.type is EventType.PUBLISH and event.item is not None:
            at_ms = Trace.of(event).at_ms
            published[event.item] = min(at_ms, published.get(event.item, at_ms))
    return published


def _by_user(events: Sequence[Event]) -> dict[str, list[Event]]:
    by_user: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.type is not EventType.PUBLISH and event.user is not None:
            by_user[event.user].append(event)
    return by_user
