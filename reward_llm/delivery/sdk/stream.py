"""Listens to the service's notices, for as long as it keeps speaking."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import httpx
from httpx_sse import aconnect_sse

from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.errors import SnapshotInvalid, Unanswered
from reward_llm.delivery.sdk.http import FOREIGN, check, described, parameters, session
from reward_llm.delivery.sdk.notice import KINDS, Notice, read_notice

SILENT_BEATS: Final = 3
"""After so many missed heartbeats the stream is given up."""
_PATH: Final = "/v1/weights/events"
_MAX_EVENT_BYTES: Final = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A notice and when it came, by the monotonic clock; `sent` is when the first of a stream was asked for."""

    notice: Notice
    sent: float | None
    received: float


async def notices(
    base_url: str, config: ClientConfig, *, monotonic: Callable[[], float] = time.monotonic
) -> AsyncGenerator[Heard, None]:
    """The service's notices, until it ends the stream.

    Raises:
        Unanswered: If there is no stream, it breaks, falls silent, or carries what isn't a notice.
    """
    silence_s = config.connect_timeout_s + config.read_timeout_s
    try:
        async with session(base_url, config) as http, aclosing(_events(http, base_url, config)) as events:
            sent: float | None = monotonic()
            while True:
                async with asyncio.timeout(silence_s):
                    notice = await anext(events, None)
                if notice is None:
                    return
                yield Heard(notice=notice, sent=sent, received=monotonic())
                silence_s, sent = SILENT_BEATS * notice.every_s, None
    except TimeoutError as exc:
        raise Unanswered(f"the stream said nothing for {silence_s:g} s") from exc
    except SnapshotInvalid as exc:
        raise Unanswered(f"the stream carries what isn't a notice: {exc}") from exc
    except FOREIGN as exc:
        raise Unanswered(described(exc)) from exc


async def _events(http: httpx.AsyncClient, base_url: str, config: ClientConfig) -> AsyncGenerator[Notice, None]:
    quiet = httpx.Timeout(None, connect=config.connect_timeout_s)
    async with aconnect_sse(
        http, "GET", base_url + _PATH, params=parameters(config) or None, timeout=quiet
    ) as source:
        await check(source.response)
        bounded = _Bounded(source.response.stream)
        source.response.stream = bounded
        async for event in source.aiter_sse():
            bounded.read = 0
            if event.event in KINDS:
                yield read_notice(event.data)


class _Bounded(httpx.AsyncByteStream):
    """A stream in which no event may be longer than `_MAX_EVENT_BYTES`."""

    def __init__(self, stream: object) -> None:
        assert isinstance(stream, httpx.AsyncByteStream)  # noqa: S101 - an AsyncClient's always is
        self._stream = stream
        self.read = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            self.read += len(part)
            if self.read > _MAX_EVENT_BYTES + len(part):
                raise Unanswered("the stream carries an event that is too long")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
