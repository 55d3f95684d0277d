"""The server's process: started, watched until it answers, and ended with all of its workers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import FrameType, TracebackType
from typing import Final, Self

import httpx

from reward_llm.errors import ConfigurationInvalid, ModelServerFailed

GRACE_S: Final = 20.0
"""How long the server may take to end by itself before its process group is killed."""
_TAIL_LINES: Final = 20
_POLL_S: Final = 0.25
_PASSED_ON: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def check_port(host: str, port: int) -> None:
    """See that a server could listen there.

    Raises:
        ConfigurationInvalid: If the port is taken, or the address isn't one of this machine.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as exc:
        raise ConfigurationInvalid(
            f"nothing can listen on {host}, port {port}: {exc.strerror or exc}", hint="choose another with --port"
        ) from exc


class VllmServer:
    """A server and its workers, in a process group of their own; a context manager that ends them.

    Args:
        command: The program and its arguments.
        environment: All of its variables.
        on_line: Is told every line that it writes, from a thread of its own.
        grace_s: How long it may take to end by itself.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        on_line: Callable[[str], None] = lambda line: None,
        grace_s: float = GRACE_S,
    ) -> None:
        self._command = command
        self._environment = environment
        self._on_line = on_line
        self._grace_s = grace_s
        self._tail: deque[str] = deque(maxlen=_TAIL_LINES)
        self._told_at: float | None = None

    def __enter__(self) -> Self:
        """Start it."""
        self._process = subprocess.Popen(  # noqa: S603
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, name="vllm-log", daemon=True)
        self._reader.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it."""
        self.stop()

    @property
    def was_told_to_stop(self) -> bool:
        """Whether a signal was passed on to it."""
        return self._told_at is not None

    def pass_on(self, signum: int, frame: FrameType | None = None) -> None:
        """Send it a signal; has the shape of a signal handler."""
        if self._told_at is None:
            self._told_at = time.monotonic()
        with suppress(ProcessLookupError):
            self._process.send_signal(signum)

    def pass_signals_on(self) -> None:
        """From now on, what would end this process ends the server instead, and `wait` returns."""
        for signum in _PASSED_ON:
            signal.signal(signum, self.pass_on)

    def exit_code(self) -> int | None:
        """As a shell gives it; None while it runs. Once there is one, its workers have ended too.

        To be asked again and again: that is also what ends a server that doesn't heed a signal.
        """
        process = self._process
        if process.returncode is None:
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
                if self._told_at is not None and time.monotonic() - self._told_at > self._grace_s:
                    self._kill_group()
                return None
            # Before the process is reaped, so that its group can't have become somebody else's.
            self._kill_group()
            process.wait()
            self._reader.join(self._grace_s)
        return process.returncode if process.returncode >= 0 else 128 - process.returncode

    def wait_until_healthy(self, url: str, timeout_s: float) -> None:
        """Return as soon as the server says at `url` that it is well.

        Raises:
            ModelServerFailed: If it ends, or takes longer.
        """
        until = time.monotonic() + timeout_s
        while not _healthy(url):
            self.check_running()
            if time.monotonic() > until:
                raise ModelServerFailed(
                    f"vLLM wasn't ready after {timeout_s:g} s. {self._end_of_log()}",
                    hint="give it more time with --timeout",
                )
            time.sleep(_POLL_S)
        self.check_running()

    def check_running(self) -> None:
        """See that it hasn't ended.

        Raises:
            ModelServerFailed: If it has; with the end of its log.
        """
        code = self.exit_code()
        if code is not None:
            raise ModelServerFailed(
                f"vLLM ended with code {code} before it was ready. {self._end_of_log()}", exit_code=code
            )

    def wait(self) -> int:
        """The exit code, when it has ended."""
        while (code := self.exit_code()) is None:
            time.sleep(_POLL_S)
        return code

    def stop(self) -> int:
        """End it, if it hasn't ended, and give the exit code."""
        if self.exit_code() is None and not self.was_told_to_stop:
            self.pass_on(signal.SIGTERM)
        return self.wait()

    def _kill_group(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _read(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        with self._process.stdout as stream:
            for raw in stream:
                line = raw.decode("utf-8", "replace").rstrip()
                self._tail.append(line)
                self._on_line(line)

    def _end_of_log(self) -> str:
        return "\n".join(["The end of its log:", *self._tail])


def _healthy(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", trust_env=False, timeout=5).is_success
    except httpx.TransportError:
        return False
