from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from ranker.actor import Actor
from ranker.bench.control import VALUES
from ranker.bench.ground import learned_ground
from ranker.bench.problem import Effort
from ranker.bench.report import QUICK, BenchConfig, BenchReport, bench
from ranker.bench.separable import CASES, SHAPE, save_actor
from ranker.checkpoint import SAMPLE, Checkpoint
from ranker.errors import LogInvalid, ModelInvalid
from ranker.features import shipped_spec
from ranker.training.journal import TrainingProgress
from ranker.training.pipeline import train
from tests.ranker.model.cases import SMALL
from tests.ranker.training.logs import small_log, small_recipe

TINY = BenchConfig(
    small=(1, 0), large=(1, 0), learned=(1, 1), effort=Effort(), learned_effort=Effort(), sweep=4, calls=3
)
Benched = tuple[BenchReport, list[TrainingProgress]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoint")
    train(small_log(), shipped_spec(), small_recipe(), folder)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        save_actor(Actor(SHAPE, SMALL), folder / CASES)
    return folder


@pytest.fixture(scope="module")
def benched(trained: Path) -> Benched:
    seen: list[TrainingProgress] = []
    return bench(trained, TINY, on_progress=seen.append), seen


def test_a_bench_answers_all_questions_and_fits_into_json(
    benched: Benched,
) -> None:
    report, _ = benched
    assert [(one.candidates, one.size) for one in report.optimum[:2]] == [(10, 5), (50, 10)]
    assert [one.problems for one in report.optimum] == [1, 1, 8]
    assert all({"actor", "scorer", "greedy"} <= {who.name for who in one.contestants} for one in report.optimum)
    assert [len(sweep.achieved) for sweep in report.control] == [VALUES] * 7
    assert report.latency is not None
    assert report.latency.calls == 3
    assert report.missing == ()
    document = report.document()
    assert json.loads(json.dumps(document, allow_nan=False)).keys() == document.keys()


def test_every_part_says_how_far_it_is(benched: Benched) -> None:
    _, seen = benched
    last = {progress.name: (progress.step, progress.steps) for progress in seen}
    assert last == {
        "optimum 10 → 5": (1, 1),
        "optimum 50 → 10": (1, 1),
        "optimum by the evaluator": (8, 8),
        "control": (7, 7),
    }


def test_the_slates_that_are_found_are_the_same_every_time(trained: Path, benched: Benched) -> None:
    first, again = benched[0], bench(trained, TINY)
    assert first.control == again.control
    for one, other in zip(first.optimum, again.optimum, strict=True):
        assert [who.over for who in one.contestants] == [who.over for who in other.contestants]


def test_a_checkpoint_without_an_actor_for_closed_form_says_what_is_missing(trained: Path, tmp_path: Path) -> None:
    Checkpoint.load(trained).save(tmp_path)
    report = bench(tmp_path, TINY, trained / SAMPLE)
    assert [one.name for one in report.optimum] == ["optimum by the evaluator"]
    assert "closed form" in report.missing[0]


def test_what_can_not_be_benched_is_refused(trained: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid):
        bench(tmp_path, TINY)
    with pytest.raises(LogInvalid):
        bench(trained, TINY, tmp_path / "nowhere.parquet")


def test_the_quick_bench_does_less_of_everything() -> None:
    whole = BenchConfig()
    for name in ("small", "large", "learned"):
        assert sum(getattr(QUICK, name)) < sum(getattr(whole, name))
    assert QUICK.sweep < whole.sweep
    assert QUICK.effort.cp_sat_s == 0


def test_a_log_and_an_evaluator_are_ground_to_train_on(trained: Path) -> None:
    checkpoint = Checkpoint.load(trained)
    ground = learned_ground(checkpoint, small_log(), held=5, size=4)
    assert ground.held.requests.B == 5
    assert ground.held.shown_BN is not None
    assert small_log().num_rows >= ground.lessons.requests.B + 5
    assert ground.shape == checkpoint.actor.shape
