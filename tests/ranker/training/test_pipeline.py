from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from ranker.checkpoint import CARD, FEATURES, NETWORKS, REPORT, SAMPLE, Checkpoint
from ranker.data import read_log, split_by_time
from ranker.errors import LogInvalid, RankerError, UtilityUnknown, ValueOutOfRange
from ranker.features import FeatureSpec, shipped_spec
from ranker.training.journal import TrainingProgress, read_journal
from ranker.training.pace import Steps
from ranker.training.pipeline import CURVES, PLAN, run_folder, train
from ranker.training.recipe import PipelineConfig
from ranker.training.report import PipelineReport
from tests.ranker.training.logs import small_log, small_recipe

Progress = Callable[[TrainingProgress], None]


class BrokenOff(Exception):
    pass


def breaking_at(name: str, step: int) -> Progress:
    def watch(progress: TrainingProgress) -> None:
        if (progress.name, progress.step) == (name, step):
            raise BrokenOff

    return watch


def parameters(folder: Path) -> dict[str, torch.Tensor]:
    checkpoint = Checkpoint.load(folder)
    return {
        f"{name}.{key}": value
        for name, network in (("actor", checkpoint.actor), ("evaluator", checkpoint.evaluator))
        for key, value in network.state_dict().items()
    }


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PipelineReport]:
    folder = tmp_path_factory.mktemp("trained")
    return folder, train(small_log(), shipped_spec(), small_recipe(), folder, source="A small log")


def test_a_log_becomes_a_checkpoint_with_its_report_card_sample_and_curves(
    trained: tuple[Path, PipelineReport],
) -> None:
    folder, report = trained
    csvs = {"evaluator.csv", "actor.csv"}
    assert {file.name for file in folder.iterdir()} == {NETWORKS, FEATURES, REPORT, CARD, SAMPLE, CURVES} | csvs
    checkpoint = Checkpoint.load(folder)
    assert checkpoint.utilities == checkpoint.objective().utilities.names == report.config.utilities
    assert report.parameters["actor"] == sum(p.numel() for p in checkpoint.actor.parameters())
    assert (report.config.size, report.config.evaluator.usual_slate, report.assessment.size) == (4, 4, 4)
    assert [row["step"] for row in read_journal(folder / "evaluator.csv")] == ["2", "4", "6"]
    assert [row["step"] for row in read_journal(folder / "actor.csv")] == ["2", "4"]
    assert (report.resumed_at, set(report.elapsed_s)) == (
        {"evaluator": 0, "actor": 0},
        {"timing", "evaluator", "ranges", "actor", "assessment"},
    )


def test_the_report_is_json_and_the_card_says_the_same(trained: tuple[Path, PipelineReport]) -> None:
    folder, report = trained

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    read = json.loads((folder / REPORT).read_text(), parse_constant=refuse)
    assert read["assessment"]["evaluator"]["click_auc"] == report.assessment.evaluator.click_auc
    assert read["config"]["actor_training"]["schedule"]["steps"] == 4
    card = (folder / CARD).read_text()
    assert f"| {report.assessment.actor[0].actor:.4f} | {report.assessment.actor[0].greedy:.4f} |" in card
    assert f"A small log: {report.log.trained} lists to learn from and {report.log.assessed} later ones" in card
    assert "{" not in card


def test_the_sample_is_of_lists_that_nothing_was_fitted_to(trained: tuple[Path, PipelineReport]) -> None:
    folder, report = trained
    sample = read_log(folder / SAMPLE)
    times = sample.column("timestamp").to_pylist()
    earlier, later = split_by_time(small_log(), (0.85, 0.15), gap_s=86_400)
    assert (sample.num_rows, report.log.trained, report.log.assessed) == (12, earlier.num_rows, later.num_rows)
    assert times == sorted(times)
    assert set(sample.column("request_id").to_pylist()) <= set(later.column("request_id").to_pylist())
    assert min(times) > max(earlier.column("timestamp").to_pylist()) + 86_400


def test_what_came_of_the_later_lists_changes_no_network(
    trained: tuple[Path, PipelineReport], tmp_path: Path
) -> None:
    folder, report = trained
    log = small_log().sort_by("timestamp")
    is_later = np.arange(log.num_rows) >= log.num_rows - report.log.assessed
    clicks = [[not hit for hit in row] if late else row
              for row, late in zip(log.column("click").to_pylist(), is_later, strict=True)]  # fmt: skip
    place = log.column_names.index("click")
    changed = log.set_column(place, "click", pa.array(clicks, pa.list_(pa.bool_())))
    other = train(changed, shipped_spec(), small_recipe(), tmp_path)
    assert same(parameters(folder), parameters(tmp_path))
    assert other.assessment.evaluator.click_log_loss != report.assessment.evaluator.click_log_loss


@pytest.mark.parametrize(("network", "step", "kept"), [("evaluator", 5, (4, 0)), ("actor", 3, (6, 2))])
def test_a_run_that_was_broken_off_ends_like_one_that_was_not(
    trained: tuple[Path, PipelineReport], network: str, step: int, kept: tuple[int, int], tmp_path: Path
) -> None:
    folder, whole = trained
    log, spec, config = small_log(), shipped_spec(), small_recipe()
    with pytest.raises(BrokenOff):
        train(log, spec, config, tmp_path, breaking_at(network, step))
    assert not (tmp_path / NETWORKS).exists()
    steps: list[tuple[str, int]] = []
    report = train(log, spec, config, tmp_path, lambda progress: steps.append((progress.name, progress.step)))
    assert report.resumed_at == dict(zip(("evaluator", "actor"), kept, strict=True))
    wanted = [("evaluator", s) for s in range(kept[0] + 1, 7)] + [("actor", s) for s in range(kept[1] + 1, 5)]
    assert [one for one in steps if one[0] != "assessment"] == wanted
    assert same(parameters(folder), parameters(tmp_path))
    assert report.assessment == whole.assessment
    assert (tmp_path / "actor.csv").read_text() == (folder / "actor.csv").read_text()


def test_another_log_spec_or_config_is_another_run(tmp_path: Path) -> None:
    log, spec, config = small_log(), shipped_spec(), small_recipe()
    other_spec = FeatureSpec.parse("{version: 1, item: {shared: [{name: price, kind: numeric}]}}")
    folders = {
        run_folder(tmp_path, log, spec, config),
        run_folder(tmp_path, small_log(seed=1), spec, config),
        run_folder(tmp_path, log, other_spec, config),
        run_folder(tmp_path, log, spec, dataclasses.replace(config, seed=1)),
    }
    assert len(folders) == 4
    assert run_folder(tmp_path, pa.table(log.columns, log.column_names), spec, config) in folders


def ticking(step_s: float) -> Callable[[], float]:
    ticks: Iterator[int] = count()
    return lambda: step_s * next(ticks)


def test_minutes_become_steps_once_and_a_resumed_run_keeps_them(tmp_path: Path) -> None:
    log, spec = small_log(), shipped_spec()
    config = dataclasses.replace(small_recipe(), minutes=1.0)
    with pytest.raises(BrokenOff):
        train(log, spec, config, tmp_path, breaking_at("actor", 1), clock=ticking(3.0))
    plan = run_folder(tmp_path, log, spec, config) / PLAN
    planned = Steps(**json.loads(plan.read_text()))
    assert 1 <= planned.evaluator <= 0.25 * 60 / 3
    assert planned.evaluator < planned.actor <= (0.65 + 0.25) * 60 / 3
    report = train(log, spec, config, tmp_path, clock=ticking(100.0))
    steps = (report.config.evaluator_training.schedule.steps, report.config.actor_training.schedule.steps)
    assert steps == (planned.evaluator, planned.actor)


def test_some_of_the_utilities_in_another_order_are_trained_as_they_were_named(tmp_path: Path) -> None:
    names = ("diversity", "click")
    report = train(
        small_log(), shipped_spec(), dataclasses.replace(small_recipe(2, 2), utilities=names, size=3), tmp_path
    )
    checkpoint = Checkpoint.load(tmp_path)
    assert (checkpoint.utilities, checkpoint.actor.shape.utilities, report.config.size) == (names, 2, 3)
    assert [scores.weights for scores in report.assessment.actor] == ["drawn", "equal", *names]


def test_logs_without_purchases_and_returns_have_no_scores_of_them(tmp_path: Path) -> None:
    log = small_log()
    purchases = pa.array([[False] * 4] * log.num_rows)
    log = log.set_column(log.column_names.index("purchase"), "purchase", purchases)
    log = log.set_column(log.column_names.index("returned"), "returned", pa.array([False] * log.num_rows))
    report = train(log, shipped_spec(), small_recipe(2, 2), tmp_path)
    assert math.isnan(report.assessment.evaluator.purchase_auc)
    assert json.loads((tmp_path / REPORT).read_text())["assessment"]["evaluator"]["retention_auc"] is None
    assert "| purchase: area under the curve | – |" in (tmp_path / CARD).read_text()
    assert report.log.trained + report.log.assessed == log.num_rows


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"utilities": ("click", "joy")}, UtilityUnknown, "joy"),
        ({"gap_s": 40 * 86_400}, LogInvalid, "smaller gap"),
        ({"minutes": -1.0}, ValueOutOfRange, "-1.0 minutes"),
    ],
)
def test_what_cannot_be_trained_is_refused(
    changes: dict[str, object], error: type[RankerError], message: str, tmp_path: Path
) -> None:
    with pytest.raises(error) as caught:
        train(small_log(), shipped_spec(), dataclasses.replace(small_recipe(), **changes), tmp_path)
    assert message in f"{caught.value.message} {caught.value.hint}"


def test_a_log_of_few_lists_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LogInvalid, match="99 lists"):
        train(small_log().slice(0, 99), shipped_spec(), small_recipe(), tmp_path)


@pytest.mark.parametrize("changes", [{"test_share": 1.0}, {"sample": 0}, {"size": 51}, {"size": 0}, {"gap_s": -1}])
def test_recipes_out_of_range_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueOutOfRange):
        PipelineConfig(**changes)  # type: ignore[arg-type]
