"""Goal to proposal in the running service: latency and memory, embedded model beside the rules.

    python benchmarks/goal_to_proposal.py --goals examples/goals.jsonl --rounds 5

Every goal is submitted over HTTP to a service of its own process and stored like any other; the first pass over the
goals warms up and is not counted. Latency is what the client sees, in milliseconds; memory is the service's largest
resident set.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console
from rich.progress import track
from rich.table import Table

BACKENDS = ("embedded", "rules")


def main() -> None:
    """Measure every backend, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--goals", type=Path, default=Path("examples/goals.jsonl"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    goals = [json.loads(line)["goal"] for line in options.goals.read_text("utf-8").splitlines()]
    results = {backend: measure(backend, goals, options.rounds) for backend in BACKENDS}
    if options.json:
        print(json.dumps(results, indent=2))
        return
    table = Table("backend", "goals", "p50 ms", "p95 ms", "p99 ms", "fallbacks", "memory MB")
    for backend, r in results.items():
        table.add_row(backend, *(f"{r[k]:,.0f}" for k in ("goals", "p50", "p95", "p99", "fallbacks", "memory_mb")))
    Console().print(table)


def measure(backend: str, goals: Sequence[str], rounds: int) -> dict[str, float]:
    """Latencies of every goal, so many times over."""
    seconds: list[float] = []
    fallbacks = 0
    with service(backend) as (http, pid):
        for number in range(rounds + 1):
            for text in track(goals, f"{backend} {number}/{rounds}", transient=True):
                began = time.perf_counter()
                answer = http.post("/v1/goals", json={"scenario": "home_feed", "text": text}).raise_for_status()
                if number:
                    seconds.append(time.perf_counter() - began)
                    fallbacks += bool(answer.json()["proposal"]["reason"])
        memory = peak_memory_mb(pid)
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    p50, p95, p99 = (1000 * cuts[i - 1] for i in (50, 95, 99))
    return {
        "goals": len(seconds), "p50": p50, "p95": p95, "p99": p99, "fallbacks": fallbacks, "memory_mb": memory,
    }  # fmt: skip


@contextmanager
def service(backend: str) -> Iterator[tuple[httpx.Client, int]]:
    """A service with an empty database, and its process id."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("wb") as log:
        database = f"sqlite:///{folder}/bench.db"
        environment = os.environ | {"REWARD_LLM_DATABASE_URL": database, "REWARD_LLM_LOG_LEVEL": "warning"}
        command = [sys.executable, "-c", "from reward_llm.cli import main; main()", "serve", "--dev"]
        process = subprocess.Popen(
            [*command, "--backend", backend, "--port", str(port)], env=environment, stdout=log, stderr=log
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False) as http:
                wait_until_live(http)
                yield http, process.pid
        finally:
            process.terminate()
            process.wait(30)


def wait_until_live(http: httpx.Client) -> None:
    """Return once the service answers."""
    for _ in range(1200):
        try:
            if http.get("/livez").is_success:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise SystemExit("the service did not start")


def peak_memory_mb(pid: int) -> float:
    """The largest resident set of a process so far (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    if found is None:
        raise SystemExit("this system doesn't tell a process's memory")
    return int(found[1]) / 1024


if __name__ == "__main__":
    main()
