"""The ledger of goals: what was tried, predicted and observed."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from reward_llm.domain.act import Act
from reward_llm.domain.corrections import Correction, corrections
from reward_llm.domain.interpretation import Intent
from reward_llm.domain.loop import LoopKind, LoopRecord
from reward_llm.domain.memory import SHOWN_OUTCOMES, GoalMemory, Observation, Tried, most_alike
from reward_llm.domain.ports import LoopStore
from reward_llm.domain.scenario import Scope
from reward_llm.errors import LoopRecordUnknown
from reward_llm.loop.memory.documents import document_of, memory_of, observation_document, record_id, tried_of

OPEN: Final = "open"
"""The one state of these records."""
_LOOKED_AT: Final = 100
"""How many of a scenario's newest records are looked through."""


class Ledger:
    """A `reward_llm.domain.memory.Memories` in the loop's store, and what is written into it."""

    def __init__(self, store: LoopStore) -> None:
        self._store = store

    async def of(self, goal_id: str) -> GoalMemory | None:
        """What is remembered of a goal; None as long as no weights of it got into force, or nobody looked since."""
        try:
            record = await self._store.record(LoopKind.MEMORY, record_id(goal_id))
        except LoopRecordUnknown:
            return None
        return await self._whole(record)

    async def similar(self, scope: Scope, utilities: Collection[str]) -> Sequence[GoalMemory]:
        """Observed goals of the scope, those first that asked most alike, and of those the newest."""
        found = [m for m in await self.newest(scope.scenario) if m.scope == scope]
        return most_alike(found, utilities, SHOWN_OUTCOMES)

    async def newest(self, scenario: str) -> Sequence[GoalMemory]:
        """What is remembered of a scenario's last goals, newest first."""
        page = await self._store.records(LoopKind.MEMORY, scenarios=[scenario], limit=_LOOKED_AT)
        return [await self._whole(record) for record in page.items]

    async def corrections(self, scenario: str) -> dict[str, Correction]:
        """What a scenario's predictions are to be multiplied with, by metric, as far as goals have taught it."""
        return corrections(await self.newest(scenario))

    async def open(self, goal_id: str, scope: Scope, intents: Sequence[Intent], tried: Tried, act: Act) -> GoalMemory:
        """Remember that a policy of a goal got into force; what is known of it already stays as it is.

        Raises:
            PreconditionFailed: If somebody else remembered something of the goal at the same time.
        """
        document = document_of(goal_id, intents, [tried])
        record = await self._store.create(LoopKind.MEMORY, scope, OPEN, document, act, record_id=record_id(goal_id))
        before = tried_of(record.document)
        if tried.policy_id not in {t.policy_id for t in before}:
            document = document_of(goal_id, intents, [*before, tried])
            record = await self._store.change(record, "extended", act, state=OPEN, document=document)
        return await self._whole(record)

    async def observe(self, memory: GoalMemory, observation: Observation, act: Act) -> GoalMemory:
        """Put down an observation of one of the goal's policies."""
        await self._store.gather(record_id(memory.goal_id), [observation_document(observation)], act)
        return replace(memory, observations=(*memory.observations, observation))

    async def _whole(self, record: LoopRecord) -> GoalMemory:
        return memory_of(record, await self._store.entries(record.id))
