"""`reward-llm model serve` as a process of its own, whose vLLM a test may kill, suspend and start again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from reward_llm.bootstrap import load_settings
from tests.service import PROGRAM

ROOT = Path(__file__).parents[1]
START_S = 400.0
STOP_S = 60.0


def vllm_python() -> Path:
    """The interpreter of vLLM's environment, whether it is there or not."""
    return ROOT / load_settings().vllm_python


class Vllm:
    """The shipped goal model behind vLLM, on one port from start to start."""

    def __init__(self, folder: Path, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._command = [*PROGRAM, "model", "serve", "--port", str(port), "--python", str(vllm_python())]
        self._out, self._log = folder / "vllm.out", folder / "vllm.log"

    def start(self) -> None:
        """Start it, and return when it says that it is warm."""
        with self._out.open("wb") as out, self._log.open("ab") as log:
            self._process = subprocess.Popen([*self._command], stdout=out, stderr=log)
        deadline = time.monotonic() + START_S
        while "reward-llm serve" not in self._out.read_text("utf-8"):
            assert self._process.poll() is None, self._log.read_text("utf-8")
            assert time.monotonic() < deadline, self._log.read_text("utf-8")
            time.sleep(0.1)
        pid = self._process.pid
        self.group = int(Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()[0])

    @property
    def settings(self) -> dict[str, str]:
        """What it told people to set, by the settings' names."""
        lines = self._out.read_text("utf-8").splitlines()
        exports = [line.removeprefix("export REWARD_LLM_") for line in lines if line.startswith("export ")]
        return {name.lower(): value for name, _, value in (e.partition("=") for e in exports)}

    def processes(self) -> list[int]:
        """vLLM's own process and its workers, as far as they are alive."""
        return [int(p.name) for p in Path("/proc").glob("[0-9]*") if self._is_mine(p)]

    def signal(self, signum: int) -> None:
        """Send a signal to vLLM and all of its workers."""
        os.killpg(self.group, signum)

    def ended(self) -> int:
        """The exit code of the command, once it has ended."""
        return self._process.wait(STOP_S)

    def stop(self) -> int:
        """Stop the command as a supervisor would, and give its exit code."""
        self._process.terminate()
        try:
            return self.ended()
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                self.signal(signal.SIGKILL)
            self._process.kill()
            raise

    def _is_mine(self, process: Path) -> bool:
        try:
            fields = (process / "stat").read_text("utf-8").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return False
        state, group = fields[0], int(fields[2])
        return group == self.group and state != "Z"
