"""A feed that is kept up, whatever becomes of its connection.

listen ─► beat heard ─► beat heard ─ … ─► none for `patience_s`, or an error ─► pause ─► listen
             │ the first one after each connect: look for what was missed

A beat is a message of the process to itself through the whole feed. So a connection that is open and dead, and a feed
that takes subscriptions and tells nothing, are found out like one that was closed.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog

from reward_llm.domain.ports import FeedSource, FeedStatus
from reward_llm.domain.ports.feed import BEAT_S

_MOST_DOUBLINGS: Final = 10
_CHANCES = random.SystemRandom()
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepingConfig:
    """When a feed counts as lost, and how soon it is tried again."""

    patience_s: float = 3 * BEAT_S
    """How long nothing may be heard, from one beat to the next or from the start of a connect."""
    first_pause_s: float = 0.1
    """The longest pause after the first failure; each further one doubles it."""
    longest_pause_s: float = 5.0


class KeptFeed:
    """A `reward_llm.domain.ports.ChangeFeed` over a source that may be lost.

    Args:
        source: What is listened to.
        config: When that counts as lost.
    """

    def __init__(self, source: FeedSource, config: KeepingConfig | None = None) -> None:
        self._source = source
        self._config = config or KeepingConfig()
        self._heard_at: float | None = None
        self._connected = False
        self._lost_for: str | None = None
        self._failures = 0

    @property
    def kind(self) -> str:
        """What it listens to."""
        return self._source.kind

    async def run(self, on_change: Callable[[], None]) -> None:
        """Listen until cancelled, and connect again whenever the feed is lost."""
        self._heard_at = _now_s()
        while True:
            reason = await self._listen(on_change)
            self._lose(reason)
            await asyncio.sleep(self._pause_s())

    async def announce(self, revision: int) -> None:
        """Tell other processes of a change that was committed here."""
        await self._source.announce(revision)

    def status(self) -> FeedStatus:
        """Whether a beat was heard in time, and what ails the feed if not."""
        silent_s = None if self._heard_at is None else _now_s() - self._heard_at
        return FeedStatus(kind=self.kind, connected=self._connected, silent_s=silent_s, detail=self._detail(silent_s))

    def _detail(self, silent_s: float | None) -> str:
        if silent_s is None:
            return "never listened"
        if self._connected:
            return f"silent for {silent_s:.1f} s"
        if self._lost_for is not None:
            return f"silent for {silent_s:.1f} s: {self._lost_for}"
        return (
            f"connecting for {silent_s:.1f} s: until its first beat is heard, changes are found by looking for them"
        )

    async def _listen(self, on_change: Callable[[], None]) -> str:
        """Listen for as long as beats are heard; gives the reason why that is over."""
        patience_s = self._config.patience_s
        deadline, over = asyncio.timeout(patience_s), False

        def hear(*, beat: bool) -> None:
            if over:
                return
            self._heard_at = _now_s()
            if beat and not deadline.expired():
                deadline.reschedule(self._heard_at + patience_s)
            if not beat or not self._connected:
                on_change()
            if beat and not self._connected:
                self._connect()

        try:
            async with deadline:
                await self._source.listen(partial(hear, beat=False), partial(hear, beat=True))
        except TimeoutError as exc:
            return f"no beat within {patience_s:g} s" if deadline.expired() else _said(exc)
        except Exception as exc:  # noqa: BLE001 - a feed that stops trying would be lost for ever
            return _said(exc)
        finally:
            over = True
        return "it was closed"

    def _connect(self) -> None:
        self._connected, self._failures = True, 0
        _log.info("feed.heard", kind=self.kind)

    def _lose(self, reason: str) -> None:
        if self._failures == 0:
            _log.warning("feed.lost", kind=self.kind, error=reason)
        self._connected, self._lost_for = False, reason
        self._failures += 1

    def _pause_s(self) -> float:
        """At random up to a bound that doubles, so that all who were cut off at once don't come back at once."""
        doubled = self._config.first_pause_s * 2 ** min(self._failures - 1, _MOST_DOUBLINGS)
        longest_s = min(doubled, self._config.longest_pause_s)
        return _CHANCES.uniform(longest_s / 2, longest_s)


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _said(exc: Exception) -> str:
    return f"{type(exc).__name__}: {exc}" if str(exc) else type(exc).__name__
