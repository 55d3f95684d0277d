"""The commands of docs/ranker.md, as they stand there but for the size of the log and the length of the training."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from ranker.actor import Actor
from ranker.checkpoint import Checkpoint, input_shape
from ranker.config import ActorConfig, EvaluatorConfig
from ranker.evaluator import Evaluator
from ranker.features import FeatureEncoder, FeatureSpec, shipped_spec
from ranker.utilities import UTILITY_NAMES
from reward_llm.cli.program import run
from tests.ranker.training.logs import small_log

TEXT = (Path(__file__).parents[3] / "docs" / "ranker.md").read_text("utf-8")
SHORTER = (
    (r"--lists \d+", "--lists 120"),
    (r"ranker train --minutes \d+", "ranker train --lists 120 --steps 2 --evaluator-steps 4"),
    (r"--minutes \d+", "--steps 2 --evaluator-steps 4"),
    (r"(ranker evaluate \S+)", r"\1 --lists 4"),
)


def fenced(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def commands() -> list[str]:
    lines = [line for block in fenced("console") for line in block.splitlines()]
    return [line.removeprefix("$ reward-llm ") for line in lines if line.startswith("$ reward-llm ranker")]


def test_every_command_works_where_the_one_before_left_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(commands()) >= 6
    monkeypatch.chdir(tmp_path)
    for command in commands():
        for long, short in SHORTER:
            command = re.sub(long, short, command)  # noqa: PLW2901 - the same command, shorter
        assert run(shlex.split(command)) == 0, (command, capsys.readouterr().err)
    assert {file.name for file in tmp_path.iterdir()} == {"my-ranker", "log.parquet", "features.yaml", "scores.html"}
    for file in re.findall(r"`(\w+\.(?:pt|json|md|parquet|csv|html))`", table_of_files()):
        assert (tmp_path / "my-ranker" / file).is_file(), file
    assert Checkpoint.load(tmp_path / "my-ranker").features.spec == FeatureSpec.load(tmp_path / "features.yaml")


def table_of_files() -> str:
    return TEXT.partition("The folder then holds")[2].partition("`evaluate` says")[0]


def test_the_networks_have_as_many_parameters_as_is_said() -> None:
    features = FeatureEncoder.fit(shipped_spec(), small_log())
    shape = input_shape(features, UTILITY_NAMES)
    for name, network in (
        ("Actor", Actor(shape, ActorConfig())),
        ("Evaluator", Evaluator(shape, EvaluatorConfig())),
    ):
        count = sum(parameter.numel() for parameter in network.parameters())
        assert f"**{name}** ({count:,} parameters" in TEXT


def test_the_spec_that_is_shown_is_one() -> None:
    (text,) = fenced("yaml")
    assert {feature.name for feature in FeatureSpec.parse(text).user} == {"visits", "device"}
