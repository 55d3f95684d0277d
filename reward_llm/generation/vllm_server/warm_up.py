"""The first goals of a server, which are slow, before anybody waits for them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from reward_llm.domain.goal import Goal
from reward_llm.domain.policy import Source, default_policy
from reward_llm.domain.ports import GoalProposer
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.errors import ModelUnavailable

_GOAL: Final = "Raise day-7 retention by 10%"


async def warm_up(proposer: GoalProposer, scenarios: Iterable[Scenario], now: datetime) -> None:
    """Have vLLM read a plain goal for every scenario, each of which has its own prompt and answer schema.

    Raises:
        ModelUnavailable: If a fallback answered.
    """
    for scenario in scenarios:
        goal = Goal(id="warm-up", scope=Scope(scenario.name), text=_GOAL, submitted_at=now)
        proposal = await proposer.propose(goal, scenario, default_policy(scenario, None, now))
        if proposal.source is not Source.VLLM:
            raise ModelUnavailable(
                f"vLLM runs, but can't read “{_GOAL}” for {scenario.name}: {proposal.reason}",
                hint="is it an instruction model, or one trained with `reward-llm model train`?",
            )
