"""What a controller may do without asking anew: the weights between the two ends of the envelope that was granted.

The utility's weight moves, and the others share what is left in the proportions of the base policy, each within its
bounds. So an envelope is a line in the space of weights, whose ends are reviewed as any change is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from reward_llm.domain.admission import Admission
from reward_llm.domain.control import BasePolicy, Controller, ControllerPlan
from reward_llm.domain.control_documents import content_hash
from reward_llm.domain.review_rules import Change, Requirement, requirement
from reward_llm.domain.scenario import Bounds, Scenario
from reward_llm.domain.source import Source
from reward_llm.domain.weights import DECIMALS, Weights
from reward_llm.errors import GateRefused, MoveNotGranted, Violation, WeightsInvalid

TOLERANCE: Final = 1.5 * 10.0**-DECIMALS
"""Rounding moves a weight by up to one unit of its last decimal."""
_EXACT: Final = 1e-9
_HALVINGS: Final = 80


def moved(base: Mapping[str, float], utility: str, weight: float, scenario: Scenario) -> Weights:
    """The base's weights with one utility at a weight, and the others scaled alike within their bounds.

    Who is at a bound stays there, and the rest share what is left. A held utility's bound is its held floor, or what
    the base gives it if that is less.

    Raises:
        WeightsInvalid: If the others' bounds don't leave room for that.
    """
    weight = round(weight, DECIMALS)
    others = [name for name in base if name != utility]
    bounds = {name: _bounds(name, base, scenario) for name in others}
    left = 1 - weight
    least, most = sum(b.min for b in bounds.values()), sum(b.max for b in bounds.values())
    if not least - _EXACT <= left <= most + _EXACT:
        raise WeightsInvalid(
            f"with {utility} at {weight:g} the others share {left:.4g}, and their bounds allow {least:g} to {most:g}",
            hint="Narrow the envelope.",
        )
    scale = _scale(base, bounds, left)
    shared = {name: _within(scale * base[name], bounds[name]) for name in others}
    return Weights.rounded({name: weight if name == utility else shared[name] for name in base})


def end_weights(plan: ControllerPlan, base: BasePolicy, scenario: Scenario) -> tuple[Weights, Weights]:
    """The weights at both ends of the envelope.

    Raises:
        WeightsInvalid: If the others' bounds don't leave room for one of them.
    """
    least, most = (moved(base.weights, plan.utility, w, scenario) for w in (plan.envelope.min, plan.envelope.max))
    return least, most


def requirement_of(plan: ControllerPlan, base: BasePolicy, admission: Admission) -> Requirement:
    """The approvals that the plan needs: as many as a change from the base to the end that needs more.

    Raises:
        GateRefused: If one of the ends doesn't pass the gate over the base.
        WeightsInvalid: If the others' bounds don't leave room for one of them.
    """
    scenario = admission.scenario
    ends = end_weights(plan, base, scenario)
    violations = [v for end in ends for v in admission.gate(end, scenario, base.weights)]
    if violations:
        unique = tuple(dict.fromkeys(violations))
        message = "an end of the envelope doesn't pass the gate: " + "; ".join(map(str, unique))
        raise GateRefused(message, hint="Narrow the envelope.", violations=unique)
    changes = [Change(weights=end, active=base.weights, source=Source.CONTROLLER) for end in ends]
    needed = [requirement(scenario.review, change) for change in changes]
    return max(needed, key=lambda r: r.approvals)


def approvers(controller: Controller, author: str) -> tuple[str, ...]:
    """Who approved of exactly this plan on this base; its author only where their own approval counts."""
    about = content_hash(controller.plan, controller.base)
    given = (a.actor for a in controller.approvals if a.content_hash == about)
    return tuple(dict.fromkeys(a for a in given if controller.self_approval or a != author))


def is_granted(controller: Controller, author: str) -> bool:
    """Whether as many approved of it as are needed."""
    return len(approvers(controller, author)) >= controller.needed


def check_covered(controller: Controller, weights: Weights, scenario: Scenario) -> None:
    """Accept weights that lie within what was granted.

    Raises:
        MoveNotGranted: If the utility leaves the envelope, or the others aren't in the base's proportions.
    """
    plan = controller.plan
    weight = weights[plan.utility]
    if not plan.envelope.min - TOLERANCE <= weight <= plan.envelope.max + TOLERANCE:
        raise _outside(plan.utility, f"{weight:g} is outside [{plan.envelope.min:g}, {plan.envelope.max:g}]")
    granted = moved(controller.base.weights, plan.utility, weight, scenario)
    for name, value in weights.items():
        if abs(value - granted[name]) > TOLERANCE:
            raise _outside(name, f"{value:g} isn't its share of the base, {granted[name]:g}")


def _outside(name: str, why: str) -> MoveNotGranted:
    violation = Violation(path=f"weights/{name}", code="ungranted", message=why)
    return MoveNotGranted(f"the move isn't granted: {violation}", violations=[violation])


def _bounds(name: str, base: Mapping[str, float], scenario: Scenario) -> Bounds:
    utility = scenario.utility(name)
    if name not in scenario.guardrails.held:
        return utility.bounds
    return Bounds(min=max(utility.bounds.min, min(utility.held_floor, base[name])), max=utility.bounds.max)


def _scale(base: Mapping[str, float], bounds: Mapping[str, Bounds], left: float) -> float:
    """By what all others are multiplied, before their bounds, so that together they are what is left.

    Their sum rises with the factor, so halving finds it.
    """
    low, high = 0.0, 1.0 / min((base[name] for name in bounds if base[name] > 0), default=1.0)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if sum(_within(middle * base[name], bounds[name]) for name in bounds) < left:
            low = middle
        else:
            high = middle
    return high


def _within(value: float, bounds: Bounds) -> float:
    return min(bounds.max, max(bounds.min, value))
