"""What every route that looks weights up is given, in whichever application it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from reward_llm.api.access.doorkeeper import Doorkeeper
from reward_llm.api.catching_up import CatchingUp
from reward_llm.api.lane.memo import Memo
from reward_llm.api.lookup_services import LookupServices
from reward_llm.api.metrics import Metrics
from reward_llm.api.recent_errors import RecentErrors
from reward_llm.api.shared import Shared
from reward_llm.api.wire.health import Check


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupContext:
    """The services, and what one application makes of them.

    `pings` cost the database much, and are asked for once at a time. `memo` is what the lane may answer by itself.
    `errors` are the last answers that said that the service failed.
    """

    services: LookupServices
    metrics: Metrics
    doorkeeper: Doorkeeper
    pings: Shared[Mapping[str, Check]]
    catching_up: CatchingUp
    memo: Memo
    errors: RecentErrors = field(default_factory=RecentErrors)


async def _context_of(request: Request) -> LookupContext:
    context: LookupContext = request.app.state.context
    return context


LookupHere = Annotated[LookupContext, Depends(_context_of)]
