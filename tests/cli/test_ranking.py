"""`reward-llm policies preview` and `reward-llm ranker explain`, over small networks that never learned anything."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.cells import cell_len

from ranker.actor import Actor
from ranker.checkpoint import SAMPLE, Checkpoint, input_shape
from ranker.config import EvaluatorConfig, InputConfig
from ranker.data import GeneratorConfig, generated_log, write_log
from ranker.evaluator import Evaluator
from ranker.features import FeatureEncoder, shipped_spec
from ranker.utilities import UTILITY_NAMES
from reward_llm.cli.ranking_display import interval_bar, movement
from reward_llm.cli.wording import Lang
from tests.cli.conftest import Program
from tests.ranker.model.cases import SMALL
from tests.service import service as running

NOWHERE = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint's folder with a sample of a log."""
    folder = tmp_path_factory.mktemp("ranker") / "checkpoint"
    log = generated_log(GeneratorConfig(lists=30, size=5, fewest_candidates=10, most_candidates=14))
    features = FeatureEncoder.fit(shipped_spec(), log)
    shape = input_shape(features, UTILITY_NAMES)
    torch.manual_seed(0)
    config = EvaluatorConfig(input=InputConfig(hidden=8), channel=8, heads=2)
    evaluator, actor = Evaluator(shape, config).frozen(), Actor(shape, SMALL).eval()
    Checkpoint(actor=actor, evaluator=evaluator, utilities=UTILITY_NAMES, features=features).save(folder)
    write_log(log, folder / SAMPLE)
    return folder


@pytest.fixture(scope="module")
def ranking_service(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int]
) -> Iterator[str]:
    port = unused_tcp_port_factory()
    with running(tmp_path_factory.mktemp("service"), port, backend="rules", ranker_checkpoint=str(folder)):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def asking(program: Program, ranking_service: str, folder: Path) -> Program:
    def call(*arguments: str, **options: Any) -> Any:
        settings = {"REWARD_LLM_URL": ranking_service, "REWARD_LLM_RANKER_CHECKPOINT": str(folder)}
        return program(*arguments, **settings, **options)

    return call


def test_weights_are_previewed_against_those_in_force(asking: Program) -> None:
    shown = asking("policies", "preview", "home_feed", "gmv=0.4")
    assert shown.code == 0, shown.err
    assert "30 logged requests, 5 slots each" in shown.out
    assert "0.200 → 0.400" in shown.out
    assert "95% interval of the change" in shown.out
    assert shown.out.count("request u") == 1
    answer = json.loads(asking("policies", "preview", "home_feed", "gmv=0.4", "--json").out)
    assert answer["then"]["gmv"] == 0.4
    assert sum(answer["then"].values()) == pytest.approx(1)
    assert len(answer["examples"]) == 3


def test_a_preview_in_chinese_shows_as_many_slates_as_are_asked_for(asking: Program) -> None:
    shown = asking("policies", "preview", "home_feed", "gmv=0.4", "--examples", "0", "--lang", "zh").out
    assert "影响占比" in shown
    assert "请求 u" not in shown
    assert asking("policies", "preview", "home_feed", "gmv=0.4", "--examples", "9").out.count("request u") == 3


def test_a_policy_is_previewed_by_its_id_in_its_own_scope(asking: Program) -> None:
    edit = ("policies", "edit", "home_feed", "gmv=0.25", "--segment", "new_user", "--reason", "a try", "--json")
    policy = json.loads(asking(*edit).out)
    answer = json.loads(asking("policies", "preview", policy["policy_id"], "--json").out)
    assert (answer["segment"], answer["then"]) == ("new_user", policy["weights"])
    assert asking("policies", "preview", policy["policy_id"], "gmv=0.2").code == 2


def test_what_the_gate_would_refuse_is_shown_and_tried_all_the_same(asking: Program) -> None:
    shown = asking("policies", "preview", "home_feed", "gmv=0.9")
    assert (shown.code, "The gate would refuse" in shown.out, "outside" in shown.out) == (0, True, True)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["home_feed"], 2), (["home_feed", "gmv"], 2), (["home_feed", "profit=0.5"], 1), (["none", "gmv=1"], 1)],
)
def test_a_preview_of_nothing_or_of_unknown_utilities_is_refused(
    arguments: list[str], code: int, asking: Program
) -> None:
    refused = asking("policies", "preview", *arguments)
    assert (refused.code, refused.out) == (code, "")


def test_a_utility_that_nothing_measures_is_named(asking: Program) -> None:
    shown = asking("policies", "preview", "video_feed", "watch_quality=0.5")
    assert "not measured by the ranker: calm" in shown.out


def test_a_logged_request_is_explained_without_a_service(program: Program, folder: Path) -> None:
    given = ("ranker", "explain", "3", "gmv=0.5", "--checkpoint", str(folder))
    shown = program(*given, REWARD_LLM_URL=NOWHERE)
    assert shown.code == 0, shown.err
    assert "moved by" in shown.out
    answer = json.loads(program(*given, "--json", REWARD_LLM_URL=NOWHERE).out)
    assert answer["weights"]["gmv"] == pytest.approx(0.5)
    assert sum(answer["influence"].values()) == pytest.approx(1)
    assert len(answer["items"]) == 5
    by_name = program("ranker", "explain", answer["request_id"], *given[3:], "--json", REWARD_LLM_URL=NOWHERE)
    assert json.loads(by_name.out) == answer
    assert "影响占比" in program(*given, "--lang", "zh", REWARD_LLM_URL=NOWHERE).out


def test_without_weights_those_in_force_explain(asking: Program, program: Program, folder: Path) -> None:
    answer = json.loads(asking("ranker", "explain", "0", "--json").out)
    assert answer["weights"]["click"] == pytest.approx(0.25)
    away = program("ranker", "explain", "0", "--checkpoint", str(folder), REWARD_LLM_URL=NOWHERE)
    assert away.code == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["999", "gmv=0.5"], "no request '999'"),
        (["0", "profit=0.5"], "no utility profit"),
        (["0", "gmv=0.5", "--scenario", "none"], "no scenario 'none'"),
        (["0", "gmv=0.5", "--segment", "none"], "no segment 'none'"),
        (["0", "gmv=0.5", "--checkpoint", "/nowhere"], "isn't a checkpoint"),
        (["0", "gmv=0.5", "--log", "/nowhere.parquet"], "there is no log"),
    ],
)
def test_what_can_not_be_explained_is_refused_in_words(
    arguments: list[str], told: str, program: Program, folder: Path
) -> None:
    refused = program("ranker", "explain", *arguments, REWARD_LLM_RANKER_CHECKPOINT=str(folder))
    assert (refused.code, refused.out) == (1, "")
    assert told in refused.err


@pytest.mark.parametrize(
    ("interval", "drawn"),
    [
        ((0.6, 0.8, 1), "·····│··─●─"),
        ((-1, -0.6, -0.2), "──●──│·····"),
        ((-0.2, 0, 0.2), "····─●─····"),
        ((0, 0, 0), "·····●·····"),
    ],
)
def test_an_interval_is_drawn_around_0(interval: tuple[float, float, float], drawn: str) -> None:
    bar = interval_bar(*interval, reach=1, cells=11)
    assert (bar.plain, cell_len(bar.plain)) == (drawn, 11)
    assert interval_bar(0, 0, 0, reach=0, cells=11).plain == "·····●·····"


def test_movement_is_told_in_slots() -> None:
    assert [movement(2, was, Lang.EN).plain for was in (None, 2, 5, 0)] == ["in", "=", "▲3", "▼2"]
