"""Experiments on record, served and looked at.

plan ─► start: the treatment is put into force for its share of the units, as any policy is
             │ every day
             └─► look ─► wait | hold out | conclude | roll back: the treatment is taken out of force
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Final

import structlog

from reward_llm.domain.act import EXPERIMENTER, Act
from reward_llm.domain.activation import Activation
from reward_llm.domain.admission import Admission
from reward_llm.domain.experiments import (
    LIVE,
    Experiment,
    ExperimentPlan,
    ExperimentState,
    Size,
    SizeQuestion,
)
from reward_llm.domain.loop import LoopKind, LoopRecord
from reward_llm.domain.metrics import DAY
from reward_llm.domain.policy import RewardPolicy, default_policy
from reward_llm.domain.ports import Clock, Governance, IdempotencyClaim, LoopStore, Page, Store, WeightsBoard
from reward_llm.domain.ports.experiments import ExperimentData, Trials
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.serving import Rule
from reward_llm.errors import (
    ExperimentInvalid,
    ExperimentOver,
    RewardLLMError,
    ScenarioUnknown,
    Violation,
)
from reward_llm.loop.experiments.checks import check, check_metric
from reward_llm.loop.experiments.codec import Document, document_of, experiment_of, plan_document
from reward_llm.loop.experiments.looking import Looking
from reward_llm.loop.experiments.planner import size
from reward_llm.loop.experiments.statistics.comparison import spread

KIND: Final = LoopKind.EXPERIMENT
_PAGE: Final = 200
_WEEK: Final = 7 * DAY
_TAKEN_OVER: Final = "activation_changed"
"""Somebody changed what serves the treatment, such as to promote it, and it is theirs from then on."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What experiments work with. `served` has a change of activations served at once."""

    loop: LoopStore
    trials: Trials
    store: Store
    governance: Governance
    board: WeightsBoard
    scenarios: Mapping[str, Scenario]
    admission: Callable[[Scenario], Admission]
    data: ExperimentData
    clock: Clock
    served: Callable[[], Awaitable[None]]

    def rules(self, scenario: str) -> Admission:
        """What the scenario asks of a policy.

        Raises:
            ScenarioUnknown: If there is no such scenario.
        """
        if scenario not in self.scenarios:
            raise ScenarioUnknown(f"there is no scenario {scenario!r}")
        return self.admission(self.scenarios[scenario])


class Laboratory:
    """A `reward_llm.domain.ports.experiments.Experiments`."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._looking = Looking(room.data, room.loop)

    async def create(self, plan: ExperimentPlan, act: Act, claim: IdempotencyClaim | None = None) -> Experiment:
        """Put a plan on record; nothing is served by it yet."""
        room = self._room
        room.rules(plan.scope.scenario).scenario.check_segment(plan.scope.segment)
        check(plan, room.data.kept)
        treatment = await room.store.policy(plan.treatment)
        if treatment.scope != plan.scope:
            message = f"{plan.treatment} is a policy of {treatment.scope}"
            violation = Violation(path="treatment", code="elsewhere", message=message)
            raise ExperimentInvalid(message, violations=[violation])
        document = {"plan": plan_document(plan)}
        return experiment_of(
            await room.loop.create(KIND, plan.scope, ExperimentState.PLANNED.value, document, act, claim)
        )

    async def start(self, experiment_id: str, act: Act, claim: IdempotencyClaim | None = None) -> Experiment:
        """Serve the treatment to its share of the units, under the same rules as any activation."""
        room = self._room
        if known := await room.loop.made_by(KIND, claim, "started"):
            return await self.experiment(known.id)
        record = await room.loop.record(KIND, experiment_id)
        planned = experiment_of(record)
        if planned.state is not ExperimentState.PLANNED:
            raise ExperimentOver(f"{experiment_id} is {planned.state.value}", hint="Plan another one.")
        plan, rules = planned.plan, room.rules(planned.plan.scope.scenario)

        def document(activation: Activation, active: RewardPolicy | None) -> Document:
            control = active or default_policy(rules.scenario, plan.scope.segment, act.at)
            if control.policy_id == plan.treatment:
                raise ExperimentInvalid(f"{plan.treatment} is in force for everybody", hint="Try another policy.")
            return document_of(
                replace(
                    planned,
                    control=control.policy_id,
                    activation=activation.sequence,
                    started_at=activation.start,
                )
            )

        started = await room.trials.start(record, plan.treatment, plan.percent, document, act, rules, claim)
        await room.served()
        return experiment_of(started, await room.loop.entries(experiment_id))

    async def stop(self, experiment_id: str, act: Act, claim: IdempotencyClaim | None = None) -> Experiment:
        """End it, and serve the control to everybody."""
        if known := await self._room.loop.made_by(KIND, claim, "stopped"):
            return await self.experiment(known.id)
        record = await self._room.loop.record(KIND, experiment_id)
        experiment = experiment_of(record)
        if experiment.state is not ExperimentState.PLANNED and experiment.state not in LIVE:
            raise ExperimentOver(f"{experiment_id} is {experiment.state.value}")
        stopped = replace(experiment, state=ExperimentState.STOPPED, ended_at=act.at, outcome="stopped")
        return await self._withdrawn(record, stopped, "stopped", act, claim)

    async def experiment(self, experiment_id: str) -> Experiment:
        """One, with all of its looks."""
        record = await self._room.loop.record(KIND, experiment_id)
        return experiment_of(record, await self._room.loop.entries(experiment_id))

    async def experiments(
        self,
        *,
        scenarios: Collection[str] | None = None,
        states: Collection[ExperimentState] | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Experiment]:
        """Experiments, newest first, each with its last look at most."""
        loop = self._room.loop
        names = None if states is None else [state.value for state in states]
        page = await loop.records(KIND, scenarios=scenarios, states=names, cursor=cursor, limit=limit)
        items = [experiment_of(record, await loop.last_entries(record.id)) for record in page.items]
        return Page(items=tuple(items), next_cursor=page.next_cursor)

    async def size(self, question: SizeQuestion) -> Size:
        """How long an experiment has to run."""
        check_metric(question.metric)
        given = question.value, question.deviation, question.units_a_week
        value, deviation, units = given
        if value is None or deviation is None or units is None:
            now = self._room.clock()
            found = await self._room.data.traffic(question.scope, question.metric, now - _WEEK, now)
            known = spread(found.moments[question.metric])
            if known is None and (value is None or deviation is None):
                raise ExperimentInvalid(
                    f"no event of the last week tells of {question.metric.value}",
                    hint="Give the value, the deviation and the units a week.",
                )
            value = known[0] if value is None and known else value
            deviation = known[1] if deviation is None and known else deviation
            units = found.units if units is None else units
        return size(question, value or 0.0, deviation or 0.0, units)

    async def look(self) -> None:
        """Take all looks that are due, and do what they come to."""
        live = await self._live()
        await self._room.board.refresh()
        for record in live:
            try:
                await self._looked_at(record)
            except RewardLLMError as exc:
                _log.warning("experiment.not_looked_at", experiment=record.id, code=exc.code, error=exc.message)
            except Exception:  # noqa: BLE001 - others are looked at, and this one the next time
                _log.exception("experiment.look_crashed", experiment=record.id)

    async def _live(self) -> list[LoopRecord]:
        live, loop = [state.value for state in LIVE], self._room.loop
        page = await loop.records(KIND, states=live, limit=_PAGE)
        found = [*page.items]
        while page.next_cursor is not None:
            page = await loop.records(KIND, states=live, cursor=page.next_cursor, limit=_PAGE)
            found += page.items
        return found

    async def _looked_at(self, record: LoopRecord) -> None:
        room, now = self._room, self._room.clock()
        act = Act(actor=EXPERIMENTER, at=now)
        entries = await room.loop.last_entries(record.id)
        experiment = experiment_of(record, entries)
        if reason := await self._interrupted(experiment):
            stopped = replace(experiment, state=ExperimentState.STOPPED, ended_at=now, outcome=reason)
            change = self._changed if reason == _TAKEN_OVER else self._withdrawn
            await change(record, stopped, "stopped", replace(act, reason=reason))
            return
        async for look, then in self._looking.due(experiment, now, entries[-1].number if entries else 0):
            if then is None:
                continue
            is_lost = then.ended_at is not None and then.outcome != "better"
            change = self._withdrawn if is_lost else self._changed
            await change(record, then, then.state.value, replace(act, reason=look.reason))
            record = await room.loop.record(KIND, record.id)

    async def _interrupted(self, experiment: Experiment) -> str:
        """Why nothing can be learned any more: somebody changed what is served."""
        room, plan = self._room, experiment.plan
        activation = await room.governance.activation(experiment.activation or 0)
        own_changes = activation.ended is not None and activation.ended.by == EXPERIMENTER
        if activation.revision > 1 + own_changes:
            return _TAKEN_OVER
        served = room.board.lookup(plan.scope, room.clock())
        is_changed = served.policy_id != experiment.control or served.rule is Rule.FROZEN
        return "control_changed" if is_changed else ""

    async def _withdrawn(
        self, record: LoopRecord, then: Experiment, action: str, act: Act, claim: IdempotencyClaim | None = None
    ) -> Experiment:
        """As `_changed`, with the treatment taken out of force if it still is."""
        room = self._room
        if then.activation is None:
            return await self._changed(record, then, action, act, claim)
        changed = await room.trials.end(
            record,
            then.activation,
            action,
            act,
            room.rules(then.plan.scope.scenario),
            state=then.state.value,
            document=document_of(then),
            claim=claim,
        )
        await room.served()
        return experiment_of(changed, await room.loop.entries(record.id))

    async def _changed(
        self, record: LoopRecord, then: Experiment, action: str, act: Act, claim: IdempotencyClaim | None = None
    ) -> Experiment:
        changed = await self._room.loop.change(
            record, action, act, state=then.state.value, document=document_of(then), claim=claim
        )
        return experiment_of(changed, await self._room.loop.entries(record.id))
