"""Reading goals with whatever version is in production at that moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from reward_llm.domain.goal import Goal
from reward_llm.domain.policy import Proposal, RewardPolicy
from reward_llm.domain.ports import GoalProposer
from reward_llm.domain.scenario import Scenario
from reward_llm.generation.prompt_book import PromptBook
from reward_llm.generation.prompts import PromptBundle


class PromptedProposer:
    """A `reward_llm.domain.ports.GoalProposer` that takes its prompt from a book.

    Args:
        book: Says which bundle to read with.
        make: Gives the proposer that reads with a bundle.
    """

    def __init__(self, book: PromptBook, make: Callable[[PromptBundle], GoalProposer]) -> None:
        self._book = book
        self._make = make
        self._made: tuple[str, GoalProposer] | None = None

    async def propose(self, goal: Goal, scenario: Scenario, active: RewardPolicy) -> Proposal:
        """The proposal; its provenance says if the packaged prompt had to answer, and why."""
        held = await self._book.held()
        proposal = await self._proposer(held.bundle).propose(goal, scenario, active)
        if held.reason is None or proposal.provenance.prompt is None:
            return proposal
        return replace(proposal, provenance=replace(proposal.provenance, prompt_reason=held.reason))

    def _proposer(self, bundle: PromptBundle) -> GoalProposer:
        key = f"{bundle.label} {bundle.content_hash}"
        if self._made is None or self._made[0] != key:
            self._made = (key, self._make(bundle))
        return self._made[1]
