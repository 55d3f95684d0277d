"""Redis with one value: `apt-get install -y redis` gives the server and `redis-benchmark`."""

from __future__ import annotations

import csv
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from servers import Server, free_port, needed, pinned, spawned, wait_until_answers

KEY: Final = "weights"
_HOW: Final = "apt-get install -y redis"
_TRIAL: Final = 2_000
_FEWEST: Final = 1_000


@contextmanager
def redis(folder: Path, value: bytes, core: int | None = None) -> Iterator[Server]:
    """A Redis that keeps nothing on disk and holds `value` under `KEY`."""
    port, log = free_port(), folder / "redis.log"
    command = [needed("redis-server", _HOW), "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with spawned([*pinned(core), *command, "--appendonly", "no"], log, cwd=folder) as process:
        wait_until_answers(process, lambda: _tell(port, "PING") == b"PONG\n", log)
        _tell(port, "-x", "SET", KEY, stdin=value)
        yield Server(name="redis", process=process, url=f"redis://127.0.0.1:{port}")


def load(server: Server, connections: int, seconds: float, core: int | None = None) -> dict[str, float]:
    """Requests a second, and latencies in microseconds, of GET over so many connections for about so long.

    `requests` are all that were sent, those of a short trial as well.
    """
    trial = _run(server, connections, _TRIAL, core)
    found = _run(server, connections, max(_FEWEST, int(trial["rps"] * seconds)), core)
    return found | {"requests": trial["requests"] + found["requests"]}


def _run(server: Server, connections: int, requests: int, core: int | None) -> dict[str, float]:
    port = server.url.rpartition(":")[2]
    command = [*pinned(core), needed("redis-benchmark", _HOW), "-p", port, "-c", str(connections)]
    command += ["-n", str(requests), "--precision", "3", "--csv", "GET", KEY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    row = list(csv.DictReader(done.stdout.splitlines()))[-1]
    return {
        "requests": requests,
        "rps": float(row["rps"]),
        "p50_us": 1000 * float(row["p50_latency_ms"]),
        "p99_us": 1000 * float(row["p99_latency_ms"]),
        "errors": 0,
    }


def _tell(port: int, *command: str, stdin: bytes = b"") -> bytes:
    cli = [needed("redis-cli", _HOW), "-p", str(port), *command]
    return subprocess.run(cli, input=stdin, capture_output=True, check=False).stdout
