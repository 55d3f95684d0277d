"""Events from a broker.

connect ─► consume ─► … ─► lost for good, or an error ─► pause ─► connect
              │ a batch of messages ─► events ─► handled ─► acknowledged
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from reward_llm.domain.ports.events import Handle
from reward_llm.feedback.intake.streams.encoding import events_of
from reward_llm.feedback.intake.streams.links import PATIENCE_S, Link, OnBodies

_LOOK_S: Final = 0.5
"""How often is looked whether it still consumes."""
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_CHANCES = random.SystemRandom()
_log = structlog.get_logger(__name__)


class BrokerSource:
    """A `reward_llm.domain.ports.events.EventSource` for one of a group that shares the work.

    Args:
        kind: The broker's.
        group: Who shares the work; each group is handed every event.
        open_link: Gives a connection that isn't made yet.
    """

    def __init__(self, kind: str, group: str, open_link: Callable[[], Link]) -> None:
        self._kind = kind
        self._group = group
        self._open_link = open_link

    @property
    def kind(self) -> str:
        """What keeps them."""
        return self._kind

    async def run(self, handle: Handle) -> None:
        """Hand on all events until cancelled."""

        async def on_bodies(bodies: Sequence[object]) -> None:
            try:
                events = events_of(bodies)
                if events:
                    await handle(events)
            except Exception as exc:
                _log.error("events.failed", kind=self._kind, messages=len(bodies), exc_info=exc)
                await asyncio.sleep(_LONGEST_PAUSE_S)
                raise

        pause_s = _FIRST_PAUSE_S
        while True:
            link = self._open_link()
            try:
                await self._begin(link, on_bodies)
                _log.info("events.consuming", kind=self._kind, group=self._group)
                pause_s = _FIRST_PAUSE_S
                await _while_consuming(link)
                _log.warning("events.lost", kind=self._kind)
            except Exception as exc:  # noqa: BLE001 - a worker that stops trying would fall behind for ever
                _log.warning("events.away", kind=self._kind, error=type(exc).__name__, pause_s=pause_s)
            finally:
                await link.aclose()
            await asyncio.sleep(_CHANCES.uniform(pause_s / 2, pause_s))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _begin(self, link: Link, on_bodies: OnBodies) -> None:
        """Connect and consume; a cancellation waits until that is done, for brokers' clients swallow some."""
        starting = asyncio.create_task(_start(link, self._group, on_bodies))
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            await asyncio.wait([starting], timeout=2 * PATIENCE_S)
            starting.cancel()
            raise

    async def aclose(self) -> None:
        """Nothing is connected when `run` is over."""


async def _start(link: Link, group: str, on_bodies: OnBodies) -> None:
    await link.connect()
    await link.consume(group, on_bodies)


async def _while_consuming(link: Link) -> None:
    while link.is_consuming:  # noqa: ASYNC110 - the broker's client tells nobody
        await asyncio.sleep(_LOOK_S)
