from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.vllm import Vllm, vllm_python


@pytest.fixture(scope="session")
def vllm_environment() -> Path:
    """The interpreter of vLLM's environment; REWARD_LLM_REQUIRE_VLLM=1 makes its absence a failure."""
    python = vllm_python()
    if not python.is_file():
        missing = f"there is no vLLM in {python}: `make vllm-env` builds it"
        (pytest.fail if os.environ.get("REWARD_LLM_REQUIRE_VLLM") == "1" else pytest.skip)(missing)
    return python


@pytest.fixture(scope="session")
def vllm(vllm_environment, tmp_path_factory, unused_tcp_port_factory) -> Iterator[Vllm]:
    """The shipped goal model behind vLLM, warm; one server for all tests."""
    running = Vllm(tmp_path_factory.mktemp("vllm"), unused_tcp_port_factory())
    running.start()
    yield running
    running.stop()
    assert running.processes() == []
