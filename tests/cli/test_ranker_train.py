"""Small networks can't be asked for on the command line, so the logs are small: few candidates, short lists."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ranker.checkpoint import Checkpoint
from ranker.data import read_log, write_log
from ranker.training.journal import read_journal
from ranker.training.run import reached
from tests.ranker.training.logs import small_log

PROGRAM = (sys.executable, "-c", "from reward_llm.cli import main; main()")
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
QUICK = ("--evaluator-steps", "4", "--steps", "2")
PARTS = {"networks.pt", "features.json", "report.json", "README.md", "sample.parquet", "curves.html"}


@pytest.fixture(scope="module")
def log(tmp_path_factory) -> Path:
    file = tmp_path_factory.mktemp("log") / "small.parquet"
    write_log(small_log(), file)
    return file


@pytest.fixture(scope="module")
def trained(log) -> Path:
    out = log.with_name("trained")
    command = ("ranker", "train", "--log", str(log), "--out", str(out), *QUICK, "--json")
    done = subprocess.run([*PROGRAM, *command], capture_output=True, text=True, check=True, env=ENVIRONMENT)
    assert json.loads(done.stdout)["config"]["seed"] == 0
    return out


def test_a_generated_log_is_written_and_trained_on(program, tmp_path):
    file, out = tmp_path / "log.parquet", tmp_path / "model"
    written = program("ranker", "data", "generate", "--lists", "120", "--size", "3", "--out", str(file), "--json")
    assert (written.code, json.loads(written.out)) == (0, {"lists": 120, "file": str(file)})
    assert read_log(file).num_rows == 120
    result = program("ranker", "train", "--log", str(file), "--out", str(out), *QUICK, "--size", "2")
    assert result.code == 0, result.err
    assert "evaluator: 4 steps · actor: 2 steps" in result.out
    assert "slates of 2" in result.out
    assert {file.name for file in out.iterdir()} >= PARTS
    assert Checkpoint.load(out).utilities[0] == "click"


def test_a_checkpoint_is_held_against_its_own_sample_or_another_log(program, trained, log, tmp_path):
    own = program("ranker", "evaluate", str(trained), "--lists", "5", "--json")
    assert own.code == 0, own.err
    found = json.loads(own.out)
    assert found["actor_lists"] == 5
    assert found["evaluator"]["lists"] == read_log(trained / "sample.parquet").num_rows
    page = tmp_path / "page.html"
    shown = program("ranker", "evaluate", str(trained), "--log", str(log), "--lists", "5", "--html", str(page))
    assert "predictions, on 150 lists" in shown.out
    assert all(name in shown.out for name in ("click: calibration error", "diversity alone", "better than logged"))
    assert "<svg" in page.read_text("utf-8")


def test_the_tables_are_said_in_chinese_too(program, trained):
    result = program("ranker", "evaluate", str(trained), "--lists", "2", "--lang", "zh")
    assert result.code == 0, result.err
    assert all(words in result.out for words in ("点击：校准误差", "不低于贪心", "全部相等"))


def test_one_seed_gives_one_checkpoint(program, trained, log, tmp_path):
    again = program("ranker", "train", "--log", str(log), "--out", str(tmp_path), *QUICK, "--json")
    first, second = ((folder / "actor.csv").read_text() for folder in (trained, tmp_path))
    assert (again.code, first) == (0, second)
    other = program("ranker", "train", "--log", str(log), "--out", str(tmp_path), *QUICK, "--seed", "1", "--json")
    assert json.loads(other.out)["config"]["actor_training"]["schedule"]["seed"] == 1
    assert (tmp_path / "actor.csv").read_text() != first


def test_a_run_that_was_killed_goes_on_where_it_was_broken_off_or_starts_anew(program, log, tmp_path):
    command = ("ranker", "train", "--log", str(log), "--evaluator-steps", "60", "--steps", "1")
    killed, copied = tmp_path / "killed", tmp_path / "copied"
    with subprocess.Popen(
        [*PROGRAM, *command, "--out", killed], stderr=subprocess.DEVNULL, env=ENVIRONMENT
    ) as running:
        state = wait_for(killed, "run-*/evaluator/state.pt", running)
        running.send_signal(signal.SIGKILL)
    at = reached(state.parent)
    assert 0 < at <= 60
    assert not (killed / "networks.pt").exists()
    shutil.copytree(killed, copied)
    result = program(*command, "--out", str(killed))
    assert result.code == 0, result.err
    assert f"went on from step {at:,} of the evaluator and step 0 of the actor" in result.out
    assert [int(row["step"]) for row in read_journal(killed / "evaluator.csv")] == list(range(6, 61, 6))
    assert not list(killed.glob("run-*"))
    fresh = program(*command, "--out", str(copied), "--fresh", "--json")
    assert json.loads(fresh.out)["resumed_at"] == {"evaluator": 0, "actor": 0}


def wait_for(folder: Path, pattern: str, running: subprocess.Popen[bytes]) -> Path:
    while running.poll() is None:
        if found := list(folder.glob(pattern)):
            return found[0]
        time.sleep(0.005)
    raise AssertionError(f"the run ended with {running.returncode} before {pattern} was there")


def test_minutes_are_kept_about(program, log, tmp_path):
    result = program("ranker", "train", "--log", str(log), "--out", str(tmp_path), "--minutes", "0.02", "--json")
    assert result.code == 0, result.err
    config = json.loads(result.out)["config"]
    assert config["minutes"] == 0.02
    assert 1 <= config["actor_training"]["schedule"]["steps"] < 200


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (("--lists", "200"), "--log and --lists exclude each other"),
        (("--minutes", "1", "--steps", "5"), "--minutes and a number of steps exclude each other"),
        (("--utility", "joy"), "no utility is called 'joy'"),
        (("--size", "51"), "slates of 51 slots (they have 1 to 50)"),
        (("--gap-hours", "1000"), "smaller gap"),
        (("--spec", "missing.yaml"), "there is no feature spec to read at missing.yaml"),
        (("--out", "/dev/null/model"), "/dev/null/model"),
    ],
)
def test_what_cannot_be_trained_is_said_in_a_line(options, problem, program, log, tmp_path):
    result = program("ranker", "train", "--log", str(log), "--out", str(tmp_path), *QUICK, *options)
    assert result.code == 1
    assert problem in result.err
    assert len(result.err.strip().splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_logs_and_checkpoints_that_are_none_are_refused(program, trained, log, tmp_path):
    (tmp_path / "text.parquet").write_text("not Parquet")
    for arguments, problem in (
        (("train", "--log", str(tmp_path / "missing.parquet")), "there is no log at"),
        (("train", "--log", str(tmp_path / "text.parquet")), "can't be read as Parquet"),
        (("evaluate", str(tmp_path)), "isn't a checkpoint of this version"),
        (("evaluate", str(trained), "--log", str(tmp_path / "text.parquet")), "can't be read as Parquet"),
        (("evaluate", str(trained), "--size", "9"), "no list of the log has 9 items"),
        (("evaluate", str(trained), "--lists", "2", "--html", "/dev/null/page"), "can't be written"),
        (("data", "trivago", str(tmp_path / "none"), "--out", str(tmp_path / "o")), "there is no trivago log"),
        (("data", "movielens", str(tmp_path), "--out", str(tmp_path / "o")), "movies.csv"),
        (("data", "spec", str(tmp_path / "text.parquet")), "can't be read as Parquet"),
        (("data", "generate", "--lists", "2", "--out", "/dev/null/o"), "/dev/null/o"),
    ):
        result = program("ranker", *arguments)
        assert (result.code, problem in result.err) == (1, True), (arguments, result.err)
    assert [file.name for file in tmp_path.iterdir()] == ["text.parquet"]


def test_a_spec_drafted_from_a_log_trains_on_it(program, log, tmp_path):
    drafted = tmp_path / "features.yaml"
    assert program("ranker", "data", "spec", str(log), "--out", str(drafted)).code == 0
    assert program("ranker", "data", "spec", str(log)).out == drafted.read_text("utf-8")
    options = ("--log", str(log), "--spec", str(drafted), "--out", str(tmp_path / "model"), "--utility", "diversity")
    assert program("ranker", "train", *options, *QUICK).code == 0
    assert Checkpoint.load(tmp_path / "model").utilities == ("diversity",)
