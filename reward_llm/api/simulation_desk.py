"""From a document to a plan: whose weights each arm of a simulation gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reward_llm.api.context import Context
from reward_llm.api.ranking_desk import given_weights
from reward_llm.api.submissions import find_scenario, goal_of
from reward_llm.api.wire.simulations import ArmRequest, SimulationRequest
from reward_llm.domain.act import Act
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports import Simulator
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.domain.simulation import (
    FULL_SEEDS,
    FULL_USERS,
    QUICK_SEEDS,
    QUICK_USERS,
    ArmOrigin,
    SimulationArm,
    SimulationJob,
    SimulationPlan,
    market_concepts,
    named,
)
from reward_llm.domain.source import Source
from reward_llm.domain.weights import Weights
from reward_llm.errors import PolicyUnknown, SimulationInvalid, SimulatorUnavailable, Violation


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request asks, on what is in force."""

    here: Context
    sent: SimulationRequest
    scenario: Scenario
    active: RewardPolicy
    act: Act


@dataclass(frozen=True, slots=True)
class _Drawn:
    """Weights, and where they came from."""

    weights: Weights
    origin: ArmOrigin
    source: str
    policy_id: str | None = None
    goal: str | None = None


async def start(here: Context, sent: SimulationRequest, act: Act) -> SimulationJob:
    """Have what was sent simulated.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SegmentUnknown: If the scenario has no such segment.
        PolicyUnknown: If there is no such policy.
        WeightsInvalid: If weights can't be used.
        GoalInvalid: If a goal can't be read at all.
        SimulationInvalid: If an arm has more than one kind of weights or a name that another has, or a policy is
            another scenario's.
        SimulatorUnavailable: If nothing is simulated here.
        SimulatorBusy: If too much waits.
    """
    simulator = simulator_of(here)
    scenario = find_scenario(here.services.scenarios, sent.scenario)
    scenario.check_segment(sent.segment)
    _check_arms(sent.arms)
    active = here.services.board.lookup(Scope(sent.scenario, sent.segment), act.at).policy
    asked = _Asked(here, sent, scenario, active, act)
    arms = named([await _arm(asked, place, arm) for place, arm in enumerate(sent.arms)])
    plan = SimulationPlan(
        scenario=sent.scenario,
        segment=sent.segment,
        arms=arms,
        concepts=market_concepts(scenario),
        seeds=sent.seeds or (QUICK_SEEDS if sent.quick else FULL_SEEDS),
        days=sent.days,
        users=QUICK_USERS if sent.quick else FULL_USERS,
    )
    return await simulator.start(plan, act.actor)


def simulator_of(here: Context) -> Simulator:
    """What simulates here.

    Raises:
        SimulatorUnavailable: If nothing does.
    """
    if here.services.simulator is None:
        raise SimulatorUnavailable("this service simulates nothing", hint="Run `reward-llm simulate` instead.")
    return here.services.simulator


def _check_arms(arms: Sequence[ArmRequest]) -> None:
    violations = tuple(_wrong(arms))
    if violations:
        message = "the simulation can't be run: " + "; ".join(map(str, violations))
        raise SimulationInvalid(message, violations=violations)


def _wrong(arms: Sequence[ArmRequest]) -> Iterator[Violation]:
    names = Counter(arm.name for arm in arms if arm.name)
    for place, arm in enumerate(arms):
        if sum(given is not None for given in (arm.policy_id, arm.goal, arm.weights)) > 1:
            message = "name one of policy_id, goal and weights"
            yield Violation(path=f"arms/{place}", code="several", message=message)
        if arm.name and names[arm.name] > 1:
            message = f"another arm is called {arm.name!r} as well"
            yield Violation(path=f"arms/{place}/name", code="twice", message=message)


async def _arm(asked: _Asked, place: int, arm: ArmRequest) -> SimulationArm:
    if arm.policy_id is not None:
        drawn = _of_policy(await _policy(asked, place, arm.policy_id), "policy")
    elif arm.goal is not None:
        drawn = await _of_goal(asked, arm.goal)
    elif arm.weights is not None:
        drawn = _Drawn(given_weights(asked.scenario, arm.weights), "weights", Source.HUMAN.value)
    else:
        drawn = _of_policy(asked.active, "in_force")
    return SimulationArm(
        name=arm.name or "",
        recommender=arm.recommender,
        weights=dict(drawn.weights),
        origin=drawn.origin,
        source=drawn.source,
        policy_id=drawn.policy_id,
        goal=drawn.goal,
    )


async def _policy(asked: _Asked, place: int, policy_id: str) -> RewardPolicy:
    try:
        policy = await asked.here.services.store.policy(policy_id)
    except PolicyUnknown:
        if policy_id not in asked.here.defaults:
            raise
        policy = asked.here.defaults[policy_id]
    if policy.scope.scenario != asked.scenario.name:
        message = f"{policy_id} isn't a policy of {asked.scenario.name}"
        wrong = Violation(path=f"arms/{place}/policy_id", code="elsewhere", message=message)
        raise SimulationInvalid(message, hint=f"It is one of {policy.scope.scenario}'s.", violations=[wrong])
    return policy


def _of_policy(policy: RewardPolicy, origin: ArmOrigin) -> _Drawn:
    return _Drawn(policy.weights, origin, policy.source.value, policy_id=policy.policy_id)


async def _of_goal(asked: _Asked, text: str) -> _Drawn:
    """What the goal is read as, as a submission would be; nothing is put on record."""
    services = asked.here.services
    document = {"scenario": asked.sent.scenario, "segment": asked.sent.segment, "text": text}
    goal, _ = goal_of(
        document,
        scenarios=services.scenarios,
        goal_id=services.new_id(),
        actor=asked.act.actor,
        now=asked.act.at,
    )
    proposal = await services.proposer.propose(goal, asked.scenario, asked.active)
    return _Drawn(proposal.weights, "goal", proposal.source.value, goal=goal.text)
