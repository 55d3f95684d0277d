"""The express: what the lane would answer at once, as the bytes that the server then sends for it.

bytes ─► a head that was read before? ─► a ticket that holds? ─► nothing to wait for? ─► a request left? ─► bytes
           │ no                            │ no                    │ no                    │ no
         the server reads it ─► understood?│                       │                       │
                                  │ no     │                       │                       │
                                  └────────┴───────────────────────┴───────────────────────┴─► ASGI, and the lane

It decides and counts as the lane does, by the same turnstile; what it saves is reading the head, the task, the
messages and the checks of a dozen header fields that an answer through ASGI costs. Nobody is charged for what it
passes on.
"""

from __future__ import annotations

from collections.abc import Coroutine
from datetime import datetime
from typing import Any, Final, TypeVar

import structlog

from reward_llm.api.edge.throttle import Client, Throttle
from reward_llm.api.lane.answers import Answer
from reward_llm.api.lane.encoding import encoded_answer, encoded_fields, encoded_weights
from reward_llm.api.lane.heads import Heads
from reward_llm.api.lane.memo import OneScope, Target, Ticket
from reward_llm.api.lane.request import Asked, Fields, understood_url
from reward_llm.api.lane.turnstile import Turnstile
from reward_llm.api.lookup_context import LookupContext
from reward_llm.domain.access import PrincipalKind
from reward_llm.domain.serving import ServedWeights

MOST_BYTES: Final = 65_536
"""Of a body; what is larger may have to wait for its reader."""
T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Express:
    """Answers GET requests on connections that are kept, if it can."""

    def __init__(self, context: LookupContext, throttle: Throttle) -> None:
        services, edge = context.services, context.services.config.edge
        self._snapshots, self._clock = services.snapshots, services.clock
        self._turnstile = Turnstile(context, throttle)
        self._closing = encoded_fields(self._turnstile.closing)
        self._head_limit_bytes = edge.header_limit_bytes
        self._counts = edge.weights_per_minute is not None
        self._heads = Heads(edge.header_limit_bytes)

    def again(self, head: bytes, client: Client, common: bytes) -> bytes | None:
        """The answer to bytes that are a head which was read before; `common` are the fields that come first."""
        asked = self._heads.find(head)
        return asked and self.answer(asked, client, common)

    def keep(self, head: bytes, asked: Asked) -> None:
        """Remember what bytes ask for that were read as a head, and as nothing else."""
        self._heads.keep(head, asked)

    def understood(self, url: bytes, headers: Fields) -> Asked | None:
        """What a GET asks for; None if that is for ASGI to say."""
        return understood_url(url, headers, self._head_limit_bytes)

    def answer(self, asked: Asked, client: Client, common: bytes) -> bytes | None:
        """The answer to a request; None if ASGI has to give it."""
        now = self._clock()
        ticket = self._turnstile.ticket(asked, now)
        if ticket is None or (asked.forwarded and self._is_by_address(ticket)):
            return None
        try:
            found = self._found(ticket.target, asked, now)
            left = None if found is None else self._turnstile.charge(ticket, client)
            return None if found is None or left is None else self._encoded(found, asked, common, left)
        except Exception:  # noqa: BLE001 - the application fails as well, and says so in its own way
            _log.exception("express.failed")
            return None

    def _is_by_address(self, ticket: Ticket) -> bool:
        """Whether the caller's requests are counted by the address that they come from."""
        return self._counts and ticket.shown.principal.kind is PrincipalKind.ANONYMOUS

    def _found(self, target: Target, asked: Asked, now: datetime) -> ServedWeights | Answer | None:
        if isinstance(target, OneScope):
            return self._turnstile.lookup(target, asked, now)
        snapshot = at_once(self._snapshots.snapshot(now, target.scenarios))
        if snapshot is None:
            return None
        answer = self._turnstile.everything(snapshot, asked, now)
        return answer if sum(map(len, answer.parts)) <= MOST_BYTES else None

    def _encoded(self, found: ServedWeights | Answer, asked: Asked, common: bytes, left: Fields) -> bytes:
        closing = self._closing + encoded_fields(left)
        if isinstance(found, Answer):
            self._turnstile.count(found.status, None)
            return encoded_answer(found, common, closing)
        status, answer = encoded_weights(found, self._turnstile.revision, asked.if_none_match, common, closing)
        self._turnstile.count(status, found)
        return answer


def at_once(work: Coroutine[Any, Any, T]) -> T | None:
    """What comes of work that needn't wait for anything; None if it must, and it is broken off there."""
    try:
        work.send(None)
    except StopIteration as ended:
        value: T = ended.value
        return value
    work.close()
    return None


def express_of(app: Any) -> Express | None:
    """The express of an application that has a lane, the same for all of its connections; None for another one."""
    state = getattr(app, "state", None)
    context, throttle = getattr(state, "context", None), getattr(state, "throttle", None)
    if state is None or not isinstance(context, LookupContext) or not isinstance(throttle, Throttle):
        return None
    if not hasattr(state, "express"):
        state.express = Express(context, throttle)
    express: Express = state.express
    return express
