from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from ranker.config import EvaluatorConfig, InputConfig
from ranker.errors import LogInvalid, ModelInvalid, TrainingFailed
from ranker.objective import Objective
from ranker.training.actor import Lessons, train_actor
from ranker.training.config import ActorTraining, EvaluatorTraining, HealthLimits, Schedule, WeightRanges
from ranker.training.evaluator import train_evaluator
from ranker.training.journal import TrainingProgress, read_journal
from ranker.training.weights import draw_weights
from ranker.utilities import default_utilities
from tests.ranker.model.cases import EXAMINATION, SHAPE, SMALL, logged_lists, random_requests

READER = EvaluatorConfig(input=InputConfig(id_width=2, hidden=16), channel=8, heads=2, slate=8, usual_slate=6)
FORMULAS = Objective(utilities=default_utilities().only(["diversity", "cold_start", "group_order"]))
THREE = dataclasses.replace(SHAPE, utilities=3)


class Broken(Exception):
    """A run that is broken off."""


def break_at(step: int):
    def on_progress(progress: TrainingProgress) -> None:
        if progress.step == step:
            raise Broken

    return on_progress


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory):
    schedule = Schedule(steps=200, batch=48, learning_rate=6e-3, report_every=100)
    folder = tmp_path_factory.mktemp("evaluator")
    return train_evaluator(logged_lists(2_000, 10, 6), SHAPE, READER, EvaluatorTraining(schedule=schedule), folder)


def test_a_trained_evaluator_knows_what_is_clicked_and_bought(trained) -> None:
    _, report = trained
    assert report.click_auc > 0.75
    assert report.purchase_auc > 0.65
    assert report.click_calibration < 0.08


def test_the_examination_falls_as_it_truly_does(trained) -> None:
    _, report = trained
    assert report.examination == pytest.approx(EXAMINATION, abs=0.2)
    assert report.examination[0] == 1
    assert sorted(report.examination, reverse=True) == list(report.examination)


def test_a_trained_evaluator_is_frozen(trained) -> None:
    evaluator, _ = trained
    assert not evaluator.training
    assert not any(parameter.requires_grad for parameter in evaluator.parameters())


def test_an_evaluator_broken_off_ends_where_it_would_have(tmp_path: Path) -> None:
    lists = logged_lists(60, 8, 4)
    training = EvaluatorTraining(schedule=Schedule(steps=6, batch=8, report_every=2))
    whole, _ = train_evaluator(lists, SHAPE, READER, training, tmp_path / "whole")
    with pytest.raises(Broken):
        train_evaluator(lists, SHAPE, READER, training, tmp_path / "parts", break_at(5))
    resumed, _ = train_evaluator(lists, SHAPE, READER, training, tmp_path / "parts")
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))
    assert [line["step"] for line in read_journal(tmp_path / "parts" / "log.csv")] == ["2", "4", "6"]


def test_a_known_propensity_is_the_examination(tmp_path: Path) -> None:
    lists = dataclasses.replace(logged_lists(40, 8, 3), propensity_BN=torch.tensor([[1.0, 0.5, 0.25]]).repeat(40, 1))
    training = EvaluatorTraining(schedule=Schedule(steps=3, batch=8))
    _, report = train_evaluator(lists, SHAPE, READER, training, tmp_path)
    assert report.examination == pytest.approx((1, 0.5, 0.25), abs=1e-4)


def test_too_few_lists_are_refused(tmp_path: Path) -> None:
    with pytest.raises(LogInvalid):
        train_evaluator(logged_lists(3, 8, 3), SHAPE, READER, EvaluatorTraining(), tmp_path)


def lessons(count: int = 80) -> Lessons:
    return Lessons(requests=random_requests(count, 10), shown_BN=torch.arange(4).repeat(count, 1))


def training(steps: int, **changes: object) -> ActorTraining:
    schedule = Schedule(steps=steps, batch=24, learning_rate=5e-3, report_every=max(1, steps // 3))
    base = ActorTraining(schedule=schedule, size=4, warm_start_steps=0, teacher_lists=48, hold_back=0.25, probes=8)
    return dataclasses.replace(base, **changes)


def untrained_reward() -> float:
    """Mean reward of the lists in `lessons`, which show whatever came first."""
    all_of_them = lessons()
    assert all_of_them.shown_BN is not None
    weights_BK = draw_weights(WeightRanges(), 80, 3, torch.Generator().manual_seed(0))
    return FORMULAS.reward(all_of_them.requests, weights_BK, all_of_them.shown_BN[:, None]).mean().item()


def test_reinforcement_alone_learns_to_beat_the_logged_lists(tmp_path: Path) -> None:
    _, report = train_actor(lessons(), THREE, SMALL, training(80), FORMULAS, tmp_path)
    assert report.reward > untrained_reward() + 0.5 * (report.greedy_reward - untrained_reward())
    assert report.beats_logged is not None
    assert report.beats_logged > 0.7
    assert report.distinct > 0.3


@pytest.mark.parametrize(
    "changes",
    [
        {"baseline": "self_critical"},
        {"baseline": "logged"},
        {"reward_to_go": True},
        {"baseline": "self_critical", "reward_to_go": True},
        {"baseline": "logged", "reward_to_go": True, "scale": "none"},
        {"imitation": 0.1},
        {"warm_start_steps": 3},
    ],
    ids=str,
)
def test_every_way_to_train_runs_and_is_the_same_for_the_same_seed(changes: dict, tmp_path: Path) -> None:
    first, report = train_actor(lessons(16), THREE, SMALL, training(4, **changes), FORMULAS, tmp_path / "a")
    second, again = train_actor(lessons(16), THREE, SMALL, training(4, **changes), FORMULAS, tmp_path / "b")
    assert report == again
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_a_warm_start_comes_near_its_teacher(tmp_path: Path) -> None:
    told = training(100, warm_start_steps=100, teacher_lists=200)
    _, report = train_actor(lessons(), THREE, SMALL, told, FORMULAS, tmp_path)
    assert report.reward > untrained_reward() + 0.5 * (report.greedy_reward - untrained_reward())


def test_an_actor_broken_off_ends_where_it_would_have(tmp_path: Path) -> None:
    told = training(9, warm_start_steps=4)
    whole, _ = train_actor(lessons(16), THREE, SMALL, told, FORMULAS, tmp_path / "whole")
    with pytest.raises(Broken):
        train_actor(lessons(16), THREE, SMALL, told, FORMULAS, tmp_path / "parts", break_at(8))
    resumed, _ = train_actor(lessons(16), THREE, SMALL, told, FORMULAS, tmp_path / "parts")
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def test_a_collapsed_run_stops_and_says_so(tmp_path: Path) -> None:
    impatient = HealthLimits(distinct_slates=1.1, patience=2)
    with pytest.raises(TrainingFailed, match="distinct"):
        train_actor(lessons(16), THREE, SMALL, training(6, health=impatient), FORMULAS, tmp_path)
    assert len(read_journal(tmp_path / "log.csv")) == 2


def test_a_learning_rate_that_blows_up_is_noticed(tmp_path: Path) -> None:
    wild = training(60, schedule=Schedule(steps=60, batch=16, learning_rate=1e6, warmup_steps=0, report_every=2))
    with pytest.raises(TrainingFailed):
        train_actor(lessons(16), THREE, SMALL, wild, FORMULAS, tmp_path)


def test_what_can_not_be_trained_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid):
        train_actor(lessons(16), SHAPE, SMALL, training(2), FORMULAS, tmp_path)
    without = Lessons(requests=random_requests(16, 10))
    with pytest.raises(LogInvalid):
        train_actor(without, THREE, SMALL, training(2, baseline="logged"), FORMULAS, tmp_path)
    with pytest.raises(LogInvalid):
        train_actor(lessons(1), THREE, SMALL, training(2), FORMULAS, tmp_path)
