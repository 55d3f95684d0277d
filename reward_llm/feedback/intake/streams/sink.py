"""Events to a broker."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from reward_llm.domain.events import Event
from reward_llm.errors import EventsUnavailable
from reward_llm.feedback.intake.streams.encoding import messages
from reward_llm.feedback.intake.streams.links import PATIENCE_S, Link

_HINT: Final = "Send them again after `Retry-After`; look whether the broker at REWARD_LLM_EVENTS_URL runs."
_log = structlog.get_logger(__name__)


class BrokerSink:
    """A `reward_llm.domain.ports.events.EventSink` that connects when it is needed.

    Args:
        kind: The broker's.
        open_link: Gives a connection that isn't made yet.
    """

    def __init__(self, kind: str, open_link: Callable[[], Link]) -> None:
        self._kind = kind
        self._open_link = open_link
        self._link: Link | None = None
        self._connecting = asyncio.Lock()

    @property
    def kind(self) -> str:
        """What keeps them."""
        return self._kind

    async def publish(self, events: Sequence[Event]) -> None:
        """Hand events on, and come back when the broker has kept them."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                link = await self._connected()
                await asyncio.gather(*(link.publish(body) for body in messages(events)))
        except Exception as exc:
            _log.warning("events.unpublished", kind=self._kind, error=type(exc).__name__, events=len(events))
            message = f"{self._kind} doesn't take events: {type(exc).__name__}"
            raise EventsUnavailable(message, hint=_HINT) from exc

    async def aclose(self) -> None:
        """Let the connection go."""
        if self._link is not None:
            await self._link.aclose()

    async def _connected(self) -> Link:
        async with self._connecting:
            if self._link is None:
                link = self._open_link()
                try:
                    await link.connect()
                except BaseException:
                    await link.aclose()
                    raise
                self._link = link
            return self._link
