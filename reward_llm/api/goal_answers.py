"""Goals as they are answered: what is on record, what was served then, and how far their policies have come."""

from __future__ import annotations

from collections.abc import Sequence

from reward_llm.api.services import Services
from reward_llm.api.solving_desk import solution_of
from reward_llm.api.standings import policy_wires
from reward_llm.api.wire.goals import GoalWire
from reward_llm.api.wire.solving import SolutionWire
from reward_llm.api.wire.standings import PolicyWire
from reward_llm.domain.goal import GoalState
from reward_llm.domain.policy import RewardPolicy, default_policy
from reward_llm.domain.ports import GoalRecord
from reward_llm.errors import NotFound


async def goal_wires(services: Services, records: Sequence[GoalRecord]) -> list[GoalWire]:
    """The goals with all that became of them.

    Raises:
        StoreUnavailable: If that can't be read.
    """
    policies = [_policy(services, r) for r in records]
    judged = await policy_wires(services, [p for p in policies if p])
    by_id = {p.policy_id: p for p in judged}
    return [_wire(services, r, p, by_id[p.policy_id] if p else None) for r, p in zip(records, policies, strict=True)]


async def goal_wire(services: Services, record: GoalRecord) -> GoalWire:
    """One goal with all that became of it, solved beside its proposal.

    Raises:
        StoreUnavailable: If that can't be read.
    """
    (wire,) = await goal_wires(services, [record])
    solution = await solution_of(services, record)
    return wire.model_copy(update={"solved": SolutionWire.of(solution)}) if solution else wire


def _wire(services: Services, record: GoalRecord, policy: RewardPolicy | None, judged: PolicyWire | None) -> GoalWire:
    previous = policy if record.state is GoalState.NO_CHANGE else _held_before(services, policy)
    scenario = services.scenarios.get(record.goal.scope.scenario)
    return GoalWire.of(record, scenario, policy, previous.weights if previous else None, judged)


def _policy(services: Services, record: GoalRecord) -> RewardPolicy | None:
    """What the goal's proposal became; on no_change what was active, which may have been the defaults."""
    scope = record.goal.scope
    if record.policy is None and record.state is GoalState.NO_CHANGE and scope.scenario in services.scenarios:
        return default_policy(services.scenarios[scope.scenario], scope.segment, record.goal.submitted_at)
    return record.policy


def _held_before(services: Services, policy: RewardPolicy | None) -> RewardPolicy | None:
    """What was in force when the policy was made; None if its scenario or segment is gone."""
    if policy is None:
        return None
    try:
        return services.board.held_at(policy.scope, policy.created_at)
    except NotFound:
        return None
