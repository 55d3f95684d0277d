from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranker.errors import ValueOutOfRange
from ranker.training.config import ActorTraining, EvaluatorTraining, Schedule
from ranker.training.pace import (
    ACTOR_SHARE,
    EVALUATOR_SHARE,
    MOST_EPOCHS,
    Pace,
    Steps,
    most_evaluator_steps,
    steps_in,
)
from ranker.training.recipe import PipelineConfig

paces = st.builds(Pace, start_s=st.floats(0, 20), step_s=st.floats(1e-3, 5))
minutes = st.floats(0.1, 60)


@given(minutes=minutes, evaluator=paces, actor=paces, most=st.integers(1, 10_000))
def test_the_steps_fit_into_the_time_unless_they_are_the_fewest(
    minutes: float, evaluator: Pace, actor: Pace, most: int
) -> None:
    steps = steps_in(minutes, evaluator, actor, most_evaluator=most)
    assert 1 <= steps.evaluator <= most
    used_s = evaluator.time_s(steps.evaluator)
    if steps.evaluator > 1:
        assert used_s <= 60 * minutes * EVALUATOR_SHARE * (1 + 1e-9)
    if steps.evaluator > 1 and steps.actor > 1:
        assert used_s + actor.time_s(steps.actor) <= 60 * minutes * (EVALUATOR_SHARE + ACTOR_SHARE) * (1 + 1e-9)


@given(minutes=minutes, evaluator=paces, actor=paces)
def test_one_step_more_of_the_actor_would_be_too_long(minutes: float, evaluator: Pace, actor: Pace) -> None:
    steps = steps_in(minutes, evaluator, actor, most_evaluator=10**9)
    left_s = max(0.0, 60 * minutes * EVALUATOR_SHARE - evaluator.time_s(steps.evaluator))
    assert actor.time_s(steps.actor + 1) > (60 * minutes * ACTOR_SHARE + left_s) * (1 - 1e-9)


@pytest.mark.parametrize("minutes", [0.0, -1.0, math.nan, math.inf])
def test_no_time_at_all_is_refused(minutes: float) -> None:
    pace = Pace(start_s=1, step_s=1)
    with pytest.raises(ValueOutOfRange):
        steps_in(minutes, pace, pace, most_evaluator=10)


def test_the_evaluator_sees_no_list_more_often_than_it_should() -> None:
    training = EvaluatorTraining(schedule=Schedule(batch=64), hold_back=0.2)
    assert most_evaluator_steps(6_400, training) * 64 / (6_400 * 0.8) == pytest.approx(MOST_EPOCHS)


def test_shorter_runs_keep_the_share_of_their_warm_start_and_report_ten_times() -> None:
    actor = ActorTraining(schedule=Schedule(steps=500), warm_start_steps=100, teacher_lists=512)
    whole = PipelineConfig(actor_training=actor)
    short = whole.for_steps(Steps(evaluator=40, actor=20))
    assert (short.actor_training.warm_start_steps, short.actor_training.teacher_lists) == (4, 4 * 64)
    assert (short.actor_training.schedule.report_every, short.evaluator_training.schedule.report_every) == (2, 4)
    own = Steps(evaluator=whole.evaluator_training.schedule.steps, actor=500)
    assert whole.for_steps(own) == whole
