"""Asks for the snapshot: after a notice, or regularly while there are none."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from reward_llm.delivery.sdk.backoff import Backoff
from reward_llm.delivery.sdk.clock import ServerClock
from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.errors import SnapshotInvalid, Unanswered
from reward_llm.delivery.sdk.fetch import Document, Fetcher, Unchanged
from reward_llm.delivery.sdk.keeper import Keeper
from reward_llm.delivery.sdk.notice import Notice
from reward_llm.delivery.sdk.trouble import Trouble

CLOCK_ERROR_S: Final = 1.0
"""If the service's time isn't known better than this, a poll asks for the whole snapshot, which tells it."""
_LARGE_BYTES: Final = 64 * 1024
"""Longer documents are read by another thread, so that the event loop goes on."""


class Asker:
    """Decides when the snapshot is asked for, and hands the answers to the keeper.

    Args:
        fetcher: Asks.
        keeper: What is served.
        clock: The service's time.
        config: How often to poll.
        settled: Called after each try.
        monotonic: Seconds that never go back.
    """

    def __init__(
        self,
        *,
        fetcher: Fetcher,
        keeper: Keeper,
        clock: ServerClock,
        config: ClientConfig,
        settled: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetcher = fetcher
        self._keeper = keeper
        self._clock = clock
        self._config = config
        self._settled = settled
        self._monotonic = monotonic
        self._backoff = Backoff()
        self._nudge = asyncio.Event()
        self._wanted: Notice | None = None
        self._streaming = False
        self._asked = self._doubtful = False
        self._asked_for_patience = False
        self._due = self._not_before = -math.inf
        self.refused_invalid = 0
        self.trouble = Trouble("the snapshot")

    def want(self, notice: Notice) -> None:
        """Another snapshot holds; ask for it."""
        self._wanted = notice
        self._nudge.set()

    def confirmed(self) -> None:
        """What there is is what holds."""
        self._wanted = None
        self.trouble.over()

    def ask_at_once(self) -> None:
        """Nobody knows how things stand any more; ask, though there may be a stream that is only thought to be up."""
        self._doubtful = True
        self._nudge.set()

    def stream_up(self) -> None:
        """Notices come, so polling is over; and the service is there, so what failed may be tried at once."""
        self._streaming = True
        if not self._asked_for_patience:
            self._backoff.succeeded()
            self._not_before = -math.inf
        self._nudge.set()

    def stream_down(self) -> None:
        """No notices come, so the snapshot is polled."""
        self._streaming = False
        self._schedule_poll()
        self._nudge.set()

    async def ask_when_due(self) -> None:
        """Wait until the snapshot has to be asked for, or things change; ask if it has."""
        wait_s = self._due_at() - self._monotonic()
        if wait_s <= 0:
            await self._ask()
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(None if math.isinf(wait_s) else wait_s):
                await self._nudge.wait()
        self._nudge.clear()

    def _due_at(self) -> float:
        """When the snapshot has to be asked for next, by the monotonic clock; inf if only after a notice."""
        if self._wanted is not None or self._doubtful:
            return self._not_before
        if self._streaming and self._keeper.etag is not None:
            return math.inf
        return max(self._due, self._not_before)

    async def _ask(self) -> None:
        wanted = self._wanted
        try:
            await self._answered_by(await self._fetcher.fetch(self._condition(), self._at_least(wanted)))
        except Unanswered as exc:
            self._failed(exc.message, exc.retry_after_s)
        except SnapshotInvalid as exc:
            self.refused_invalid += 1
            self._failed(f"the answer isn't a snapshot: {exc}", None)
        else:
            self._succeeded(wanted)
        self._asked = True
        self._schedule_poll()
        self._settled()

    async def _answered_by(self, answer: Document | Unchanged) -> None:
        keeper = self._keeper
        if isinstance(answer, Unchanged):
            keeper.unchanged(answer)
        elif len(answer.body) > _LARGE_BYTES:
            keeper.take(await asyncio.to_thread(keeper.prepared, answer))
        else:
            keeper.take(keeper.prepared(answer))

    def _condition(self) -> str | None:
        error_s = self._clock.error_s
        knows_time = error_s is not None and error_s <= CLOCK_ERROR_S
        return self._keeper.etag if knows_time or self._streaming or not self._asked else None

    def _at_least(self, wanted: Notice | None) -> int | None:
        """The revision that the answer should have, if there is reason to fear that it might have less."""
        revisions = [wanted.revision] if wanted is not None else []
        if self._keeper.behind and self._keeper.revision is not None:
            revisions.append(self._keeper.revision)
        return max(revisions, default=None)

    def _succeeded(self, wanted: Notice | None) -> None:
        self.trouble.over()
        self._asked_for_patience = self._doubtful = False
        if self._wanted is not None and self._has_come(self._wanted, asked_for=self._wanted is wanted):
            self._wanted = None
        if wanted is not None and self._wanted is wanted:
            self._not_before = self._monotonic() + self._backoff.failed()
            return
        self._backoff.succeeded()
        self._not_before = -math.inf

    def _has_come(self, wanted: Notice, *, asked_for: bool) -> bool:
        """Whether what was announced is there, or what took its place before it was asked for."""
        keeper = self._keeper
        return wanted.etag == keeper.etag or (asked_for and (keeper.revision or 0) >= wanted.revision)

    def _failed(self, error: str, retry_after_s: float | None) -> None:
        self._asked_for_patience = retry_after_s is not None
        self._not_before = self._monotonic() + self._backoff.failed(retry_after_s)
        self.trouble.began(error)

    def _schedule_poll(self) -> None:
        self._due = self._monotonic() + self._backoff.spread(self._config.poll_s)
