"""What ranks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from reward_llm.domain.preview import Explanation, Preview
from reward_llm.domain.ranker_card import RankerCard
from reward_llm.domain.ranking import RankedSlate, RankingRequest
from reward_llm.domain.scenario import Scenario


class Reranker(Protocol):
    """One model that ranks under any weights; weights are by the scenario's utilities.

    All methods raise WeightsInvalid where it measures none of the utilities that have a weight, RankerUnavailable
    where there is no model or it can't be used, and RankerBusy where too many wait for it.
    """

    async def rerank(self, scenario: Scenario, weights: Mapping[str, float], request: RankingRequest) -> RankedSlate:
        """The slate with the highest score that it finds.

        Raises:
            RankingInvalid: If the request can't be ranked.
        """
        ...

    async def preview(self, scenario: Scenario, now: Mapping[str, float], then: Mapping[str, float]) -> Preview:
        """What would change on logged requests if other weights were in force."""
        ...

    async def explain(self, scenario: Scenario, weights: Mapping[str, float], request: str) -> Explanation:
        """Why the slate of a logged request is as it is; the request is named by its id, or its number in the log.

        Raises:
            RankingInvalid: If the log has no such request.
        """
        ...

    async def card(self) -> RankerCard:
        """What is known of the ranker, without having it rank."""
        ...

    async def aclose(self) -> None:
        """Let the threads go."""
        ...
