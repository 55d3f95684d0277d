"""The lane: a request like one that the application has let through is answered before it gets there.

request ─► understood? ─► a ticket that holds? ─► one of its caller's requests left? ─► the answer, counted
             │ no           │ no                    │ no
             └──────────────┴───────────────────────┴─► the application, which alone reads, lets in and refuses

What is answered here is what the application would answer, but without a request id and a line in the log.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from reward_llm.api.edge.outgoing import outgoing_headers
from reward_llm.api.edge.throttle import Throttle, rate_fields
from reward_llm.api.lane.answers import Answer, Fields, snapshot_answer, weights_answer
from reward_llm.api.lane.memo import Everything, OneScope
from reward_llm.api.lane.request import ASKED, Asked, understood
from reward_llm.api.lookup_context import LookupContext

_BROUGHT: Final = frozenset({"Cache-Control"})
"""What answers about weights bring themselves."""
_log = structlog.get_logger(__name__)


class Lane:
    """The first that a request passes."""

    def __init__(self, app: ASGIApp, *, context: LookupContext, throttle: Throttle) -> None:
        services = context.services
        self._app = app
        self._board, self._snapshots, self._clock = services.board, services.snapshots, services.clock
        self._memo, self._metrics, self._throttle = context.memo, context.metrics, throttle
        self._head_limit_bytes = services.config.edge.header_limit_bytes
        self._closing = _fields(outgoing_headers(https=services.config.edge.https))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or have the application answer it."""
        asked = understood(scope, self._head_limit_bytes)
        if asked is None:
            await self._app(scope, receive, send)
            return
        now = self._clock()
        ticket = self._memo.find(asked.key, now)
        if ticket is None or asked.at_least > self._board.revision:
            await self._pass_on(asked, scope, receive, send)
            return
        limit = self._throttle.take_lookup(ticket.shown.principal, scope["client"])
        if limit is not None and not limit.allowed:
            await self._pass_on(asked, scope, receive, send)
            return
        try:
            if isinstance(target := ticket.target, OneScope):
                answer = self._looked_up(target, asked, now)
            else:
                answer = await self._all(target, asked, now)
        except Exception:  # noqa: BLE001 - the application fails as well, and says so in its own way
            _log.exception("lane.failed")
            await self._app(scope, receive, send)
            return
        self._metrics.answered_in_lane(answer.status)
        answer.fields.extend(self._closing)
        if limit is not None:
            answer.fields.extend(rate_fields(limit))
        await answer.send(send)

    async def _pass_on(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})[ASKED] = asked
        await self._app(scope, receive, send)

    def _looked_up(self, target: OneScope, asked: Asked, now: datetime) -> Answer:
        served = self._board.lookup(target.scope, now, asked.unit)
        self._metrics.looked_up(served)
        return weights_answer(served, self._board.revision, asked.if_none_match)

    async def _all(self, target: Everything, asked: Asked, now: datetime) -> Answer:
        snapshot = await self._snapshots.snapshot(now, target.scenarios)
        return snapshot_answer(snapshot, now, self._board.freshness(now), asked.if_none_match)


def _fields(headers: Mapping[str, str]) -> Fields:
    return [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers.items() if n not in _BROUGHT]
