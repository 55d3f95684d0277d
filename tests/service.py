"""`reward-llm serve` as a process of its own, which a test may kill."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

_HEEDS_SIGINT = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # also behind nohup
PROGRAM = [sys.executable, "-c", f"{_HEEDS_SIGINT}; from reward_llm.cli import main; main()"]
START_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A running service."""

    process: subprocess.Popen[bytes]
    http: httpx.Client
    log: Path

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.kill()
        self.process.wait()


def environment(folder: Path, **settings: str) -> dict[str, str]:
    """The variables of a program over the folder's database; `settings` are `REWARD_LLM_*` without the prefix."""
    settings.setdefault("database_url", f"sqlite:///{folder}/service.db")
    return os.environ | {f"REWARD_LLM_{k.upper()}": v for k, v in settings.items()}


@contextmanager
def service(folder: Path, port: int, *arguments: str, **settings: str) -> Iterator[Service]:
    """The service, answering; with `--dev` unless there are other arguments."""
    log = folder / "service.log"
    command = [*PROGRAM, "serve", *(arguments or ["--dev"]), "--port", str(port)]
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=environment(folder, **settings), stdout=out, stderr=out, cwd=folder)
    http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
    running = Service(process=process, http=http, log=log)
    try:
        _wait(running)
        yield running
    finally:
        http.close()
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            running.kill()


def _wait(running: Service) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline:
        assert running.process.poll() is None, running.log.read_text("utf-8")
        try:
            if running.http.get("/livez").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(running.log.read_text("utf-8"))
