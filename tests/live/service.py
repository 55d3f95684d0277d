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


@contextmanager
def service(folder: Path, port: int, **settings: str) -> Iterator[Service]:
    """The service over the folder's database, answering; `settings` are `REWARD_LLM_*` variables without prefix."""
    variables = {f"REWARD_LLM_{k.upper()}": v for k, v in settings.items()}
    variables.setdefault("REWARD_LLM_DATABASE_URL", f"sqlite:///{folder}/service.db")
    log = folder / "service.log"
    command = [sys.executable, "-c", "from reward_llm.cli import main; main()", "serve", "--dev", "--port", str(port)]
    with log.open("ab") as out:
        process = subprocess.Popen(command, env=os.environ | variables, stdout=out, stderr=out, cwd=folder)
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
