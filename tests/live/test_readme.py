"""The README's commands, run against a real service."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import PROGRAM, service

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [
    line.removeprefix("$ ")
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL)
    for line in block.splitlines()
]
ADDRESS = "http://127.0.0.1:8300"


@pytest.fixture(scope="module")
def address(tmp_path_factory, unused_tcp_port_factory) -> Iterator[str]:
    port = unused_tcp_port_factory()
    with service(tmp_path_factory.mktemp("readme"), port):
        yield f"http://127.0.0.1:{port}"


def test_the_readme_has_commands():
    assert len(COMMANDS) > 10
    assert all(c.startswith(("reward-llm ", "curl ")) for c in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_readme_works(command, address):
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", command.replace(ADDRESS, address).replace("curl -s", "curl -sS --fail-with-body")],
        cwd=ROOT, env=os.environ | {"PATH": programs, "REWARD_LLM_URL": address}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


def test_a_model_is_trained_on_goals_of_ones_own_as_the_readme_says(tmp_path):
    command = next(line for line in README.splitlines() if line.startswith("reward-llm model train "))
    (tmp_path / "my-goals").mkdir()
    intent = {"utility": "click", "direction": "raise", "emphasis": "clear"}
    goal = {"goal": "Raise CTR", "lang": "en", "trade": "news", "decision": "propose", "intents": [intent]}
    (tmp_path / "my-goals" / "mine.jsonl").write_text(json.dumps(goal), "utf-8")
    arguments = command.removeprefix("reward-llm ").split()
    subprocess.run([*PROGRAM, *arguments, "--steps", "2"], cwd=tmp_path, check=True, capture_output=True)
    report = json.loads((tmp_path / "my-model" / "training.json").read_text("utf-8"))
    assert (report["steps"], report["goals"]["mine"]) == (2, 1)
    subprocess.run([*PROGRAM, "model", "info", "my-model"], cwd=tmp_path, check=True, capture_output=True)


def test_the_files_that_the_readme_points_to_are_there():
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("target", ["demo", "test"])
def test_the_two_commands_are_targets_of_the_makefile(target):
    assert f"make {target} " in README
    subprocess.run(["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True)


def test_a_ranker_is_trained_on_logs_of_ones_own_as_the_readme_says(tmp_path):
    command = next(line for line in README.splitlines() if line.startswith("reward-llm ranker train "))
    arguments = command.removeprefix("reward-llm ").split()
    for steps in (
        ["ranker", "data", "generate", "--lists", "200", "--out", "my-log.parquet"],
        ["ranker", "data", "spec", "my-log.parquet", "--out", "my-features.yaml"],
        [*arguments, "--steps", "2", "--evaluator-steps", "2"],
    ):
        subprocess.run([*PROGRAM, *steps], cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "my-ranker" / "networks.pt").is_file()
