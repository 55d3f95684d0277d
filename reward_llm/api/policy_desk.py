"""A person's hand on the weights: edits and activations, through the same gate as the model's."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import structlog

from reward_llm.api.services import Services
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.policies import EVERYBODY_PERCENT, ActivationRequest, PolicyEdit
from reward_llm.domain.act import Act
from reward_llm.domain.goal import Window
from reward_llm.domain.policy import Activation, RewardPolicy
from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weights import Weights
from reward_llm.errors import GateRefused, InvalidInput, StoreUnavailable, Violation
from reward_llm.validation.text import clean

_log = structlog.get_logger(__name__)


async def edit(services: Services, sent: PolicyEdit, act: Act, claim: IdempotencyClaim | None) -> RewardPolicy:
    """Make a person's weights the scope's next policy.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SegmentUnknown: If the scenario has no such segment.
        GateRefused: If the weights break a bound, a guardrail or the largest step.
        InvalidInput: If no reason is given.
        IdempotencyConflict: If the key came with another request before.
        StoreUnavailable: If it can't be put on record.
    """
    scope = Scope(sent.scenario, sent.segment)
    scenario = find_scenario(services.scenarios, sent.scenario)
    scenario.check_segment(sent.segment)
    reason, _ = clean(sent.reason)
    if not reason.strip():
        raise _invalid("reason", "empty", "say why the weights are what they are")
    if claim is not None and (made := await services.store.edit_of(claim)):
        return made
    await services.board.refresh()
    _pass_gate(services, sent.weights, scope, act.at)
    weights = Weights.rounded({u: sent.weights[u] for u in scenario.utility_names})
    return await services.store.record_edit(scope, weights, replace(act, reason=reason), claim)


async def activate(
    services: Services, policy_id: str, sent: ActivationRequest, act: Act, claim: IdempotencyClaim | None
) -> Activation:
    """Put a policy into force, and the board with it.

    What was in force before may always be again; anything else must still be within a step of what is active
    when it begins.

    Raises:
        PolicyUnknown: If there is no such policy.
        ScenarioUnknown: If its scenario is gone.
        GateRefused: If it is too far from what is active, or weighs other utilities than the scenario has.
        InvalidInput: If the window is over, or not everybody is to get it.
        IdempotencyConflict: If the key came with another request before.
        StoreUnavailable: If it can't be put on record.
    """
    now = act.at
    if sent.percent != EVERYBODY_PERCENT:
        raise _invalid("percent", "unsupported", "policies are served to everybody; only 100 can be activated")
    window = Window(valid_from=sent.valid_from, valid_until=sent.valid_until)
    if window.valid_until is not None and window.valid_until <= now:
        raise _invalid("until", "over", f"the window was over at {window.valid_until.isoformat()}")
    policy = await services.store.policy(policy_id)
    await services.board.refresh()
    scenario = find_scenario(services.scenarios, policy.scope.scenario)
    fits = set(policy.weights) == set(scenario.utility_names)
    if not (fits and services.board.was_activated(policy_id)):
        _pass_gate(services, policy.weights, policy.scope, max(now, window.valid_from or now))
    activation = await services.store.activate(policy_id, window, act, claim)
    await _show(services)
    return activation


def _pass_gate(services: Services, weights: Weights | dict[str, float], scope: Scope, moment: datetime) -> None:
    active = services.board.lookup(scope, moment).policy.weights
    violations = services.gate(weights, services.scenarios[scope.scenario], active)
    if violations:
        raise GateRefused(
            "the weights don't pass the gate: " + "; ".join(map(str, violations)), violations=violations
        )


async def _show(services: Services) -> None:
    try:
        await services.board.refresh()
    except StoreUnavailable as exc:
        _log.warning("board.late", error=exc.message)


def _invalid(path: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(message, violations=[Violation(path=path, code=code, message=message)])
