"""What every route is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from reward_llm.api.goal_desk import GoalDesk
from reward_llm.api.metrics import Metrics
from reward_llm.api.services import Services
from reward_llm.domain.policy import RewardPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The services, and what one application makes of them; `defaults` are the default policies by id."""

    services: Services
    desk: GoalDesk
    metrics: Metrics
    defaults: Mapping[str, RewardPolicy]


async def _context_of(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Here = Annotated[Context, Depends(_context_of)]
