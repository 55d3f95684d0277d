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
    assert "access control" not in printed


def test_an_address_that_others_can_reach_is_warned_of(program, tmp_path, monkeypatch):
    served = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: served.append(options["host"]))
    database = {"REWARD_LLM_DATABASE_URL": f"sqlite:///{tmp_path}/new.db", "REWARD_LLM_BACKEND": "rules"}
    assert program("db", "upgrade", **database).code == 0
    result = program("serve", "--host", EVERYWHERE)
    assert served == [EVERYWHERE]
    assert "warning: there is no access control yet" in " ".join(result.err.split())


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
