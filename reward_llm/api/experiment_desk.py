"""Asking for experiments, from documents."""

from __future__ import annotations

from reward_llm.api.access.permissions import Caller
from reward_llm.api.context import Context
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.experiments import ExperimentRequest
from reward_llm.api.writes import Write
from reward_llm.domain.experiments import Experiment, Size, SizeQuestion
from reward_llm.domain.ports.experiments import Experiments
from reward_llm.errors import MetricsUnavailable


def experiments_of(here: Context) -> Experiments:
    """What runs experiments here.

    Raises:
        MetricsUnavailable: If nothing does.
    """
    if here.services.experiments is None:
        raise MetricsUnavailable(
            "this service runs no experiments: it keeps no metrics of events",
            hint="Install 'reward-llm[metrics]', and with a broker ask the service that has REWARD_LLM_METRICS_DIR.",
        )
    return here.services.experiments


async def create(here: Context, caller: Caller, write: Write) -> Experiment:
    """Put a plan on record, in the scope of the policy that it tries.

    Raises:
        PolicyUnknown: If there is no such policy.
        Forbidden: If the caller may not do that in its scenario.
        ExperimentInvalid: If it can't be run so.
        IdempotencyConflict: If the key came with another request before.
        MetricsUnavailable: If no experiments are run here.
        StoreUnavailable: If it can't be put on record.
    """
    sent = write.sent(ExperimentRequest)
    treatment = await here.services.store.policy(sent.treatment)
    caller.require(treatment.scope.scenario)
    return await experiments_of(here).create(sent.plan(treatment.scope), write.saying(sent.reason), write.claim)


async def size(here: Context, question: SizeQuestion) -> Size:
    """How long an experiment has to run.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SegmentUnknown: If the scenario has no such segment.
        ExperimentInvalid: If that can't be told.
        MetricsUnavailable: If no experiments are run here, or the events can't be read.
    """
    scope = question.scope
    find_scenario(here.services.scenarios, scope.scenario).check_segment(scope.segment)
    return await experiments_of(here).size(question)
