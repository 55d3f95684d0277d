from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reward_llm.cli.program import run
from reward_llm.store import upgrade
from tests.service import PROGRAM, environment

END_S = 60.0


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of each kind that is up to date."""
    found = f"sqlite:///{tmp_path}/store.db"
    if request.param == "postgresql":
        found = str(request.getfixturevalue("postgres_url"))
    asyncio.run(upgrade(found))
    return found


@contextmanager
def worker(folder: Path, url: str) -> Iterator[subprocess.Popen[str]]:
    """A worker in a process of its own, which tells its log on standard error."""
    command = [*PROGRAM, "worker"]
    process = subprocess.Popen(
        command, env=environment(folder, database_url=url), cwd=folder, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stderr is not None
        process.stderr.close()


def says(process: subprocess.Popen[str]) -> str:
    """The event of the next line that tells who leads."""
    assert process.stderr is not None
    for line in process.stderr:
        event = str(json.loads(line)["event"])
        if event.startswith("worker."):
            return event
    raise AssertionError(f"it ended with {process.wait()}")


def test_another_worker_takes_over_from_one_that_is_killed(url: str, tmp_path: Path) -> None:
    with worker(tmp_path, url) as first:
        assert says(first) == "worker.leads"
        with worker(tmp_path, url) as second:
            assert says(second) == "worker.follows"
            first.send_signal(signal.SIGKILL)
            assert says(second) == "worker.leads"


def test_nothing_is_done_once_beside_a_worker_that_leads_until_it_stops(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with worker(tmp_path, url) as first:
        assert says(first) == "worker.leads"
        assert run(["worker", "--once", "--database-url", url]) == 1
        assert "another process" in capsys.readouterr().err
        first.send_signal(signal.SIGTERM)
        assert first.wait(END_S) == 0
        assert run(["worker", "--once", "--json", "--database-url", url]) in {0, 1}
    assert all(d["runs"] == 1 for d in json.loads(capsys.readouterr().out)["duties"])


def test_what_was_done_is_told_in_either_language(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["worker", "--once", "--lang", "zh", "--database-url", url]) in {0, 1}
    assert "任务" in capsys.readouterr().out


def test_a_database_that_isnt_up_to_date_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["worker", "--once", "--database-url", f"sqlite:///{tmp_path}/old.db"]) == 2
    assert "db upgrade" in capsys.readouterr().err
