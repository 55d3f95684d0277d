"""What reading a goal asks of a language model, and what others ask of reading."""

from __future__ import annotations

from typing import Protocol

from reward_llm.domain.calibration import Calibration
from reward_llm.domain.completion import Completion, CompletionRequest, Vocabulary
from reward_llm.domain.goal import Goal
from reward_llm.domain.policy import Proposal, RewardPolicy, Source
from reward_llm.domain.scenario import Scenario


class LanguageModel(Protocol):
    """A chat model whose answers are held to a JSON Schema."""

    source: Source
    vocabulary: Vocabulary

    @property
    def calibration(self) -> Calibration | None:
        """How the probabilities of its choices are to be taken; None if nobody measured that."""
        ...

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer the chat with one document of the schema.

        Raises:
            ModelError: If no whole answer came: unavailable, too late, cut off.
        """
        ...

    async def ping(self) -> str:
        """The model's name, if it is ready to answer.

        Raises:
            ModelError: If it isn't.
        """
        ...

    async def aclose(self) -> None:
        """Give back connections and memory."""
        ...


class GoalProposer(Protocol):
    """Reads a goal into a proposal; there is always one."""

    async def propose(self, goal: Goal, scenario: Scenario, active: RewardPolicy) -> Proposal:
        """The proposal, from the model or from the fallback that its `source` and `reason` name."""
        ...
