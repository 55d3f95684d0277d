"""What every route is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from reward_llm.api.goal_desk import GoalDesk
from reward_llm.api.lookup_context import LookupContext
from reward_llm.api.prompt_bench import PromptBench
from reward_llm.api.prompt_desk import PromptDesk
from reward_llm.api.services import Services
from reward_llm.api.shared import Shared
from reward_llm.api.sign_in.desk import SignInDesk
from reward_llm.domain.audit_flaws import Verification
from reward_llm.domain.policy import RewardPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Context(LookupContext):
    """All services, and what the whole application makes of them; `defaults` are the default policies by id.

    `verification` costs the database much, and is asked for once at a time.
    """

    services: Services
    desk: GoalDesk
    prompts: PromptDesk
    bench: PromptBench
    sign_in: SignInDesk | None
    defaults: Mapping[str, RewardPolicy]
    verification: Shared[Verification]
    started_at: datetime


async def _context_of(request: Request) -> Context:
    context: Context = request.app.state.context
    return context


Here = Annotated[Context, Depends(_context_of)]
