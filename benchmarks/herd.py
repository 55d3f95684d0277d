"""A herd of clients whose server goes away and comes back: what it costs the server, and how long it takes.

    python benchmarks/herd.py --clients 200 --down 10

Clients in a few processes follow one service through a TCP proxy that counts. The service is killed, stays away for
so many seconds and starts again. Counted are the connections and requests that arrive at the proxy in each second;
the herd has recovered when every client was told by the new service that its weights hold, and when every client
follows its stream again. Both are counted from the moment at which the service answers.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tests.live.delivery.fleet import Fleet, fleet

TICK_S = 0.05
"""How often a process of clients looks at them."""
PATIENCE_S = 180.0
SETTLE_S = 10.0
"""Of calm before and after, which is counted too."""


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--processes", type=int, default=4)
    parser.add_argument("--down", type=float, default=10.0, help="seconds from the kill to the new start")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--follow", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.follow:
        logging.getLogger("reward_llm.delivery.sdk").setLevel(logging.CRITICAL)
        asyncio.run(follow(options.follow, options.clients))
        return
    result = measure(options.clients, options.processes, options.down)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        show(result)


def measure(clients: int, processes: int, down_s: float) -> dict[str, Any]:
    """One outage; moments in seconds after the kill, rates in each second."""
    with tempfile.TemporaryDirectory() as folder, fleet(Path(folder), 1) as servers:
        shares = [clients // processes + (n < clients % processes) for n in range(processes)]
        with herd(servers.url, shares) as flocks:
            wait_until(lambda: all(f.streaming == f.clients for f in flocks), flocks)
            time.sleep(SETTLE_S)
            killed_s, live_s = outage(servers, down_s)
            told_s = when(lambda: all(f.confirmed_s > live_s for f in flocks), flocks)
            streaming_s = when(lambda: all(f.streaming == f.clients for f in flocks), flocks)
            stale = sum(f.most_stale for f in flocks)
            time.sleep(SETTLE_S)
            missing = sum(f.missing for f in flocks)
        began_s, end_s = killed_s - SETTLE_S, time.monotonic()
    connections = per_second(servers.proxy.connections, began_s, end_s)
    requests = per_second([r.at_s for r in servers.proxy.requests], began_s, end_s)
    snapshots = per_second([r.at_s for r in servers.proxy.requests if "/events" not in r.target], began_s, end_s)
    calm = int(SETTLE_S)
    return {
        "clients": clients,
        "processes": processes,
        "live_after_s": live_s - killed_s,
        "told_after_live_s": told_s - live_s,
        "streaming_after_live_s": streaming_s - live_s,
        "peak_connections_per_s": max(connections[calm:]),
        "peak_requests_per_s": max(requests[calm:]),
        "went_stale": stale,
        "lookups_without_weights": missing,
        "first_second": -SETTLE_S,
        "connections_per_s": connections,
        "requests_per_s": requests,
        "snapshots_per_s": snapshots,
    }


def outage(servers: Fleet, down_s: float) -> tuple[float, float]:
    """Kill the service and start it again; when it was killed and when it answered."""
    killed_s = time.monotonic()
    servers.kill(0)
    time.sleep(down_s)
    servers.start(0)
    return killed_s, time.monotonic()


@dataclass(slots=True)
class Flock:
    """The clients of one process, as it last told of them."""

    clients: int
    process: subprocess.Popen[str]
    streaming: int = 0
    stale: int = 0
    most_stale: int = 0
    missing: int = 0
    confirmed_s: float = 0.0
    """When the one that was told longest ago was told, by `time.monotonic()`, which processes share."""
    reader: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            said = json.loads(line)
            self.streaming, self.stale, self.missing = said["streaming"], said["stale"], said["missing"]
            self.most_stale = max(self.most_stale, self.stale)
            self.confirmed_s = said["confirmed_s"]


@contextmanager
def herd(url: str, shares: Sequence[int]) -> Iterator[list[Flock]]:
    """Clients in processes of their own, so many in each."""
    flocks = []
    try:
        for share in shares:
            command = [sys.executable, __file__, "--follow", url, "--clients", str(share)]
            flocks.append(Flock(share, subprocess.Popen(command, stdout=subprocess.PIPE, text=True)))
        yield flocks
    finally:
        for flock in flocks:
            flock.process.terminate()
        for flock in flocks:
            flock.process.wait(30)
            flock.reader.join(30)


async def follow(url: str, clients: int) -> None:
    """Run clients, and print a line of JSON whenever something about them changed."""
    from reward_llm.delivery.sdk import AsyncWeightsClient  # noqa: PLC0415 - in the clients' processes only

    running = [AsyncWeightsClient(url) for _ in range(clients)]
    for client in running:
        await client.start()
    await asyncio.gather(*(client.wait_ready(PATIENCE_S) for client in running))
    missing, last = 0, {}
    while True:
        missing += sum(client.weights("home_feed") is None for client in running)
        healths = [client.health() for client in running]
        oldest = max(health.age_s for health in healths)
        said = {
            "streaming": sum(health.streaming for health in healths),
            "stale": sum(health.stale for health in healths),
            "missing": missing,
            "confirmed_s": round(time.monotonic() - oldest, 1),
        }
        if said != last:
            print(json.dumps(said), flush=True)
            last = said
        await asyncio.sleep(TICK_S)


def when(condition: Any, flocks: Sequence[Flock]) -> float:
    """The moment at which a condition came true."""
    wait_until(condition, flocks)
    return time.monotonic()


def wait_until(condition: Any, flocks: Sequence[Flock]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > deadline or any(f.process.poll() is not None for f in flocks):
            raise SystemExit(f"the clients never got there: {flocks}")
        time.sleep(TICK_S)


def per_second(moments_s: Sequence[float], began_s: float, end_s: float) -> list[int]:
    """How many moments lie in each second."""
    counts = [0] * (int(end_s - began_s) + 1)
    for moment in moments_s:
        if began_s <= moment < end_s:
            counts[int(moment - began_s)] += 1
    return counts


def show(result: dict[str, Any]) -> None:
    """A row a second, and what it came to."""
    table = Table("second", "connections", "requests", "of them snapshots")
    for column in table.columns:
        column.justify = "right"
    columns = (result["connections_per_s"], result["requests_per_s"], result["snapshots_per_s"])
    for second, row in enumerate(zip(*columns, strict=True), int(result["first_second"])):
        table.add_row(f"{second:+d}", *map(str, row))
    out = Console()
    out.print(table)
    out.print(
        f"{result['clients']} clients in {result['processes']} processes; the service was killed at 0 and answered"
        f" after {result['live_after_s']:.1f} s\n"
        f"peak a second since then: {result['peak_connections_per_s']} connections that were tried,"
        f" {result['peak_requests_per_s']} requests that arrived\n"
        f"all had fresh weights {result['told_after_live_s']:.1f} s and followed the stream"
        f" {result['streaming_after_live_s']:.1f} s after it answered\n"
        f"{result['went_stale']} went stale, {result['lookups_without_weights']} lookups had no weights"
    )


if __name__ == "__main__":
    main()
