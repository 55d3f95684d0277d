"""What a look comes to, from sums alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from reward_llm.domain.experiments import ArmSums, Decision, Experiment, ExperimentState, Sums
from reward_llm.domain.metrics import Metric
from reward_llm.loop.experiments.decisions import look_at
from tests.loop.experiments.test_statistics import moments
from tests.loop.experiments.worlds import NOON, PLAN

RUNNING = Experiment(
    id="exp_1",
    plan=PLAN,
    state=ExperimentState.RUNNING,
    revision=2,
    created_at=NOON,
    created_by="ann",
    changed_at=NOON,
    started_at=NOON,
)
HELD_OUT = replace(RUNNING, state=ExperimentState.HOLDOUT, held_out_since=3)


def arm(units: int, clicks: float) -> ArmSums:
    draw = np.random.default_rng(units)
    shown = np.full(units, 20.0)
    found = moments(draw.binomial(20, clicks, units).astype(float), shown, np.zeros(units), np.zeros(units))
    return ArmSums(units=units, moments={Metric.CTR: found})


def decided(experiment: Experiment, day: int, control: ArmSums, treatment: ArmSums) -> tuple[Decision, str]:
    sums = Sums(control=control, treatment=treatment)
    look = look_at(experiment, day, NOON + timedelta(days=day), sums, None, {})
    return look.decision, look.reason


@pytest.mark.parametrize(
    ("experiment", "last"), [(RUNNING, 5), (HELD_OUT, 5), (replace(HELD_OUT, held_out_since=4), 6)]
)
def test_arms_of_the_wrong_size_decide_nothing_and_end_as_unclear_on_the_last_day(
    experiment: Experiment, last: int
) -> None:
    arms = arm(2_000, 0.2), arm(1_500, 0.5)
    assert decided(experiment, last - 1, *arms) == (Decision.SAMPLE_RATIO_MISMATCH, "sample_ratio_mismatch")
    assert decided(experiment, last, *arms) == (Decision.CONCLUDE_UNCLEAR, "sample_ratio_mismatch")


@pytest.mark.parametrize(
    ("experiment", "day", "decision"),
    [
        (RUNNING, 2, Decision.WAIT),
        (RUNNING, 3, Decision.HOLD_OUT),
        (RUNNING, 5, Decision.HOLD_OUT),
        (replace(RUNNING, plan=replace(PLAN, holdout_days=0)), 3, Decision.CONCLUDE_BETTER),
        (HELD_OUT, 4, Decision.WAIT),
        (HELD_OUT, 5, Decision.CONCLUDE_BETTER),
    ],
)
def test_a_winner_is_held_out_from_its_first_day_and_then_better(
    experiment: Experiment, day: int, decision: Decision
) -> None:
    assert decided(experiment, day, arm(2_000, 0.2), arm(2_001, 0.5))[0] is decision


@pytest.mark.parametrize(("experiment", "last"), [(RUNNING, 5), (HELD_OUT, 5)])
def test_what_isnt_better_on_its_last_day_is_unclear(experiment: Experiment, last: int) -> None:
    arms = arm(2_000, 0.2), arm(2_000, 0.2)
    assert decided(experiment, last - 1, *arms) == (Decision.WAIT, "")
    assert decided(experiment, last, *arms) == (Decision.CONCLUDE_UNCLEAR, "unclear")
