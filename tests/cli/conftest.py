import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import structlog

from reward_llm.cli.program import run
from tests import service as services


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    out: str
    err: str


Program = Callable[..., Result]


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Commands log to the standard error of their test, which nobody else is to log to."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int]) -> Iterator[str]:
    """The address of a real service with an empty database, its goals read by the rules."""
    port = unused_tcp_port_factory()
    with services.service(tmp_path_factory.mktemp("service"), port, backend="rules"):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """Runs the program in this process, without colour and 100 columns wide."""
    for name, value in {"COLUMNS": "100", "NO_COLOR": "1", "REWARD_LLM_LANG": "en"}.items():
        monkeypatch.setenv(name, value)

    def call(*arguments: str, stdin: bytes = b"", terminal: bool = False, **environment: str) -> Result:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        typed = io.TextIOWrapper(io.BytesIO(stdin), "utf-8")
        monkeypatch.setattr(typed, "isatty", lambda: terminal)
        monkeypatch.setattr(sys, "stdin", typed)
        capsys.readouterr()
        code = run(arguments)
        printed = capsys.readouterr()
        return Result(code, printed.out, printed.err)

    return call


@pytest.fixture
def client(program: Program, service: str) -> Program:
    """The program, pointed at the service."""

    def call(*arguments: str, **options: Any) -> Result:
        return program(*arguments, REWARD_LLM_URL=service, **options)

    return call
