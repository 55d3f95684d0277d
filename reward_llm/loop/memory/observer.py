"""Looks at what came of goals, once they have been in force for long enough.

activations ─► of a goal? ─► what was predicted, once ─► windows that are over ─► metrics of the policy ─► ledger
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

import structlog

from reward_llm.domain.act import Act
from reward_llm.domain.activation import Activation
from reward_llm.domain.memory import (
    KNOWN,
    Forecaster,
    GoalMemory,
    Observation,
    Tried,
    is_of_a_goal,
    windows_due,
)
from reward_llm.domain.metrics import Estimate, MetricWindow
from reward_llm.domain.ports import Clock, GoalRecord, Governance, Store
from reward_llm.domain.ports.metrics import OnlineMetrics
from reward_llm.domain.scenario import Scope
from reward_llm.errors import GoalUnknown
from reward_llm.loop.memory.ledger import Ledger

ACTOR: Final = "memory"
"""Who the audit log says remembers."""
_log = structlog.get_logger(__name__)


class Observer:
    """Puts down what was predicted of goals' weights, and what came of them.

    Args:
        store: Goals.
        governance: What got into force, and when.
        ledger: Where it is put down.
        online: Metrics of events; None where nobody keeps them, and then nothing is observed.
        forecaster: What predicts; None where nothing does.
        clock: The time.
    """

    def __init__(
        self,
        *,
        store: Store,
        governance: Governance,
        ledger: Ledger,
        online: OnlineMetrics | None,
        forecaster: Forecaster | None,
        clock: Clock,
    ) -> None:
        self._store = store
        self._governance = governance
        self._ledger = ledger
        self._online = online
        self._forecaster = forecaster
        self._clock = clock
        self._heard = 0
        self._watched: dict[int, Activation] = {}

    async def run(self) -> None:
        """Look at every activation that came of a goal and began while events are still known.

        Raises:
            StoreUnavailable: If the database can't be read or written.
            MetricsUnavailable: If metrics can't be read; what was put down before stays.
        """
        now = self._clock()
        await self._hear(now)
        for activation in list(self._watched.values()):
            if activation.was_in_force(now):
                await self._look(activation, now)

    async def _hear(self, now: datetime) -> None:
        """Take note of activations that were made or changed, and let go of those that began too long ago."""
        changes = await self._governance.serving(since=self._heard)
        made = {a.sequence: a for a in changes.activations if is_of_a_goal(a.policy)}
        self._watched = {n: a for n, a in {**self._watched, **made}.items() if a.start > now - KNOWN}
        self._heard = changes.latest

    async def _look(self, activation: Activation, now: datetime) -> None:
        windows = windows_due(activation, now)
        memory = await self._ledger.of(activation.policy.origin)
        policy_id = activation.policy_id
        if memory is None or policy_id not in {t.policy_id for t in memory.tried}:
            memory = await self._open(activation, now)
        if memory is None:
            return
        seen = {(o.activation, o.until) for o in memory.observations}
        for since, until in windows:
            if (activation.sequence, until) not in seen and self._online is not None:
                memory = await self._observe(memory, activation, since, until, self._online)

    async def _open(self, activation: Activation, now: datetime) -> GoalMemory | None:
        policy = activation.policy
        try:
            record: GoalRecord = await self._store.goal(policy.origin)
        except GoalUnknown:
            return None
        predicted = await self._forecaster.forecast(policy.scope, policy.weights) if self._forecaster else None
        tried = Tried(
            policy_id=policy.policy_id, source=policy.source, weights=dict(policy.weights), predicted=predicted
        )
        intents = record.proposal.interpretation.intents if record.proposal else ()
        act = Act(actor=ACTOR, at=now, reason=f"{policy.policy_id} got into force")
        return await self._ledger.open(record.goal.id, policy.scope, intents, tried, act)

    async def _observe(
        self, memory: GoalMemory, activation: Activation, since: datetime, until: datetime, online: OnlineMetrics
    ) -> GoalMemory:
        scope, window = activation.policy.scope, MetricWindow(until - since)
        observation = Observation(
            activation=activation.sequence,
            policy_id=activation.policy_id,
            since=since,
            until=until,
            metrics=await _measured(online, scope, activation.policy_id, window, until),
            before=await _measured(online, scope, None, window, since),
        )
        _log.info("memory.observed", goal_id=memory.goal_id, policy_id=activation.policy_id, window=str(window))
        return await self._ledger.observe(memory, observation, Act(actor=ACTOR, at=self._clock()))


async def _measured(
    online: OnlineMetrics, scope: Scope, policy_id: str | None, window: MetricWindow, until: datetime
) -> dict[str, Estimate]:
    """What any event tells of."""
    report = await online.report(scope, policy_id, window, until)
    return {metric.value: found for metric, found in report.estimates.items() if found.value is not None}
