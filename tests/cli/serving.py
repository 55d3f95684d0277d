"""`reward-llm serve` as a process of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

PROGRAM = [sys.executable, "-c", "from reward_llm.cli import main; main()"]


def environment(folder: Path) -> dict[str, str]:
    """An empty database in the folder, and goals read by the rules."""
    return {**os.environ, "REWARD_LLM_DATABASE_URL": f"sqlite:///{folder}/serve.db", "REWARD_LLM_BACKEND": "rules"}


@contextmanager
def serving(*arguments: str, port: int, folder: Path) -> Iterator[Path]:
    """The service, ready to answer; gives the file that it logs to."""
    log = folder / "serve.log"
    command = [*PROGRAM, "serve", *arguments, "--port", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment(folder), stdout=out, stderr=subprocess.STDOUT)
    try:
        _wait_ready(port, process, log)
        yield log
    finally:
        process.terminate()
        process.wait(15)


def _wait_ready(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text("utf-8")
        try:
            if httpx.get(f"http://127.0.0.1:{port}/readyz", trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(log.read_text("utf-8"))
