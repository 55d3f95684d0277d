"""Points that a model shares out over utilities, and the weights that they stand for."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from reward_llm.domain.interpretation import Direction, Intent
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weighting import Aims, base_weights
from reward_llm.domain.weights import DECIMALS, Weights
from reward_llm.errors import Violation

MAX_POINTS: Final = 100
"""What one utility may get, and what all get together where weights are written as points."""
_UNIT: Final = 10.0**-DECIMALS
_EPSILON: Final = 1e-9


def shares_of(points: Mapping[str, int]) -> dict[str, float]:
    """Each utility's share of all points, nothing for anybody where there are none.

    >>> shares_of({"click": 30, "gmv": 50})
    {'click': 0.375, 'gmv': 0.625}
    """
    total = sum(points.values())
    return {k: v / total if total else 0.0 for k, v in points.items()}


def points_of(weights: Mapping[str, float]) -> dict[str, int]:
    """Weights as whole points that add up to `MAX_POINTS`, by largest remainder.

    >>> points_of({"click": 0.125, "gmv": 0.375, "retention": 0.5})
    {'click': 13, 'gmv': 37, 'retention': 50}
    """
    exact = {k: v * MAX_POINTS for k, v in weights.items()}
    points = {k: math.floor(v + _EPSILON) for k, v in exact.items()}
    by_remainder = sorted(exact, key=lambda k: (points[k] - exact[k], k))
    for k in by_remainder[: MAX_POINTS - sum(points.values())]:
        points[k] += 1
    return points


def contradictions(
    points: Mapping[str, int], intents: Sequence[Intent], scenario: Scenario, active: Weights
) -> tuple[Violation, ...]:
    """Where the points go another way than the intents; empty when they agree.

    A raised utility's share must lie above its base weight and a lowered one's below, by what a weight's last
    decimal shows; at the end of its bounds it may stay there. Without a single point there is no share at all.
    """
    if not any(points.values()):
        return (Violation(path="weights", code="no_points", message="no utility has a point"),)
    aims = Aims.of(intents, scenario, base_weights(scenario, active))
    return tuple(_contradictions(shares_of(points), intents, aims))


def excesses(
    points: Mapping[str, int], intents: Sequence[Intent], scenario: Scenario, active: Weights
) -> tuple[Violation, ...]:
    """What keeps the points from being the weights as they are: bounds, held floors, the largest step."""
    aims = Aims.of(intents, scenario, base_weights(scenario, active))
    return tuple(_excesses(shares_of(points), aims, active, scenario.guardrails.max_step))


def _excesses(shares: Mapping[str, float], aims: Aims, active: Weights, max_step: float) -> Iterator[Violation]:
    for name, share in shares.items():
        low, high = aims.low[name], aims.high[name]
        if not low - _UNIT <= share <= high + _UNIT:
            yield Violation(
                path=f"weights/{name}", code="bounds", message=f"{share:.2%} is outside {low:.2%} to {high:.2%}"
            )
    distance = active.distance(shares)
    if distance > max_step + len(shares) * _UNIT:
        yield Violation(
            path="weights", code="step", message=f"a step of {distance:.3g}; at most {max_step:g} is allowed at once"
        )


def _contradictions(shares: Mapping[str, float], intents: Sequence[Intent], aims: Aims) -> Iterator[Violation]:
    for intent in intents:
        name, share = intent.utility, shares[intent.utility]
        start = aims.start[name]
        too_low = share < min(start + _UNIT, aims.high[name]) - _EPSILON
        too_high = share > max(start - _UNIT, aims.low[name]) + _EPSILON
        if (intent.direction is Direction.RAISE and too_low) or (intent.direction is Direction.LOWER and too_high):
            yield Violation(
                path=f"weights/{name}",
                code="disagreement",
                message=f"the intent is to {intent.direction} it from {start:.2%}, but its points make {share:.2%}",
            )
