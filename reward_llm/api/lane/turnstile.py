"""What a ticket gets, whichever way the request came: what is asked for, if its caller has a request left."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from reward_llm.api.edge.outgoing import outgoing_headers
from reward_llm.api.edge.throttle import Client, Throttle, rate_fields
from reward_llm.api.lane.answers import Answer, snapshot_answer
from reward_llm.api.lane.memo import OneScope, Ticket
from reward_llm.api.lane.request import Asked, Fields
from reward_llm.api.lookup_context import LookupContext
from reward_llm.domain.serving import EncodedSnapshot, ServedWeights

_BROUGHT: Final = frozenset({"Cache-Control"})
"""What answers about weights bring themselves."""


class Turnstile:
    """Lets requests with a ticket through, and counts them."""

    def __init__(self, context: LookupContext, throttle: Throttle) -> None:
        services = context.services
        self._board = services.board
        self._memo, self._metrics, self._throttle = context.memo, context.metrics, throttle
        self.closing: Fields = _fields(outgoing_headers(https=services.config.edge.https))
        """The fields that every answer ends with, but for those about the caller's limit."""

    @property
    def revision(self) -> int:
        """How many changes what is served has seen."""
        return self._board.revision

    def ticket(self, asked: Asked, now: datetime) -> Ticket | None:
        """The ticket that holds for a request, if there is one and the board is as far as the request wants it."""
        ticket = self._memo.find(asked.key, now)
        return None if ticket is None or asked.at_least > self._board.revision else ticket

    def lookup(self, target: OneScope, asked: Asked, now: datetime) -> ServedWeights:
        """The weights of a scope."""
        return self._board.lookup(target.scope, now, asked.unit)

    def everything(self, snapshot: EncodedSnapshot, asked: Asked, now: datetime) -> Answer:
        """All weights of a snapshot."""
        return snapshot_answer(snapshot, now, self._board.freshness(now), asked.if_none_match)

    def charge(self, ticket: Ticket, client: Client) -> Fields | None:
        """Take one of the caller's requests, and say what is left; None if there is none left."""
        taken = self._throttle.take_lookup(ticket.shown.principal, client)
        if taken is None:
            return ()
        return rate_fields(taken) if taken.allowed else None

    def count(self, status: int, served: ServedWeights | None) -> None:
        """Count an answer, and what was looked up for it."""
        if served is not None:
            self._metrics.looked_up(served)
        self._metrics.answered_in_lane(status)


def _fields(headers: Mapping[str, str]) -> Fields:
    return [(n.lower().encode("latin-1"), v.encode("latin-1")) for n, v in headers.items() if n not in _BROUGHT]
