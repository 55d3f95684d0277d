"""The commands and programs of the documentation of delivery, run against a real service."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import service

ROOT = Path(__file__).parents[2]
TEXTS = [(ROOT / name).read_text("utf-8") for name in ("README.md", "docs/delivery.md", "docs/openfeature.md")]
ADDRESS = "http://127.0.0.1:8300"
LOOKED_UP = re.compile(r"curl .*(/v1/weights|/ofrep/)")


def fenced(language: str) -> list[str]:
    return [block for text in TEXTS for block in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)]


COMMANDS = [
    c
    for block in fenced("console")
    for line in block.splitlines()
    if (c := line.removeprefix("$ "))
    if LOOKED_UP.match(c)
]
PROGRAMS = fenced("py")


@pytest.fixture(scope="module")
def address(tmp_path_factory, unused_tcp_port_factory) -> Iterator[str]:
    port = unused_tcp_port_factory()
    with service(tmp_path_factory.mktemp("docs"), port, backend="rules"):
        yield f"http://127.0.0.1:{port}"


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_there_is_something_to_run() -> None:
    assert len(COMMANDS) >= 5
    assert len(PROGRAMS) == 4


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_works(command: str, address: str) -> None:
    here = command.replace(ADDRESS, address).replace("curl -s", "curl -sS --fail-with-body")
    assert '"policy_id"' in run("bash", "-c", here)


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_prints_weights(program: str, address: str) -> None:
    assert "0.25" in run(sys.executable, "-c", program.replace(ADDRESS, address))
