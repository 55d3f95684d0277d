"""The gate: what weights must hold to before anybody may activate them.

It is one for the model's weights, a person's edit and a rollback alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Final

from reward_llm.domain.interpretation import Direction, Interpretation
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weights import DECIMALS, Weights
from reward_llm.errors import Violation

TOLERANCE: Final = 10.0**-DECIMALS
"""Weights are kept to `DECIMALS` decimals; a limit may be missed by one unit of the last."""
_SUM_TOLERANCE: Final = 1e-6


def check(
    weights: Mapping[str, float],
    scenario: Scenario,
    active: Weights,
    interpretation: Interpretation | None = None,
) -> tuple[Violation, ...]:
    """Everything that is wrong with the weights; empty when they may pass.

    Args:
        weights: What is to be served.
        scenario: Gives bounds and guardrails.
        active: The weights in force, from which the step is measured.
        interpretation: The reading that the weights answer, if they answer one.
    """
    shape = tuple(_shape(weights, scenario))
    if shape:
        return shape
    return (
        *_bounds(weights, scenario),
        *_step(weights, scenario, active),
        *_floors(weights, scenario, active, interpretation),
        *_agreement(weights, scenario, active, interpretation),
    )


def _shape(weights: Mapping[str, float], scenario: Scenario) -> Iterator[Violation]:
    known = set(scenario.utility_names)
    for name in sorted(known - set(weights)):
        yield Violation(path=f"weights/{name}", code="missing", message="a weight is missing")
    for name in sorted(set(weights) - known):
        yield Violation(path=f"weights/{name}", code="unknown", message=f"{scenario.name} has no such utility")
    for name, value in weights.items():
        if not math.isfinite(value):
            yield Violation(path=f"weights/{name}", code="not_finite", message=f"{value} isn't a finite number")
    total = math.fsum(v for v in weights.values() if math.isfinite(v))
    if abs(total - 1) > _SUM_TOLERANCE:
        yield Violation(path="weights", code="simplex", message=f"the weights add up to {total:.6g}, not to 1")


def _bounds(weights: Mapping[str, float], scenario: Scenario) -> Iterator[Violation]:
    for u in scenario.utilities:
        value = weights[u.name]
        if not u.bounds.min - TOLERANCE <= value <= u.bounds.max + TOLERANCE:
            yield Violation(
                path=f"weights/{u.name}",
                code="bounds",
                message=f"{value:g} is outside [{u.bounds.min:g}, {u.bounds.max:g}]",
            )


def _step(weights: Mapping[str, float], scenario: Scenario, active: Weights) -> Iterator[Violation]:
    distance = active.distance(weights)
    limit = scenario.guardrails.max_step
    if distance > limit + len(weights) * TOLERANCE:
        yield Violation(
            path="weights",
            code="step",
            message=f"an L1 step of {distance:.3g} from the active weights; at most {limit:g} is allowed at once",
        )


def _floors(
    weights: Mapping[str, float], scenario: Scenario, active: Weights, interpretation: Interpretation | None
) -> Iterator[Violation]:
    asked = {i.utility for i in interpretation.intents if i.direction is Direction.HOLD} if interpretation else set()
    for name in sorted(asked | set(scenario.guardrails.held)):
        floor = min(scenario.utility(name).held_floor, active[name])
        if weights[name] < floor - TOLERANCE:
            yield Violation(
                path=f"weights/{name}",
                code="held",
                message=f"{weights[name]:g} is below its held floor of {floor:g}",
            )


def _agreement(
    weights: Mapping[str, float], scenario: Scenario, active: Weights, interpretation: Interpretation | None
) -> Iterator[Violation]:
    """Weights that go against what the goal was read as: a raised one below, a lowered one above both references."""
    for intent in interpretation.intents if interpretation else ():
        value = weights[intent.utility]
        references = (scenario.defaults[intent.utility], active[intent.utility])
        against = (intent.direction is Direction.RAISE and value < min(references) - TOLERANCE) or (
            intent.direction is Direction.LOWER and value > max(references) + TOLERANCE
        )
        if against:
            yield Violation(
                path=f"weights/{intent.utility}",
                code="disagreement",
                message=f"the goal asks to {intent.direction} it, but it would be {value:g}",
            )
