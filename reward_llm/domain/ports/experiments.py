"""Who runs experiments, who puts their treatments into force, and who knows what their units did."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias

from reward_llm.domain.act import Act
from reward_llm.domain.activation import Activation
from reward_llm.domain.admission import Admission
from reward_llm.domain.experiments import (
    ArmSums,
    Experiment,
    ExperimentPlan,
    ExperimentState,
    Size,
    SizeQuestion,
    Sums,
    SumsQuestion,
)
from reward_llm.domain.loop import LoopRecord
from reward_llm.domain.metrics import Metric
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports.records import IdempotencyClaim, Page
from reward_llm.domain.scenario import Scope


class ExperimentData(Protocol):
    """What units did, from the log of events. All raises MetricsUnavailable if that can't be read now."""

    @property
    def kept(self) -> timedelta:
        """How far back events reach."""
        ...

    async def sums(self, question: SumsQuestion) -> Sums:
        """The sums of both arms."""
        ...

    async def traffic(self, scope: Scope, metric: Metric, since: datetime, until: datetime) -> ArmSums:
        """The sums of all units that were shown something in (since, until], whatever policy it was by."""
        ...


StartedDocument: TypeAlias = Callable[[Activation, RewardPolicy | None], Mapping[str, Any]]
"""What the record of an experiment says once its treatment is in force, over a control that is None for the defaults.

It raises what there is against the control.
"""


class Trials(Protocol):
    """Experiments' treatments and the records that tell of them, changed together or not at all.

    All raises LoopRecordUnknown if there is no such record, PreconditionFailed if somebody has changed it since it
    was `before`, IdempotencyConflict if the claim's key came with another request before, and StoreUnavailable if
    that can't be put on record. Where the key stands for it already, the record is given as it is now.
    """

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
        """Put a policy into force for a share of the units, under the rules of `Governance.activate`.

        Raises:
            ExperimentUnderway: If another one has units of the scope.
            Conflict: If the policy may not be in force.
            GateRefused: If the gate refuses it over what is in force.
        """
        ...

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
        """Take the treatment out of force, if it still is; `action`, `state` and `document` are the record's.

        Raises:
            ScheduleConflict: If others were admitted over it, and are too far from what holds without it.
        """
        ...


class Experiments(Protocol):
    """Experiments, from their plan to what came of them.

    What is done raises LoopRecordUnknown if there is no such experiment, IdempotencyConflict if the claim's key came
    with another request before, PreconditionFailed if somebody changes the experiment meanwhile, and StoreUnavailable
    if that can't be put on record.
    """

    async def create(self, plan: ExperimentPlan, act: Act, claim: IdempotencyClaim | None = None) -> Experiment:
        """Put a plan on record; nothing is served by it yet.

        Raises:
            ExperimentInvalid: If it can't be run so.
            PolicyUnknown: If there is no such policy.
        """
        ...

    async def start(self, experiment_id: str, act: Act, claim: IdempotencyClaim | None = None) -> Experiment:
        """Serve the treatment to its share of the units, under the same rules as any activation.

        Raises:
            ExperimentOver: If it was started before.
            ExperimentInvalid: If the policy is in force for everybody.
            Conflict: If another one has units of the scope, or the policy may not be in force.
            GateRefused: If the policy doesn't pass the gate over what is in force.
        """
        ...

    async def stop(self, experiment_id: str, act: Act, claim: IdempotencyClaim | None = None) -> Experiment:
        """End it, and serve the control to everybody.

        Raises:
            ExperimentOver: If it is over.
        """
        ...

    async def experiment(self, experiment_id: str) -> Experiment:
        """One, with all of its looks."""
        ...

    async def experiments(
        self,
        *,
        scenarios: Collection[str] | None = None,
        states: Collection[ExperimentState] | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Experiment]:
        """Experiments, newest first, each with its last look at most."""
        ...

    async def size(self, question: SizeQuestion) -> Size:
        """How long an experiment has to run.

        Raises:
            ExperimentInvalid: If that can't be told from what is known.
            MetricsUnavailable: If events are needed for it, and can't be read.
        """
        ...

    async def look(self) -> None:
        """Take all looks that are due, and do what they come to."""
        ...
