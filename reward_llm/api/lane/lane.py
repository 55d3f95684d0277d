"""The lane: a request like one that the application has let through is answered before it gets there.

request ─► understood? ─► a ticket that holds? ─► one of its caller's requests left? ─► the answer, counted
             │ no           │ no                    │ no
             └──────────────┴───────────────────────┴─► the application, which alone reads, lets in and refuses

What is answered here is what the application would answer, but without a request id and a line in the log. In front
of it most requests are answered by the express (`reward_llm.api.lane.express`), which takes what needn't wait.
"""

from __future__ import annotations

from datetime import datetime

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from reward_llm.api.edge.throttle import Throttle
from reward_llm.api.lane.answers import Answer, weights_answer
from reward_llm.api.lane.memo import OneScope, Target
from reward_llm.api.lane.request import ASKED, Asked, understood
from reward_llm.api.lane.turnstile import Turnstile
from reward_llm.api.lookup_context import LookupContext
from reward_llm.domain.serving import ServedWeights

_log = structlog.get_logger(__name__)


class Lane:
    """The first that a request passes within ASGI."""

    def __init__(self, app: ASGIApp, *, context: LookupContext, throttle: Throttle) -> None:
        services = context.services
        self._app = app
        self._snapshots, self._clock = services.snapshots, services.clock
        self._turnstile = Turnstile(context, throttle)
        self._head_limit_bytes = services.config.edge.header_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request, or have the application answer it."""
        asked = understood(scope, self._head_limit_bytes)
        if asked is None:
            await self._app(scope, receive, send)
            return
        now = self._clock()
        ticket = self._turnstile.ticket(asked, now)
        if ticket is None:
            await self._pass_on(asked, scope, receive, send)
            return
        try:
            answer, served = await self._prepared(ticket.target, asked, now)
            left = self._turnstile.charge(ticket, scope["client"])
        except Exception:  # noqa: BLE001 - the application fails as well, and says so in its own way
            _log.exception("lane.failed")
            await self._app(scope, receive, send)
            return
        if left is None:
            await self._pass_on(asked, scope, receive, send)
            return
        self._turnstile.count(answer.status, served)
        answer.fields.extend((*self._turnstile.closing, *left))
        await answer.send(send)

    async def _pass_on(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})[ASKED] = asked
        await self._app(scope, receive, send)

    async def _prepared(self, target: Target, asked: Asked, now: datetime) -> tuple[Answer, ServedWeights | None]:
        if isinstance(target, OneScope):
            served = self._turnstile.lookup(target, asked, now)
            return weights_answer(served, self._turnstile.revision, asked.if_none_match), served
        snapshot = await self._snapshots.snapshot(now, target.scenarios)
        return self._turnstile.everything(snapshot, asked, now), None
