"""Notices: told to those who follow the weights, with what changed where that is little; the rest is fetched."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import lru_cache
from typing import Any, Final

import anyio
import structlog
from fastapi import APIRouter, Request, Response
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import SendTimeoutError
from starlette.types import Receive, Scope, Send

from reward_llm.api.access.permissions import Caller, Calling, Where, needs
from reward_llm.api.lookup_context import LookupHere
from reward_llm.api.openapi import problems
from reward_llm.api.visibility import Named, visible
from reward_llm.api.wire.notices import NoticeWire
from reward_llm.api.wire.problem import Problem
from reward_llm.domain.access import Permission
from reward_llm.domain.notices import NoticeKind, WeightsNotice
from reward_llm.domain.ports import Notices, Subscription
from reward_llm.errors import RewardLLMError

router = APIRouter(prefix="/v1/weights", tags=["weights"])

_HEADERS: Final = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_PATIENCE_S: Final = 30.0
"""How long a subscriber may take to receive a notice before the stream is given up."""
_FAREWELL_S: Final = 2.0
"""How long a stream may take to end at shutdown."""
_KEPT_EVENTS: Final = 64
"""More than are sent at one time, some 40 KB each at most."""
_EXAMPLE: Final = (
    "event: heartbeat\r\n"
    'data: {"revision":57,"etag":"0f5c…","as_of":"2026-06-18T12:00:00Z","stale":false,"age_s":0.3,"every_s":5.0}\r\n'
    "\r\n"
)
_RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "Server-sent events, until either side ends them.",
        "content": {"text/event-stream": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    },
    503: {"model": Problem, "description": "As many follow as may; try again after `Retry-After` seconds."},
}
_log = structlog.get_logger(__name__)

_Encode = Callable[[NoticeKind, WeightsNotice], Awaitable[bytes | None]]
"""What is sent of a notice; None ends the stream."""


@router.get(
    "/events",
    summary="Follow the weights",
    response_class=Response,
    responses={**_RESPONSES, **problems(404, 422)},
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def follow(request: Request, here: LookupHere, caller: Calling, scenario: Named = None) -> Response:
    """Notices of the weights that one may read: fetch them when `etag` isn't the one that you have.

    A `heartbeat` comes at once and then every `every_s` seconds, so longer silence means that the stream is dead.
    `changed` comes when other weights hold, by a decision or because a window began or ended. If little changed, it
    has `from`, the `etag` that was told last, and `items`, which take the place of those that the snapshot with that
    `etag` has for the same scopes. What was missed is nowhere kept: the next notice has the newest `etag`. A stream
    ends when its token does.
    """
    await request.body()
    known = here.services.scenarios
    seen = visible(caller, known, scenario)

    async def encode(kind: NoticeKind, notice: WeightsNotice) -> bytes | None:
        try:
            principal = await here.doorkeeper.principal(request)
            still_seen = visible(Caller(principal, Permission.READ), known, scenario)
        except RewardLLMError as exc:
            _log.info("events.ended", code=exc.code)
            return None
        if still_seen != seen:
            return None
        here.metrics.noticed(kind)
        return _encoded(kind, notice)

    return _Stream(here.services.notices, seen, encode)


class _Stream(Response):
    """Notices for as long as somebody listens; who follows is counted from the start of the answer to its end."""

    def __init__(self, notices: Notices, scenarios: frozenset[str] | None, encode: _Encode) -> None:
        super().__init__(media_type="text/event-stream")
        self._notices = notices
        self._scenarios = scenarios
        self._encode = encode

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, until the stream is over.

        Raises:
            TooManySubscribers: If as many follow as may.
        """
        async with self._notices.subscribe(self._scenarios) as subscription:
            leaving = anyio.Event()

            async def leave() -> None:
                await leaving.wait()
                subscription.end()

            events = EventSourceResponse(
                self._events(subscription),
                headers=_HEADERS,
                ping=0,
                send_timeout=_PATIENCE_S,
                data_sender_callable=leave,
                shutdown_event=leaving,
                shutdown_grace_period=_FAREWELL_S,
            )
            try:
                await events(scope, receive, send)
            except SendTimeoutError:
                _log.info("events.given_up", patience_s=_PATIENCE_S)

    async def _events(self, subscription: Subscription) -> AsyncIterator[bytes]:
        async for kind, notice in subscription.notices():
            event = await self._encode(kind, notice)
            if event is None:
                return
            yield event


@lru_cache(maxsize=_KEPT_EVENTS)
def _encoded(kind: NoticeKind, notice: WeightsNotice) -> bytes:
    """The event, made once for all who are told the same."""
    told = NoticeWire.of(notice).model_dump_json()
    if (change := notice.change) is not None:
        told = f'{told[:-1]},"from":"{change.since}","items":[{change.items.decode("ascii")}]}}'
    return ServerSentEvent(told, event=kind.value).encode()
