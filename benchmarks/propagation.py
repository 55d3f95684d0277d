"""From the request of an activation to every subscribed client seeing it, beside clients that only poll.

    python benchmarks/propagation.py --clients 200 --activations 50
    python benchmarks/propagation.py --ways "the same server" "the other server"

Two services on one PostgreSQL database. Each way has clients of its own (`AsyncWeightsClient`), in a few processes:

    the same server      clients follow the server that is asked to activate
    the other server     clients follow the other one, which hears of it through the database's feed
    polling              clients follow a server that lets nobody subscribe, so they ask every `poll_s`

Time runs from just before the activation is requested to when a client's `weights()` gives the new policy, noted in
its callback; all processes read the same monotonic clock. It includes the commit. Activations come after pauses of
random length, so that no timer is met in step. Reported are milliseconds: percentiles over all clients of all
activations, and of each activation's last client. Servers and clients share the machine's cores: what those who are
followed and those who follow have taken of the processors for an activation, and the pause before it, is reported
beside, and how many of the changes came with their notices, so that no client had to ask.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import multiprocessing
import random
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Final

import servers
from rich.console import Console
from rich.progress import track
from rich.table import Table

from reward_llm.delivery.sdk import AsyncWeightsClient, ClientChange

SCENARIO: Final = "home_feed"
READY_S: Final = 60.0
SEEN_S: Final = 60.0
POLICIES: Final = 2
WARM_UPS: Final = 2
SHORTEST_PAUSE_S: Final = 0.2
LONGEST_PAUSE_S: Final = 1.2
LOOK_S: Final = 0.001
LOOKS: Final = 1_000
"""How often a client that was told of a change is looked at once more, and how many times."""
WAYS: Final = ("the same server", "the other server", "polling")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One activation: milliseconds from its request to its answer and to each client."""

    answered_ms: float
    clients_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchers:
    """Processes with clients, and the connections that they report on."""

    connections: Sequence[Connection]
    pids: Sequence[int]

    def cpu_s(self) -> float:
        """The processor's time that they have taken so far."""
        return sum(servers.cpu_s(pid) for pid in self.pids)


def main() -> None:
    """Measure every way, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2, help="that the clients are spread over")
    parser.add_argument("--activations", type=int, default=50, help="of each way")
    parser.add_argument("--poll-s", type=float, default=5, help="of clients that poll")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    servers.clean_up_when_ended()
    with ExitStack() as stack:
        folder = stack.enter_context(servers.scratch())
        url = stack.enter_context(servers.postgres_database())
        results = compare(folder, url, options)
    if options.json:
        print(json.dumps(results, indent=2))
        return
    show(results, options.clients)


def compare(folder: Path, database: str, options: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Figures of every way."""
    servers.command_line(folder, database, "db", "upgrade")
    results: dict[str, dict[str, float]] = {}
    with servers.reward_llm(folder, database, name="first") as first:
        for way in options.ways:
            with ExitStack() as stack:
                followed = first
                if way != "the same server":
                    closed = {"max_subscribers": "0"} if way == "polling" else {}
                    followed = stack.enter_context(servers.reward_llm(folder, database, name="second", **closed))
                watchers = stack.enter_context(watching(followed.url, options))
                found, cpu_ms = activated(first, followed, watchers, way, options.activations)
                results[way] = figures(found) | cpu_ms | ended(watchers.connections)
    return results


def activated(
    server: servers.Server, followed: servers.Server, watchers: Watchers, way: str, activations: int
) -> tuple[Sequence[Seen], dict[str, float]]:
    """Activate one of two policies after the other, and wait for all clients each time.

    Also given are the milliseconds of the processors that an activation has cost those who are followed and who
    follow.
    """
    pause = random.Random(way)
    found: list[Seen] = []
    before_s = 0.0, 0.0
    with server.client() as http:
        policies = [servers.new_policy(http, 1 + i) for i in range(POLICIES)]
        for number in track(
            range(-WARM_UPS, activations), way, transient=True, console=Console(stderr=True)
        ):  # fmt: skip
            if number == 0:
                before_s = servers.cpu_s(followed.pid), watchers.cpu_s()
            time.sleep(pause.uniform(SHORTEST_PAUSE_S, LONGEST_PAUSE_S))
            policy_id = policies[number % POLICIES]
            began = time.monotonic_ns()
            servers.activate(http, policy_id)
            answered = time.monotonic_ns()
            moments = list(sightings(watchers.connections, policy_id))
            if number >= 0:
                passed = tuple(sorted((moment - began) / 1e6 for moment in moments))
                found.append(Seen(answered_ms=(answered - began) / 1e6, clients_ms=passed))
    after_s = servers.cpu_s(followed.pid), watchers.cpu_s()
    server_ms, clients_ms = (1e3 * (b - a) / activations for a, b in zip(before_s, after_s, strict=True))
    return found, {"server_cpu": server_ms, "clients_cpu": clients_ms}


def sightings(watchers: Sequence[Connection], policy_id: str) -> Iterator[int]:
    """When each client saw the policy; exits if some never do."""
    waiting, deadline = set(watchers), time.monotonic() + SEEN_S
    while waiting:
        ready = wait(waiting, timeout=max(0.0, deadline - time.monotonic()))
        if not ready:
            raise SystemExit(f"clients of {len(waiting)} processes hadn't all seen {policy_id} after {SEEN_S:g} s")
        for watcher in ready:
            seen, moments = watcher.recv()
            if seen == policy_id:
                waiting.remove(watcher)
                yield from moments


@contextmanager
def watching(url: str, options: argparse.Namespace) -> Iterator[Watchers]:
    """Processes with clients that are ready."""
    context = multiprocessing.get_context("spawn")
    shares = [len(range(i, options.clients, options.processes)) for i in range(options.processes)]
    here: list[Connection] = []
    processes = []
    try:
        for clients in shares:
            mine, its = context.Pipe()
            process = context.Process(target=watch, args=(url, clients, options.poll_s, its), daemon=True)
            process.start()
            its.close()
            here.append(mine)
            processes.append(process)
        for watcher in here:
            if not watcher.poll(READY_S):
                raise SystemExit(f"the clients weren't ready after {READY_S:g} s")
            watcher.recv()
        yield Watchers(connections=here, pids=[process.pid for process in processes if process.pid])
    finally:
        for watcher in here:
            watcher.close()
        for process in processes:
            process.join(servers.STOP_S)
            process.kill()


def watch(url: str, clients: int, poll_s: float, report: Connection) -> None:
    """Follow the service with so many clients until told to stop; the body of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.getLogger("reward_llm.delivery.sdk").setLevel(logging.ERROR)  # those that poll say that they can't follow
    asyncio.run(Watch(report, clients).run(url, poll_s))


class Watch:
    """The clients of one process, and who of them has seen what.

    A process reports that it is ready, then each policy that all of its clients have seen; asked anything, it answers
    how many of them have a stream, and how many changes came with their notices, and ends. It ends as well once
    nobody listens to it any more.
    """

    def __init__(self, report: Connection, clients: int) -> None:
        self._report = report
        self._held: list[str | None] = [None] * clients
        self._moments: dict[str, list[int]] = {}
        self._following: list[AsyncWeightsClient] = []
        self._ready = False

    async def run(self, url: str, poll_s: float) -> None:
        """Follow until told to stop."""
        told = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._report.fileno(), told.set)
        async with AsyncExitStack() as stack:
            for number in range(len(self._held)):
                client = AsyncWeightsClient(url, poll_s=poll_s, on_change=partial(self._changed, number))
                self._following.append(client)
                await stack.enter_async_context(client)
            if all(await asyncio.gather(*(client.wait_ready(READY_S) for client in self._following))):
                self._ready = True
                self._tell(None)
            await told.wait()
            healths = [client.health() for client in self._following]
            self._tell((sum(h.streaming for h in healths), sum(h.carried for h in healths)))

    def _changed(self, number: int, _: ClientChange) -> None:
        self._look(number, LOOKS)

    def _look(self, number: int, looks: int) -> None:
        """Note what the client gives now; once more a little later if it takes the start as yet to come."""
        found, moment = self._following[number].weights(SCENARIO), time.monotonic_ns()
        if found is None or found.policy_id == self._held[number]:
            if self._ready and looks:
                asyncio.get_running_loop().call_later(LOOK_S, self._look, number, looks - 1)
            return
        self._held[number] = found.policy_id
        if not self._ready:
            return
        moments = self._moments.setdefault(found.policy_id, [])
        moments.append(moment)
        if len(moments) == len(self._held):
            self._tell((found.policy_id, tuple(self._moments.pop(found.policy_id))))

    def _tell(self, what: object) -> None:
        with suppress(OSError):  # a benchmark that was interrupted doesn't listen
            self._report.send(what)


def ended(watchers: Sequence[Connection]) -> dict[str, float]:
    """How many clients have a stream, and how many changes came with their notices; their processes end with that."""
    for watcher in watchers:
        watcher.send(None)
    said = [watcher.recv() for watcher in watchers]
    return {"streaming": sum(streaming for streaming, _ in said), "carried": sum(carried for _, carried in said)}


def figures(found: Sequence[Seen]) -> dict[str, float]:
    """Percentiles, in milliseconds, over all clients of all activations, and over each activation's last client."""
    everybody = sorted(moment for seen in found for moment in seen.clients_ms)
    last = sorted(seen.clients_ms[-1] for seen in found)
    return {
        "activations": len(found),
        "answered_p50": servers.median([seen.answered_ms for seen in found]),
        "p50": servers.percentile(everybody, 50),
        "p95": servers.percentile(everybody, 95),
        "p99": servers.percentile(everybody, 99),
        "last_p50": servers.percentile(last, 50),
        "last_p95": servers.percentile(last, 95),
        "last_max": last[-1],
    }


def show(results: Mapping[str, Mapping[str, float]], clients: int) -> None:
    """A row a way."""
    table = Table(title=f"{clients} clients; ms from the request of an activation", title_justify="left")
    table.add_column("clients follow", no_wrap=True)
    headings = ["activations", "answer p50", "client p50", "p95", "p99", "last p50", "p95", "max"]
    headings += ["server cpu", "clients cpu", "streams", "carried"]
    for heading in headings:
        table.add_column(heading, justify="right")
    for way, row in results.items():
        table.add_row(way, *(f"{value:,.0f}" for value in row.values()))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


if __name__ == "__main__":
    main()
