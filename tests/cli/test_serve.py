import sys

import pytest
import structlog
import uvicorn

from reward_llm.cli.serve import configure_logging
from tests.service import service

EVERYWHERE = "0.0.0.0"  # noqa: S104 - what the warnings are about


def test_dev_listens_on_loopback_alone(program):
    result = program("serve", "--dev", "--host", EVERYWHERE)
    assert result.code == 2
    assert "loopback" in result.err


def test_a_database_that_is_behind_is_not_served(program, tmp_path):
    result = program("serve", "--database-url", f"sqlite:///{tmp_path}/new.db")
    assert result.code == 2
    assert "reward-llm db upgrade" in result.err


def test_a_backend_that_there_is_none_of_is_wrong_usage(program):
    assert program("serve", "--backend", "oracle").code == 2


def test_dev_upgrades_the_database_and_serves_until_it_is_told_to_stop(tmp_path, unused_tcp_port):
    with service(tmp_path, unused_tcp_port, backend="rules") as running:
        printed = running.log.read_text("utf-8")
    assert f"http://127.0.0.1:{unused_tcp_port}" in printed
    assert "access is open" not in printed


@pytest.fixture
def served(program, tmp_path, monkeypatch):
    """The hosts that were listened on, over a database that is up to date."""
    hosts = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: hosts.append(options["host"]))
    database = {"REWARD_LLM_DATABASE_URL": f"sqlite:///{tmp_path}/new.db", "REWARD_LLM_BACKEND": "rules"}
    assert program("db", "upgrade", **database).code == 0
    return hosts


def test_open_access_stays_on_this_machine(program, served):
    result = program("serve", "--host", EVERYWHERE)
    assert result.code == 2
    assert "access is open" in result.err
    assert "REWARD_LLM_ACCESS=tokens" in result.err
    assert served == []


def test_open_access_that_is_wanted_all_the_same_is_warned_of(program, served):
    result = program("serve", "--host", EVERYWHERE, "--let-anybody-in")
    assert served == [EVERYWHERE]
    assert "warning: access is open" in " ".join(result.err.split())


def test_tokens_may_be_served_to_everywhere(program, served):
    result = program("serve", "--host", EVERYWHERE, REWARD_LLM_ACCESS="tokens")
    assert served == [EVERYWHERE]
    assert "warning" not in result.err


def test_points_with_the_model_that_ships_are_refused_with_what_to_do(program, tmp_path):
    database = {"REWARD_LLM_DATABASE_URL": f"sqlite:///{tmp_path}/new.db", "REWARD_LLM_BUNDLE": "goal_to_points"}
    result = program("serve", "--dev", **database)
    assert result.code == 2
    assert "REWARD_LLM_BUNDLE=goal_to_intents" in result.err


@pytest.mark.parametrize("terminal", [True, False])
def test_a_logged_traceback_shows_no_values_of_variables(program, capsys, monkeypatch, terminal):
    def connect(address: str) -> None:
        raise RuntimeError("no way in")

    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    configure_logging("info")
    try:
        connect("postgresql://ann:" + "s3cret"[::-1] + "@db/reward")
    except RuntimeError:
        structlog.get_logger().exception("request.crashed")
    printed = capsys.readouterr().err
    assert "no way in" in printed
    assert "connect" in printed
    assert "s3cret"[::-1] not in printed
