"""Who decides what a user is shown, by the agents of the market."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from reward_llm.domain.agents import Allocation, AllocationRequest
from reward_llm.domain.scenario import Scenario


class Allocator(Protocol):
    """The user, content and orchestrator agents, over what events have told of users and items so far."""

    async def decide(
        self, scenario: Scenario, weights: Mapping[str, float], request: AllocationRequest
    ) -> Allocation:
        """What is shown; changes nothing of what is known, which events alone do.

        Args:
            scenario: The surface.
            weights: By the scenario's utilities.
            request: For whom, and out of what.

        Raises:
            RankingInvalid: If nothing can be decided for the request.
        """
        ...

    async def aclose(self) -> None:
        """Let the connection go."""
        ...
