"""Corrections against the formulas, one line each, and what has to be true of them whatever is observed."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.corrections import BETWEEN, correction, corrections
from reward_llm.domain.memory import Forecast, GoalMemory, Observation, Predicted, Tried
from reward_llm.domain.metrics import Estimate
from reward_llm.domain.scenario import Scope
from reward_llm.domain.source import Source

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
POSITIVE = st.floats(0.01, 100)


def seen(value: float, error: float) -> Estimate:
    return Estimate(value=value, low=value - 1.96 * error, high=value + 1.96 * error, events=1_000)


def remembered(predicted: dict[str, Predicted], observed: dict[str, Estimate], goal: str = "goal_1") -> GoalMemory:
    tried = Tried(
        policy_id="pol_1",
        source=Source.RULES,
        weights={"click": 1.0},
        predicted=Forecast(made_by="s", metrics=predicted),
    )
    look = Observation(activation=1, policy_id="pol_1", since=NOON, until=NOON + WEEK, metrics=observed, before={})
    return GoalMemory(goal_id=goal, scope=Scope("home_feed"), intents=(), tried=(tried,), observations=(look,))


def plainly(pairs: list[tuple[Predicted, Estimate]]) -> tuple[float, float]:
    """The factor and the error of its logarithm, as the formulas are written."""
    d = [math.log(o.value / p.mean) for p, o in pairs]
    v = [((o.high - o.low) / 3.92 / o.value) ** 2 + (p.error / p.mean) ** 2 for p, o in pairs]
    w = [1 / x for x in v]
    wd = [x * y for x, y in zip(w, d, strict=True)]
    q = sum(x * y for x, y in zip(wd, d, strict=True)) - sum(wd) ** 2 / sum(w)
    tau2 = max(0.1**2, (q - (len(d) - 1)) / (sum(w) - sum(x * x for x in w) / sum(w))) if len(d) > 1 else 0.1**2
    u = [1 / (x + tau2) for x in v]
    precision = sum(u) + 1 / 0.1**2
    return math.exp(sum(x * y for x, y in zip(u, d, strict=True)) / precision), precision**-0.5


@pytest.mark.parametrize("goals", [1, 2, 5, 30])
def test_the_factor_is_that_of_the_formulas(goals: int) -> None:
    draw = random.Random(goals)
    pairs = [
        (
            Predicted(mean=draw.uniform(0.1, 0.3), error=draw.uniform(0.001, 0.02)),
            seen(draw.uniform(0.1, 0.5), draw.uniform(0.001, 0.02)),
        )
        for _ in range(goals)
    ]
    found = correction("ctr", pairs)
    assert (found.factor, found.error) == pytest.approx(plainly(pairs), rel=1e-9)
    assert found.goals == goals


def test_one_goal_counts_half_and_many_count_nearly_all() -> None:
    pair = (Predicted(mean=0.1), seen(0.2, 1e-9))
    assert correction("ctr", [pair]).factor == pytest.approx(math.sqrt(2))
    assert correction("ctr", [pair] * 100).factor == pytest.approx(2 ** (100 / 101))


def test_what_is_measured_badly_moves_little() -> None:
    rough, sharp = (correction("ctr", [(Predicted(mean=0.1), seen(0.2, e))]).factor for e in (0.1, 0.001))
    assert 1 < rough < 1.05 < sharp


@given(st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=8), POSITIVE)
def test_units_dont_matter_and_the_factor_lies_between_none_and_the_largest(
    pairs: list[tuple[float, float]], unit: float
) -> None:
    def found(scale: float) -> float:
        return correction(
            "ctr", [(Predicted(mean=p * scale), seen(o * scale, o * scale / 10)) for p, o in pairs]
        ).factor

    ratios = [1.0, *(o / p for p, o in pairs)]
    assert min(ratios) * (1 - 1e-9) <= found(1.0) <= max(ratios) * (1 + 1e-9)
    assert found(unit) == pytest.approx(found(1.0))


def test_a_corrected_prediction_teaches_the_same_as_the_uncorrected_one() -> None:
    observed = {"ctr": seen(0.2, 0.01)}
    bare = remembered({"ctr": Predicted(mean=0.1, error=0.01)}, observed)
    corrected = remembered({"ctr": Predicted(mean=0.15, error=0.015, factor=1.5)}, observed)
    assert corrections([bare])["ctr"].factor == pytest.approx(corrections([corrected])["ctr"].factor)


def test_totals_and_what_nobody_predicted_or_observed_are_left_out() -> None:
    memory = remembered(
        {"ctr": Predicted(mean=0.1), "gmv": Predicted(mean=10.0), "dwell": Predicted(mean=3.0)},
        {"ctr": seen(0.2, 0.01), "gmv": seen(1e6, 1.0), "ndcg": seen(0.5, 0.1)},
    )
    assert set(corrections([memory])) == {"ctr"}


def test_what_has_no_logarithm_teaches_nothing() -> None:
    nothing = Estimate(value=None, low=None, high=None, events=0)
    for predicted, observed in (
        (0.0, seen(0.1, 0.01)),
        (0.1, seen(0.0, 0.0)),
        (-0.1, seen(0.1, 0.01)),
        (0.1, nothing),
    ):
        found = correction("ctr", [(Predicted(mean=predicted), observed)])
        assert (found.factor, found.error, found.goals) == (1.0, pytest.approx(BETWEEN), 0)
