"""What benchmarks start: `reward-llm` and other servers as processes of their own, and databases; all ended again."""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx

POSTGRES: Final = os.environ.get("REWARD_LLM_TEST_POSTGRES_URL") or "postgresql://postgres@127.0.0.1:5432/postgres"
"""A PostgreSQL database whose user may create others."""
PROGRAM: Final = (sys.executable, "-c", "from reward_llm.cli import main; main()")
"""What runs `reward-llm` out of this tree."""
START_S: Final = 120.0
STOP_S: Final = 15.0
UNLIMITED: Final = 1_000_000_000
"""Requests a minute that no benchmark reaches; the limiter still counts them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server that answers on loopback."""

    name: str
    process: subprocess.Popen[bytes]
    url: str

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def client(self, token: str | None = None) -> httpx.Client:
        """A client for it, which shows the token if there is one."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=60, trust_env=False)


def clean_up_when_ended() -> None:
    """Have the first SIGTERM or SIGINT unwind the program, so that whatever it started is ended with it."""
    ends = (signal.SIGTERM, signal.SIGINT)

    def leave(number: int, _: object) -> None:
        for end in ends:
            signal.signal(end, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for end in ends:
        signal.signal(end, leave)


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def needed(program: str, how: str) -> str:
    """The path of a program; exits and says how to get it where there is none."""
    found = shutil.which(program)
    if found is None:
        raise SystemExit(f"{program} isn't installed: {how}")
    return found


def pinned(core: int | None) -> tuple[str, ...]:
    """What goes before a command to keep it on one core; nothing keeps it nowhere."""
    if core is None:
        return ()
    if core not in os.sched_getaffinity(0):
        raise SystemExit(f"there is no core {core} for this process: server and load need a core each")
    return (needed("taskset", "it is part of util-linux"), "-c", str(core))


@contextmanager
def spawned(
    command: Sequence[str], log: Path, *, environment: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """A process out of the terminal's reach, so that Ctrl-C comes to the benchmark, which then ends the process."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, env=os.environ | (environment or {}), cwd=cwd, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_until_answers(process: subprocess.Popen[bytes], is_up: Callable[[], bool], log: Path) -> None:
    """Return once the server is up; exits with its log where it never is."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if is_up():
                return
        except (httpx.TransportError, OSError):
            pass
        time.sleep(0.02)
    raise SystemExit(f"{' '.join(map(str, process.args))} didn't start:\n{log.read_text('utf-8')[-4_000:]}")


@contextmanager
def reward_llm(
    folder: Path,
    database_url: str,
    *arguments: str,
    name: str = "serve",
    core: int | None = None,
    **settings: str,
) -> Iterator[Server]:
    """`reward-llm serve` with these arguments; `settings` are `REWARD_LLM_*` without the prefix."""
    port, log = free_port(), folder / f"{name}.log"
    command = [*pinned(core), *PROGRAM, "serve", *arguments, "--port", str(port)]
    url = f"http://127.0.0.1:{port}"
    with spawned(command, log, environment=variables(database_url, **settings), cwd=folder) as process:
        wait_until_answers(process, lambda: httpx.get(f"{url}/livez", trust_env=False).is_success, log)
        yield Server(name=name, process=process, url=url)


def variables(database_url: str, **settings: str) -> dict[str, str]:
    """The environment of `reward-llm` over a database, with quiet logs and limits that don't bind."""
    quiet = {"log_level": "warning", "backend": "rules", "weights_limit_per_minute": str(UNLIMITED)}
    quiet |= {"rate_limit_per_minute": str(UNLIMITED), "database_url": database_url}
    chosen = quiet | settings
    return {f"REWARD_LLM_{k.upper()}": v for k, v in chosen.items()}


def command_line(folder: Path, database_url: str, *arguments: str, **settings: str) -> str:
    """What a `reward-llm` command prints."""
    environment = os.environ | variables(database_url, **settings)
    done = subprocess.run([*PROGRAM, *arguments], env=environment, cwd=folder, capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(f"reward-llm {' '.join(arguments)}:\n{done.stderr.decode()[-4_000:]}")
    return done.stdout.decode()


def admin_token(folder: Path, database_url: str) -> str:
    """A token that may do everything, written into an up-to-date database."""
    made = command_line(folder, database_url, "tokens", "create", "bench", "--role", "admin", "--json")
    return str(json.loads(made)["token"])


@contextmanager
def postgres_database(prefix: str = "reward_llm_bench") -> Iterator[str]:
    """The URL of an empty PostgreSQL database, which is dropped in the end, whoever is still connected."""
    name = f"{prefix}_{secrets.token_hex(6)}"
    try:
        asyncio.run(_execute(f"CREATE DATABASE {name}"))
    except (OSError, asyncpg.PostgresError) as exc:
        raise SystemExit(f"no PostgreSQL at {POSTGRES}: {exc}; set REWARD_LLM_TEST_POSTGRES_URL") from exc
    try:
        server, question, parameters = POSTGRES.partition("?")
        yield f"{server.rpartition('/')[0]}/{name}{question}{parameters}"
    finally:
        asyncio.run(_execute(f"DROP DATABASE {name} WITH (FORCE)"))


async def _execute(statement: str) -> None:
    connection = await asyncpg.connect(POSTGRES, timeout=10)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for logs and files, which is removed in the end."""
    with tempfile.TemporaryDirectory(prefix="reward-llm-bench-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def new_policy(http: httpx.Client, step: int, *, segment: str | None = None) -> str:
    """The id of a policy of `home_feed` that differs a little from the defaults and from other steps' (0 to 99)."""
    defaults: dict[str, Any] = http.get("/v1/scenarios/home_feed").raise_for_status().json()["utilities"]
    weights = {u["name"]: u["default"] for u in defaults}
    weights |= {"click": weights["click"] + step / 1000, "gmv": weights["gmv"] - step / 1000}
    body = {"scenario": "home_feed", "segment": segment, "weights": weights, "reason": f"step {step}"}
    return str(http.post("/v1/policies", json=body).raise_for_status().json()["policy_id"])


def activate(http: httpx.Client, policy_id: str, percent: float = 100) -> None:
    """Put a policy into force, for so many of a hundred units."""
    http.post(f"/v1/policies/{policy_id}/activation", json={"percent": percent}).raise_for_status()


def peak_memory_mb(pid: int) -> float:
    """The largest resident set of a process so far (Linux)."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text("utf-8"))
    return int(found[1]) / 1024 if found else float("nan")


def cpu_s(pid: int) -> float:
    """The processor's time that a process has taken so far, in seconds (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent don't exceed, by the nearest rank; `values` are sorted."""
    return values[min(len(values) - 1, int(len(values) * percent / 100))]


def median(values: Sequence[float]) -> float:
    """The median, NaN where there is nothing."""
    return statistics.median(values) if values else float("nan")
