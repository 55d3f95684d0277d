"""Reading many goals for their readings alone."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Interpretation
from reward_llm.domain.policy import default_policy
from reward_llm.domain.ports import Clock, GoalProposer, LanguageModel
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.errors import GoalInvalid
from reward_llm.validation.text import clean


class BulkReader:
    """Reads goals against a scenario's defaults, a few at once, and takes no fallback's word for the model's.

    Args:
        proposer: Who reads.
        model: Whom the proposer asks first.
        scenario: What the goals are for.
        clock: The time that goals are submitted at.
        at_once: Goals that the proposer is given together.
    """

    def __init__(
        self, *, proposer: GoalProposer, model: LanguageModel, scenario: Scenario, clock: Clock, at_once: int = 8
    ) -> None:
        self._proposer, self._model, self._scenario = proposer, model, scenario
        self._clock, self._at_once = clock, at_once

    async def read(self, texts: Sequence[str]) -> list[Interpretation | None]:
        """The readings; None where no answer of the model's own passed the gate.

        Raises:
            ModelError: If the model doesn't answer (any more).
        """
        await self._model.ping()
        readings: list[Interpretation | None] = []
        for start in range(0, len(texts), self._at_once):
            readings += await asyncio.gather(*(self._read(t) for t in texts[start : start + self._at_once]))
        return readings

    async def _read(self, text: str) -> Interpretation | None:
        now, scope = self._clock(), Scope(self._scenario.name)
        try:
            goal = Goal(id="read", scope=scope, text=clean(text)[0], submitted_at=now)
        except GoalInvalid:
            return None
        proposal = await self._proposer.propose(goal, self._scenario, default_policy(self._scenario, None, now))
        if proposal.source is self._model.source:
            return proposal.interpretation
        await self._model.ping()
        return None
