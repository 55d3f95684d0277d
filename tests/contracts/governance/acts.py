"""What people do, as the contract has it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from reward_llm.domain.act import Act
from reward_llm.domain.activation import Activation
from reward_llm.domain.admission import Admission
from reward_llm.domain.goal import Goal, Window
from reward_llm.domain.interpretation import Decision, Interpretation
from reward_llm.domain.lifecycle import PolicyState, Verdict, state_of
from reward_llm.domain.policy import Proposal, RewardPolicy, Source
from reward_llm.domain.ports import Governance, IdempotencyClaim, Store
from reward_llm.domain.review import Review
from reward_llm.domain.review_rules import ReviewRules
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weights import Weights
from reward_llm.validation import gate
from tests.activations import ALL, NOON, at, moment
from tests.strategies import HOME_FEED

ANN, BO, CY = (Act(actor=name, at=NOON, reason=f"{name} says so") for name in ("ann", "bo", "cy"))
CLAIM = IdempotencyClaim(key="key-1", request_hash="a" * 64)
OTHER_REQUEST = IdempotencyClaim(key="key-1", request_hash="b" * 64)


def admission(**rules: Any) -> Admission:
    return Admission(scenario=replace(HOME_FEED, review=ReviewRules(**rules)), gate=gate.check)


FREE, ONE, TWO = admission(), admission(approvals=1), admission(approvals=2)
NARROW = Admission(
    scenario=replace(HOME_FEED, guardrails=replace(HOME_FEED.guardrails, max_step=0.25)), gate=gate.check
)

RENAMED = Admission(
    scenario=replace(HOME_FEED, utilities=(replace(HOME_FEED.utilities[0], name="taps"), *HOME_FEED.utilities[1:])),
    gate=gate.check,
)


def weights(gmv: float = 0.2) -> Weights:
    """The defaults, with clicks given for or taken from gmv."""
    return Weights.rounded({**HOME_FEED.defaults, "gmv": gmv, "click": 0.45 - gmv})


def later(minutes: float, act: Act = ANN) -> Act:
    return replace(act, at=moment(minutes))


def window(start: float | None = None, end: float | None = None) -> Window:
    return Window(valid_from=at(start), valid_until=at(end))


async def edited(store: Store, scope: Scope = ALL, gmv: float = 0.2, act: Act = ANN) -> RewardPolicy:
    return await store.record_edit(scope, weights(gmv), act=act)


async def proposed(store: Store, review: Review | None = None) -> RewardPolicy:
    goal = Goal(id="goal_1", scope=ALL, text="more", submitted_at=NOON, submitted_by="cy")
    await store.record_goal(goal)
    reading = Interpretation(decision=Decision.PROPOSE)
    proposal = Proposal(interpretation=reading, weights=weights(0.3), source=Source.VLLM, review=review)
    record = await store.record_proposal("goal_1", proposal, NOON)
    assert record.policy is not None
    return record.policy


async def state(governance: Governance, policy: RewardPolicy, minutes: float = 0) -> PolicyState:
    return state_of(await governance.standing(policy.policy_id, moment(minutes)), moment(minutes))


async def approve(governance: Governance, policy: RewardPolicy, *acts: Act, rules: Admission = ONE) -> None:
    for act in acts:
        await governance.decide(policy.policy_id, policy.content_hash, Verdict.APPROVE, act, rules)


async def activate(
    governance: Governance, policy: RewardPolicy, act: Act = ANN, rules: Admission = FREE, **more: Any
) -> Activation:
    made = more.pop("window", Window())
    return await governance.activate(policy.policy_id, made, act, rules, **more)


async def served(governance: Governance, minutes: float, scope: Scope = ALL) -> list[str]:
    found = await governance.scope(scope, moment(minutes))
    return [a.policy.policy_id for a in found.stack]


async def actions(store: Store) -> list[str]:
    return [record.action for record in reversed(await store.audit(limit=200))]
