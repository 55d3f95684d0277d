"""What a controller starts from: the policy in force."""

from __future__ import annotations

from dataclasses import replace

from reward_llm.api.context import Context
from reward_llm.api.services import Services
from reward_llm.domain.act import Act
from reward_llm.domain.control import BasePolicy, Controller, ControllerPlan, Start
from reward_llm.domain.loop import LoopRecord
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports.loop import LoopStore
from reward_llm.domain.scenario import Scope
from reward_llm.domain.source import Source
from reward_llm.errors import ControllerInvalid, ControllerNotReady, StoreUnavailable, Violation


def records_of(here: Context) -> LoopStore:
    """Where controllers are kept.

    Raises:
        StoreUnavailable: If this service keeps none.
    """
    if here.services.controllers is None:
        raise StoreUnavailable("this service keeps no controllers")
    return here.services.controllers


async def in_force(services: Services, scope: Scope, act: Act) -> RewardPolicy:
    """The policy that holds in exactly the scope, for everybody.

    Raises:
        ControllerNotReady: If none does.
        StoreUnavailable: If that can't be read.
    """
    state = await services.governance.scope(scope, act.at)
    winning = next(iter(state.stack), None)
    if winning is None:
        raise ControllerNotReady(
            f"nothing is in force in {scope} that people put there",
            hint="Activate a policy first; the controller moves away from it.",
        )
    if winning.partial:
        raise ControllerNotReady(
            f"{winning.policy_id} holds in {scope} for a part of the units", hint="Wait until that is over."
        )
    return winning.policy


def base_of(policy: RewardPolicy, plan: ControllerPlan, meant: str | None) -> BasePolicy:
    """The policy in force as a controller's base.

    Raises:
        ControllerNotReady: If it isn't the one that was meant, or a controller's own move.
        ControllerInvalid: If its weight lies outside the envelope.
    """
    if meant is not None and meant != policy.policy_id:
        raise ControllerNotReady(f"{policy.policy_id} is in force, not {meant}", hint="Look at the scope again.")
    if policy.source is Source.CONTROLLER:
        raise ControllerNotReady(
            f"{policy.policy_id} is a controller's own move",
            hint="Have its weights reviewed as an edit, or roll back.",
        )
    weight, envelope = policy.weights.get(plan.utility, -1.0), plan.envelope
    if not envelope.min <= weight <= envelope.max:
        message = f"{plan.utility} has {weight:g} now, which must lie in the envelope"
        wrong = Violation(path="envelope", code="outside", message=message)
        raise ControllerInvalid(message, violations=[wrong])
    return BasePolicy(policy_id=policy.policy_id, content_hash=policy.content_hash, weights=policy.weights)


async def start_again(here: Context, record: LoopRecord, controller: Controller, act: Act) -> Controller:
    """The controller from now on, if what is in force is its base or a move of its own.

    Raises:
        ControllerNotReady: If it isn't.
        StoreUnavailable: If that can't be read.
    """
    policy = await in_force(here.services, record.scope, act)
    is_own = (policy.source, policy.origin) == (Source.CONTROLLER, record.id)
    if policy.policy_id != controller.base.policy_id and not is_own:
        raise ControllerNotReady(
            f"{policy.policy_id} is in force, and {record.id} was granted on {controller.base.policy_id}",
            hint="Make a new controller on the policy in force.",
        )
    return started(controller, policy.policy_id, policy.weights[controller.plan.utility], act)


def started(controller: Controller, policy_id: str, weight: float, act: Act) -> Controller:
    """The controller, which runs from now on."""
    return replace(controller, start=Start(at=act.at, policy_id=policy_id, weight=weight), note="")
