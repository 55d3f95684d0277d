"""People's work on policies before they are in force: edits, through the same gate as the model's, and decisions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from reward_llm.api.conditions import IfMatch, check_if_match
from reward_llm.api.services import Services
from reward_llm.api.standings import admission
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.policies import PolicyContent, PolicyEdit
from reward_llm.api.wire.standings import DecisionRequest, ReviewRequest, WithdrawalRequest
from reward_llm.api.writes import Write
from reward_llm.domain.lifecycle import Standing, Verdict
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weights import Weights
from reward_llm.errors import GateRefused


async def edit(services: Services, sent: PolicyEdit, condition: IfMatch | None, write: Write) -> RewardPolicy:
    """Make a person's weights the scope's next policy.

    Args:
        services: What the service stands on.
        sent: The weights.
        condition: The newest policy of the scope, as far as the caller knows; None if they don't mind.
        write: Whose edit it is, and its key.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SegmentUnknown: If the scenario has no such segment.
        GateRefused: If the weights break a bound, a guardrail or the largest step.
        InvalidInput: If no reason is given.
        PreconditionFailed: If the scope has a newer policy.
        IdempotencyConflict: If the key came with another request before.
        StoreUnavailable: If it can't be put on record.
    """
    scope = Scope(sent.scenario, sent.segment)
    scenario = find_scenario(services.scenarios, sent.scenario)
    scenario.check_segment(sent.segment)
    act = write.because(sent.reason)
    if write.claim is not None and (made := await services.store.edit_of(write.claim)):
        return made
    await services.board.refresh()
    _pass_gate(services, sent.weights, scope, act.at)
    weights = Weights.rounded({u: sent.weights[u] for u in scenario.utility_names})
    return await services.store.record_edit(
        scope, weights, act, write.claim, guard=partial(_check_newest, condition, dict(weights))
    )


async def request_review(services: Services, policy_id: str, write: Write) -> Standing:
    """Ask for decisions on a policy.

    Raises:
        PolicyUnknown: If there is no such policy.
        Conflict: If it was rejected or withdrawn.
        StoreUnavailable: If it can't be put on record.
    """
    act = write.saying(write.sent(ReviewRequest).comment)
    return await services.governance.request_review(policy_id, act, write.claim)


async def decide(services: Services, policy_id: str, write: Write) -> Standing:
    """Approve or reject exactly the weights that were looked at.

    Raises:
        PolicyUnknown: If there is no such policy.
        Conflict: If it has other weights, is its author's own and those don't count, or was decided on for good.
        InvalidInput: If a rejection has no comment.
        StoreUnavailable: If it can't be put on record.
    """
    sent = write.sent(DecisionRequest)
    verdict = Verdict(sent.decision)
    act = write.saying(sent.comment) if verdict is Verdict.APPROVE else write.because(sent.comment, "comment")
    policy = await services.store.policy(policy_id)
    rules = admission(services, policy.scope.scenario)
    return await services.governance.decide(policy_id, sent.content_hash, verdict, act, rules, write.claim)


async def withdraw(services: Services, policy_id: str, write: Write, *, anybodys: bool) -> Standing:
    """Take a policy back for good; anybody's, if the caller may that.

    Raises:
        PolicyUnknown: If there is no such policy.
        Conflict: If it is somebody else's, in force or decided on.
        InvalidInput: If no reason is given.
        StoreUnavailable: If it can't be put on record.
    """
    act = write.because(write.sent(WithdrawalRequest).reason)
    return await services.governance.withdraw(policy_id, act, anybodys=anybodys, claim=write.claim)


def _pass_gate(services: Services, weights: Mapping[str, float], scope: Scope, moment: datetime) -> None:
    active = services.board.lookup(scope, moment).policy.weights
    violations = services.gate(weights, services.scenarios[scope.scenario], active)
    if violations:
        raise GateRefused(
            "the weights don't pass the gate: " + "; ".join(map(str, violations)), violations=violations
        )


def _check_newest(condition: IfMatch | None, weights: Mapping[str, float], newest: RewardPolicy | None) -> None:
    """Accept an edit of the scope's newest policy as it is on record when the edit is written."""
    current = PolicyContent.of(newest).model_dump(mode="json") if newest else None
    check_if_match(condition, newest.content_hash if newest else None, {"weights": dict(weights)}, current)
