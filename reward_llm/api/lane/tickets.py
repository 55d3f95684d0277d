"""How a request that was answered becomes one that the lane answers from then on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from fastapi import Request

from reward_llm.api.access.bearer import Certainty
from reward_llm.api.access.doorkeeper import principal_of
from reward_llm.api.lane.memo import Pass, Target
from reward_llm.api.lane.request import ASKED, Asked
from reward_llm.api.lookup_context import LookupContext
from reward_llm.domain.access import AccessMode

_ALWAYS: Final = datetime.min.replace(tzinfo=UTC)


def make_ticket(request: Request, here: LookupContext, target: Target, unit: str | None = None) -> None:
    """Let such requests through for as long as it is certain who sends them.

    `unit` is the one that the route read: if the lane read another, the request is none of those that it understands.
    """
    asked: Asked | None = getattr(request.state, ASKED, None)
    shown = _pass(request, here)
    if asked is not None and shown is not None and asked.unit == unit:
        here.memo.admit(asked.key, target, shown)


def _pass(request: Request, here: LookupContext) -> Pass | None:
    principal = principal_of(request)
    if here.doorkeeper.mode is AccessMode.OPEN:
        return Pass(principal, since=_ALWAYS, until=None)
    certain: Certainty | None = getattr(request.state, "certain", None)
    return None if certain is None else Pass(principal, *certain)
