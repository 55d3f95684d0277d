from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from reward_llm import bootstrap
from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.errors import ConfigurationInvalid, ModelServerFailed, ModelUnavailable
from reward_llm.generation.vllm_server import (
    VllmBuild,
    VllmServer,
    VllmServerConfig,
    check_port,
    command_line,
    find_build,
    variables,
)
from tests.generation.servers import completion, model_server, unused_port

CPU, GPU = VllmBuild(version="0.32.0", cpu=True), VllmBuild(version="0.32.0", cpu=False)
WITH_A_WORKER = """
import subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(worker.pid, flush=True)
"""
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"


def config(build=GPU, **options):
    return VllmServerConfig(python=Path("python"), build=build, checkpoint=Path("/models/m"), name="m", **options)


def server(script: str, **options) -> VllmServer:
    """A stand-in that does what the script says."""
    return VllmServer([sys.executable, "-c", script], os.environ, **options)


def wait_for(condition) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def option(command: list[str], name: str) -> str:
    return command[command.index(name) + 1]


def test_the_command_names_the_model_the_place_and_how_answers_are_held_to_a_schema():
    command = command_line(config(host="127.0.0.2", port=9000, max_model_len=4096))
    given = [option(command, f"--{name}") for name in ("model", "served-model-name", "host", "port", "max-model-len")]
    assert given == ["/models/m", "m", "127.0.0.2", "9000", "4096"]
    assert json.loads(option(command, "--structured-outputs-config"))["backend"] == "guidance"
    assert "--enable-prefix-caching" in command
    assert "--tensor-parallel-size" not in command


def test_gpus_share_the_model():
    assert option(command_line(config(gpus=4)), "--tensor-parallel-size") == "4"


def test_a_cpu_build_knows_no_gpus():
    with pytest.raises(ConfigurationInvalid, match="CPU build") as caught:
        config(CPU, gpus=1)
    assert "VLLM_BUILD=gpu" in caught.value.hint


def test_only_a_cpu_build_gets_what_is_for_cpus():
    on_cpu, on_gpu = variables(config(CPU, cpus=(0, 2))), variables(config(GPU, cpus=(0, 2)))
    assert on_cpu["VLLM_CPU_OMP_THREADS_BIND"] == "0,2"
    assert not any(name.startswith(("VLLM_CPU", "KMP")) for name in on_gpu)
    assert "--enforce-eager" in command_line(config(CPU))
    assert "--enforce-eager" not in command_line(config(GPU))


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:8311"), ("::", "http://[::1]:8311"), ("10.0.0.2", "http://10.0.0.2:8311")],  # noqa: S104
)
def test_a_server_on_all_addresses_is_found_on_loopback(host, url):
    assert config(host=host).url == url


@pytest.mark.parametrize(
    ("printed", "build"),
    [("vllm 0.32.0", GPU), ("vllm-cpu 0.32.0", CPU), ("vllm 0.32.0+cpu", VllmBuild(version="0.32.0+cpu", cpu=True))],
)
def test_the_build_is_told_by_the_name_or_the_version_of_the_package(printed, build, tmp_path):
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho {printed}\n", "utf-8")
    python.chmod(0o755)
    assert find_build(python) == build


def test_without_an_environment_there_is_a_hint_how_to_build_one(tmp_path):
    with pytest.raises(ConfigurationInvalid, match="no vLLM environment") as caught:
        find_build(tmp_path / "python")
    assert "make vllm-env" in caught.value.hint


def test_an_environment_without_vllm_is_refused():
    with pytest.raises(ConfigurationInvalid, match="has no vLLM"):
        find_build(Path(sys.executable))


def test_what_is_no_python_is_refused(tmp_path):
    (tmp_path / "python").write_text("not a program", "utf-8")
    with pytest.raises(ConfigurationInvalid, match="isn't a Python"):
        find_build(tmp_path / "python")


def test_a_port_that_is_taken_is_refused(unused_tcp_port):
    check_port("127.0.0.1", unused_tcp_port)
    with model_server(None) as url, pytest.raises(ConfigurationInvalid, match="nothing can listen") as caught:
        check_port("127.0.0.1", int(url.rpartition(":")[2].removesuffix("/v1")))
    assert "--port" in caught.value.hint


def test_a_server_that_ends_too_early_is_reported_with_its_code_and_its_last_words():
    with server("import sys; print('no such model'); sys.exit(3)") as started:
        with pytest.raises(ModelServerFailed, match="no such model") as caught:
            started.wait_until_healthy(f"http://127.0.0.1:{unused_port()}", 60)
        assert caught.value.exit_code == 3
        assert started.wait() == 3


def test_a_server_that_is_not_ready_in_time_is_reported_with_a_hint():
    with server("import time; time.sleep(600)") as started, pytest.raises(ModelServerFailed) as caught:
        started.wait_until_healthy(f"http://127.0.0.1:{unused_port()}", 0.3)
    assert "--timeout" in caught.value.hint


def test_its_lines_are_handed_on_as_they_come():
    lines = []
    with server("print('one'); print('二')", on_line=lines.append) as started:
        assert started.wait() == 0
    assert lines == ["one", "二"]


@pytest.mark.parametrize("end", ["time.sleep(600)", "sys.exit(5)"], ids=["told to stop", "by itself"])
def test_its_workers_end_with_it(end):
    lines = []
    with server(WITH_A_WORKER + end, on_line=lines.append) as started:
        wait_for(lambda: lines)
        worker = int(lines[0])
        code = started.wait() if "exit" in end else started.stop()
    assert code == (5 if "exit" in end else 128 + signal.SIGTERM)
    wait_for(lambda: not is_alive(worker))


def test_a_server_that_does_not_heed_the_signal_is_killed_after_its_grace():
    lines = []
    with server(DEAF, on_line=lines.append, grace_s=0.2) as started:
        wait_for(lambda: lines)
        assert started.stop() == 128 + signal.SIGKILL


def test_a_signal_that_is_passed_on_is_remembered():
    with server("import time; time.sleep(600)") as started:
        assert not started.was_told_to_stop
        started.pass_on(signal.SIGINT)
        assert started.was_told_to_stop
        started.wait()


async def test_warming_up_reads_a_goal_for_every_scenario():
    asked = []

    async def answer(request):
        asked.append(await request.json())
        return completion(canonical_answer([("retention", Direction.RAISE, Emphasis.CLEAR)]))

    with model_server(answer) as url:
        settings = bootstrap.load_settings(backend="vllm", vllm_url=url, vocabulary="concepts")
        await bootstrap.warm_up(settings)
    assert len(asked) == len(bootstrap.load_all_scenarios(settings))
    assert all(request["response_format"]["type"] == "json_schema" for request in asked)


async def test_a_server_that_cannot_read_a_plain_goal_is_not_warm():
    async def answer(_):
        return completion("no idea")

    with model_server(answer) as url, pytest.raises(ModelUnavailable, match="answer_malformed"):
        await bootstrap.warm_up(bootstrap.load_settings(backend="vllm", vllm_url=url))
