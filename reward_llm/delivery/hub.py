"""The hub: tells whoever follows the weights when others hold, and regularly that they still do.

board changed ─┐
schedule edge ─┼─► look: the entity tag of what each group may see ─► another one: changed ─► its subscribers
heartbeat ─────┘                                                  └► the same: heartbeat, when it is due

A subscriber has room for one notice, the newest: who is slow misses those in between, and holds up nobody. A small
change goes with its notice, counted from what the subscriber was told last; so nobody has to ask for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog

from reward_llm.delivery.steps import Steps
from reward_llm.domain.notices import NoticeKind, WeightsNotice
from reward_llm.domain.ports import Clock, Snapshots, WeightsBoard
from reward_llm.domain.serving import EncodedSnapshot
from reward_llm.errors import TooManySubscribers

Seen = frozenset[str] | None
"""The scenarios that somebody sees; None is all."""

_SHORTEST_SLEEP_S: Final = 0.001
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class HubConfig:
    """How often subscribers are told, and how many there may be."""

    heartbeat_s: float = 5.0
    """Seconds from one heartbeat to the next."""
    max_subscribers: int = 2_000
    carried_bytes: int = 32 * 1024
    """How long a change may be to go with its notice; what is longer is asked for. Clients give up on events over
    64 KiB."""
    look_s: float = 0.25
    """The longest sleep in seconds, so that a clock that was set is noticed before the next edge."""


class Subscriber:
    """A `reward_llm.domain.ports.Subscription`."""

    def __init__(self, group: _Group) -> None:
        self._group = group
        self._newest: WeightsNotice | None = None
        self._news = asyncio.Event()
        self._ended = False

    def tell(self, notice: WeightsNotice) -> None:
        """Put a notice in place of the one that wasn't fetched yet."""
        self._newest = notice
        self._news.set()

    def end(self) -> None:
        """End the notices."""
        self._ended = True
        self._news.set()

    async def notices(self) -> AsyncIterator[tuple[NoticeKind, WeightsNotice]]:
        """Each notice, and whether it tells of other weights than the last that was fetched."""
        etag = None
        while notice := await self._next():
            before, etag = etag, notice.etag
            if before is None or before == etag:
                yield NoticeKind.HEARTBEAT, notice
            else:
                yield NoticeKind.CHANGED, self._group.carrying(notice, before)

    async def _next(self) -> WeightsNotice | None:
        await self._news.wait()
        self._news.clear()
        return None if self._ended else self._newest


class _Group:
    """Those who may see the same."""

    def __init__(self, carried_bytes: int) -> None:
        self.subscribers: set[Subscriber] = set()
        self.looking = asyncio.Lock()
        self.etag: str | None = None
        self._steps = Steps(carried_bytes)
        self._carrying: dict[str, WeightsNotice] = {}

    def tell(self, notice: WeightsNotice, snapshot: EncodedSnapshot, *, heartbeat: bool) -> None:
        """Tell everybody, if there is something to tell."""
        if not heartbeat and notice.etag == self.etag:
            return
        self.etag = notice.etag
        self._steps.append(snapshot)
        self._carrying.clear()
        for subscriber in self.subscribers:
            subscriber.tell(notice)

    def carrying(self, notice: WeightsNotice, since: str) -> WeightsNotice:
        """The newest notice with what has changed since that entity tag: the same one for all who were told that."""
        if since not in self._carrying:
            self._carrying[since] = replace(notice, change=self._steps.since(since))
        return self._carrying[since]


class Hub:
    """A `reward_llm.domain.ports.Notices` over a board.

    Args:
        board: What is served, and when that changes.
        snapshots: Know the entity tag of what is served.
        clock: Says which moment it is; schedules go by it.
        config: How often subscribers are told.
    """

    def __init__(
        self, *, board: WeightsBoard, snapshots: Snapshots, clock: Clock, config: HubConfig | None = None
    ) -> None:
        self._board = board
        self._snapshots = snapshots
        self._clock = clock
        self._config = config or HubConfig()
        self._groups: dict[Seen, _Group] = {}
        self._count = 0
        self._news = asyncio.Event()
        self._failing = False
        board.on_change(self._news.set)

    @property
    def subscribers(self) -> int:
        """How many follow."""
        return self._count

    @asynccontextmanager
    async def subscribe(self, scenarios: Seen) -> AsyncIterator[Subscriber]:
        """Follow the weights of these scenarios; None is for all.

        Raises:
            TooManySubscribers: If as many follow as may.
        """
        most = self._config.max_subscribers
        if self._count >= most:
            raise TooManySubscribers(f"{most:,} follow the weights already", hint="Ask another process, or later.")
        group = self._groups.setdefault(scenarios, _Group(self._config.carried_bytes))
        subscriber = Subscriber(group)
        group.subscribers.add(subscriber)
        self._count += 1
        try:
            subscriber.tell(await self._look(scenarios, group))
            yield subscriber
        finally:
            self._count -= 1
            group.subscribers.discard(subscriber)
            if not group.subscribers:
                del self._groups[scenarios]

    async def run(self) -> None:
        """Watch what is served until cancelled."""
        looked_at, beat_s = self._clock(), _now_s() + self._config.heartbeat_s
        edge = self._board.next_change(looked_at)
        while True:
            await self._sleep(edge, beat_s)
            now, heartbeat = self._clock(), _now_s() >= beat_s
            turned_back = now < looked_at
            looked_at = now
            if not (heartbeat or turned_back or self._news.is_set() or (edge is not None and edge <= now)):
                continue
            self._news.clear()
            edge = self._board.next_change(now)
            if heartbeat:
                beat_s = _now_s() + self._config.heartbeat_s
            await self._look_for_all(heartbeat=heartbeat)

    async def _sleep(self, edge: datetime | None, beat_s: float) -> None:
        """Until there is news, an edge or a heartbeat; at most `look_s`."""
        waits_s = [self._config.look_s, beat_s - _now_s()]
        if edge is not None:
            waits_s.append((edge - self._clock()).total_seconds())
        with suppress(TimeoutError):
            async with asyncio.timeout(max(_SHORTEST_SLEEP_S, min(waits_s))):
                await self._news.wait()

    async def _look_for_all(self, *, heartbeat: bool) -> None:
        failed = None
        for scenarios, group in list(self._groups.items()):
            try:
                await self._look(scenarios, group, heartbeat=heartbeat)
            except Exception as exc:  # noqa: BLE001 - a hub that stops looking would leave all subscribers behind
                failed = exc
        if failed is not None and not self._failing:
            _log.error("hub.look_failed", exc_info=failed)
        self._failing = failed is not None

    async def _look(self, scenarios: Seen, group: _Group, *, heartbeat: bool = False) -> WeightsNotice:
        """Find out what holds, and tell the group; looks of a group never overtake each other."""
        async with group.looking:
            now, revision = self._clock(), self._board.revision
            snapshot = await self._snapshots.snapshot(now, scenarios)
            notice = WeightsNotice(
                revision=revision,
                etag=snapshot.etag,
                as_of=now,
                freshness=self._board.freshness(now),
                every_s=self._config.heartbeat_s,
            )
            group.tell(notice, snapshot, heartbeat=heartbeat)
        return notice


def _now_s() -> float:
    return asyncio.get_running_loop().time()
