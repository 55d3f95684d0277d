from __future__ import annotations

import pytest

from reward_llm.cli.program import run


def test_a_worker_without_a_broker_says_what_to_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["agents", "worker"]) == 2
    assert "REWARD_LLM_EVENTS" in capsys.readouterr().err


def test_the_group_tells_of_its_commands(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["agents", "--help"]) == 0
    assert "worker" in capsys.readouterr().out
