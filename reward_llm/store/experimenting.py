"""Experiments' treatments put into force and taken out, in one transaction with what their records say of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from reward_llm.domain.act import Act
from reward_llm.domain.admission import Admission
from reward_llm.domain.experiments import ExperimentState
from reward_llm.domain.goal import Window
from reward_llm.domain.loop import LoopRecord
from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.domain.ports.experiments import StartedDocument
from reward_llm.store import schedules
from reward_llm.store.activating import put_into_force, take_out_of_force
from reward_llm.store.database import Repository
from reward_llm.store.ledger import claimed
from reward_llm.store.loop import changed, record_in, to_be_changed
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried
from reward_llm.store.writing import Writing


class SqlTrials(Repository):
    """A `reward_llm.domain.ports.experiments.Trials` in a SQL database."""

    @to_the_end
    @retried
    async def start(
        self,
        before: LoopRecord,
        treatment: str,
        percent: float,
        document: StartedDocument,
        act: Act,
        admission: Admission,
        claim: IdempotencyClaim | None = None,
    ) -> LoopRecord:
        """Put the treatment into force, and have the record say so."""
        done = f"{before.kind.value}.started"
        async with self._database.writing(act) as writing:
            connection = writing.connection
            if known := await claimed(connection, claim, done):
                return await record_in(connection, before.kind, known)
            now = await to_be_changed(connection, before, ExperimentState.RUNNING)
            begins = await schedules.now_in(connection, now.scope, act.at)
            control = await schedules.active_policy(connection, now.scope, begins)
            activation = await put_into_force(
                _for_experiment(writing, now), treatment, Window(), admission, percent=percent
            )
            return await changed(writing, now, done, ExperimentState.RUNNING, document(activation, control), claim)

    @to_the_end
    @retried
    async def end(
        self,
        before: LoopRecord,
        activation: int,
        action: str,
        act: Act,
        admission: Admission,
        *,
        state: str,
        document: Mapping[str, Any],
        claim: IdempotencyClaim | None = None,
    ) -> LoopRecord:
        """Take the treatment out of force if it still is, and have the record say so."""
        done = f"{before.kind.value}.{action}"
        async with self._database.writing(act) as writing:
            connection = writing.connection
            if known := await claimed(connection, claim, done):
                return await record_in(connection, before.kind, known)
            now = await to_be_changed(connection, before, state)
            serving = await schedules.activation(connection, activation)
            if not serving.is_over(act.at):
                await take_out_of_force(_for_experiment(writing, now), serving, admission)
            return await changed(writing, now, done, state, document, claim)


def _for_experiment(writing: Writing, record: LoopRecord) -> Writing:
    """The same transaction, whose audit records name the experiment."""
    act = writing.act
    reason = f"experiment {record.id}" + (f": {act.reason}" if act.reason else "")
    return Writing(writing.connection, replace(act, reason=reason))
