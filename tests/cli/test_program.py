import http.server
import subprocess
import sys
import threading

import pytest
from typer.main import get_command

from reward_llm.cli.program import app

HEAVY = {"torch", "transformers", "httpx", "fastapi", "sqlalchemy", "pydantic", "jsonschema_rs"}


def app_commands():
    return list(get_command(app).commands)


def test_help_documents_the_exit_codes(program):
    result = program("--help")
    assert result.code == 0
    words = " ".join(result.out.split())
    assert "0 done; 1 refused or failed; 2 wrong usage or settings; 3 the service can't be reached" in words


def test_the_program_loads_nothing_heavy_before_a_command_needs_it():
    script = f"import sys, reward_llm.cli; print(sorted({HEAVY!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_help_lists_every_command_and_each_has_its_own(program):
    listed = program("--help").out
    for name in app_commands():
        assert f"│ {name} " in listed
        assert program(name, "--help").code == 0


def test_a_command_is_loaded_when_it_is_asked_for():
    script = (
        "import sys; from reward_llm.cli.program import run; run(['goals', '--help']); "
        "print(sorted(m for m in sys.modules if m in ('reward_llm.cli.goals', 'reward_llm.cli.model')))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "['reward_llm.cli.goals']"


def test_a_command_that_there_is_not_is_answered_with_the_nearest(program):
    result = program("gaols")
    assert result.code == 2
    assert "Did you mean 'goals'?" in result.err


@pytest.mark.parametrize("arguments", [["submit"], ["submit", "x", "--colour"], ["goals", "forget"], ["model"]])
def test_wrong_usage_exits_with_2(program, arguments):
    assert program(*arguments).code == 2


def test_a_setting_that_cannot_be_used_exits_with_2(program):
    result = program("weights", "home_feed", REWARD_LLM_PORT="many")
    assert result.code == 2
    assert result.err.startswith("error: settings can't be used: port")


@pytest.mark.parametrize(
    "arguments",
    [["submit", "多一点点击"], ["weights", "home_feed"], ["goals"], ["policies"], ["policies", "activate", "pol_1"]],
)
def test_a_service_that_is_away_exits_with_3_and_says_how_to_start_it(program, arguments):
    result = program(*arguments, REWARD_LLM_URL="http://127.0.0.1:9")
    assert result.code == 3
    assert len(result.err.splitlines()) == 1
    assert "reward-llm serve --dev" in result.err


@pytest.mark.parametrize("url", ["127.0.0.1:8300", "http://127.0.0.1:eight"])
def test_an_address_that_is_none_is_said_in_one_line(program, url):
    result = program("weights", "home_feed", REWARD_LLM_URL=url)
    assert result.code in {2, 3}
    assert result.err.startswith("error: ")
    assert len(result.err.splitlines()) == 1


def test_another_program_at_the_address_is_recognised(program):
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as other:
        threading.Thread(target=other.handle_request).start()
        result = program("weights", "home_feed", REWARD_LLM_URL=f"http://127.0.0.1:{other.server_port}")
    assert result.code == 1
    assert "answered 501, but not as this service does" in result.err


def test_proxies_of_the_environment_are_not_asked(client):
    assert client("weights", "home_feed", HTTP_PROXY="http://127.0.0.1:9", ALL_PROXY="http://127.0.0.1:9").code == 0
