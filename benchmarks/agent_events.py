"""Events to the agents' state at a steady rate, through faults: how soon they are visible, and whether all counts.

    python benchmarks/agent_events.py --broker nats --rate 2000 --seconds 600

A service, a broker, a Redis for the state and one worker run as processes of their own. Events are posted to the
service in batches, some of them twice and some late; ten times a second one event of a user nobody knows is posted
and decisions are asked for until one has heard of it, which is the time that is reported, with and without the time
around faults. Workers are killed and the broker is restarted on the way. In the end the state in Redis is compared
with what the log of all events replays to in one process: each user's mood and each item's counts must be equal.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from servers import free_port

from reward_llm.agents.live.cache import StateReader
from reward_llm.agents.live.config import StateConfig
from reward_llm.agents.live.stores import StateStore
from reward_llm.agents.live.stores.memory import MemoryStates
from reward_llm.agents.live.stores.redis import RedisStates
from reward_llm.agents.live.updater import Updater
from reward_llm.domain.events import EventType, event_from
from tests.feedback.intake.brokers import STREAM, Broker, broker
from tests.service import PROGRAM, service

TICK_S = 0.05
PROBE_S = 0.1
PATIENCE_S = 300.0
UNSETTLED_S = 15.0
"""After a fault, of which the probes are told apart."""
CHANNEL = "bench"
KINDS = [k for k in EventType if k is not EventType.PUBLISH]
CANDIDATES = [{"item_id": f"i{n}", "category": f"c{n % 7}"} for n in range(20)]


@dataclass(slots=True)
class Run:
    """What is sent, and what is seen of it."""

    log: Path
    options: argparse.Namespace
    dice: random.Random = field(default_factory=lambda: random.Random(0))
    sent: int = 0
    posted: int = 0
    refused: int = 0
    rejected: int = 0
    visible_s: list[tuple[float, float]] = field(default_factory=list)
    faults: list[float] = field(default_factory=list)

    def events(self, count: int) -> list[dict[str, Any]]:
        """The next events, which go to the log once; some come late, and some twice."""
        made = []
        for _ in range(count):
            late_s = self.dice.uniform(1, 240) if self.dice.random() < self.options.late else 0.0
            made.append(
                {
                    "event_id": f"e{self.sent}",
                    "type": self.dice.choice(KINDS).value,
                    "at": (datetime.now(UTC) - timedelta(seconds=late_s)).isoformat(),
                    "scenario": "home_feed",
                    "user": f"u{self.dice.randrange(self.options.users)}",
                    "item": f"i{self.dice.randrange(self.options.items)}",
                    "category": f"c{self.dice.randrange(7)}",
                    "value": round(self.dice.uniform(0, 60), 2),
                }
            )
            self.sent += 1
        with self.log.open("a", encoding="utf-8") as log:
            log.writelines(json.dumps(event) + "\n" for event in made)
        return made + [e for e in made if self.dice.random() < self.options.duplicates]

    async def post(self, client: httpx.AsyncClient, events: list[dict[str, Any]]) -> None:
        """Post a batch until it is accepted."""
        while True:
            try:
                answer = await client.post("/v1/events", json={"events": events})
            except httpx.TransportError:
                self.refused += 1
            else:
                if answer.status_code == 202:
                    self.posted += len(events)
                    self.rejected += len(answer.json()["rejected"])
                    return
                self.refused += 1
            await asyncio.sleep(0.2)

    async def load(self, client: httpx.AsyncClient) -> None:
        """Send at the rate, behind which it catches up."""
        start, pending = time.monotonic(), set()
        while (elapsed := time.monotonic() - start) < self.options.seconds:
            due = min(int(elapsed * self.options.rate) - self.sent, 500)
            if due > 0:
                task = asyncio.create_task(self.post(client, self.events(due)))
                pending.add(task)
                task.add_done_callback(pending.discard)
            await asyncio.sleep(TICK_S)
        await asyncio.gather(*pending)

    async def probe(self, client: httpx.AsyncClient) -> None:
        """Measure how soon a stranger's first event is visible, again and again."""
        number = 0
        while True:
            number += 1
            began = time.monotonic()
            await self.see(client, f"probe-{number}")
            self.visible_s.append((began, time.monotonic() - began))
            await asyncio.sleep(PROBE_S)

    async def see(self, client: httpx.AsyncClient, user: str) -> None:
        """Post the first event of a user, and ask for decisions until one has heard of it."""
        query = {"scenario": "home_feed", "user": user, "candidates": CANDIDATES, "size": 5}
        event = {"event_id": user, "type": "session", "at": datetime.now(UTC).isoformat()}
        await self.post(client, [{**event, "scenario": "home_feed", "user": user}])
        while True:
            made = (await client.post("/v1/agents/decision", json=query)).json()
            if made.get("user", {}).get("events"):
                return
            await asyncio.sleep(0.005)


@contextmanager
def worker(settings: dict[str, str], folder: Path) -> Iterator[Callable[[], None]]:
    """A worker, and what kills it and starts another."""
    env = os.environ | {f"REWARD_LLM_{k.upper()}": v for k, v in settings.items()}
    running: list[subprocess.Popen[bytes]] = []

    def start() -> None:
        for old in running:
            old.kill()
            old.wait()
        with (folder / "worker.log").open("ab") as log:
            running[:] = [subprocess.Popen([*PROGRAM, "agents", "worker"], env=env, stdout=log, stderr=log)]

    start()
    try:
        yield start
    finally:
        for process in running:
            process.terminate()
            process.wait(30)


async def break_things(run: Run, restart_worker: Callable[[], None], server: Broker) -> None:
    """Kill the worker and restart the broker, each so often, evenly spread."""
    faults = [restart_worker] * run.options.kills
    faults[len(faults) // 2 : len(faults) // 2] = [lambda: restart(server)] * run.options.restarts
    for number, fault in enumerate(faults, start=1):
        due = number * run.options.seconds / (len(faults) + 1)
        await asyncio.sleep(due - (number - 1) * run.options.seconds / (len(faults) + 1))
        run.faults.append(time.monotonic())
        await asyncio.to_thread(fault)


def restart(server: Broker) -> None:
    """Kill the broker, and start it on what it kept."""
    server.kill()
    time.sleep(1.0)
    server.start()


async def differences(run: Run, kept: StateStore) -> tuple[int, int]:
    """How many users and items aren't what the log replays to; waits until nothing changes any more."""
    config, replay = StateConfig(), MemoryStates()
    updater = Updater(replay, config)
    with run.log.open(encoding="utf-8") as log:
        batch = []
        for line in log:
            batch.append(event_from(json.loads(line)))
            if len(batch) == 1_000:
                await updater.apply(batch)
                batch = []
        await updater.apply(batch)
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = await compared(run, StateReader(kept, config), StateReader(replay, config))
        if found == (0, 0) or time.monotonic() > deadline:
            return found
        await asyncio.sleep(1.0)


async def compared(run: Run, kept: StateReader, replay: StateReader) -> tuple[int, int]:
    """How many users and items differ between two readers."""
    users = items = 0
    names = [f"i{n}" for n in range(run.options.items)]
    for number in range(run.options.users):
        wanted = names if number == 0 else []
        mine = await kept.read("home_feed", f"u{number}", wanted)
        theirs = await replay.read("home_feed", f"u{number}", wanted)
        users += mine[0].now() != theirs[0].now()
        items += sum(mine[1][name] != theirs[1][name] for name in wanted)
    return users, items


async def drive(run: Run, url: str, restart_worker: Callable[[], None], server: Broker) -> None:
    """Send, probe and break things."""
    limits = httpx.Limits(max_connections=50)
    async with httpx.AsyncClient(base_url=url, timeout=30, trust_env=False, limits=limits) as client:
        await run.see(client, "first")
        probing = asyncio.create_task(run.probe(client))
        breaking = asyncio.create_task(break_things(run, restart_worker, server))
        await run.load(client)
        await breaking
        probing.cancel()
        await asyncio.gather(probing, return_exceptions=True)


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """One run, with everything that it needs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "broker").mkdir()
        (folder / "state").mkdir()
        ports = [free_port() for _ in range(3)]
        run = Run(log=folder / "log.jsonl", options=options)
        run.log.touch()
        with (
            broker(options.broker, folder / "broker", ports[0]) as server,
            broker("redis", folder / "state", ports[1]) as state,
        ):
            settings = {
                "events": options.broker,
                "events_url": server.url,
                "events_stream": STREAM,
                "agents_state": "redis",
                "redis_url": state.url,
                "redis_channel": CHANNEL,
                "backend": "rules",
                "log_level": "warning",
            }
            with service(folder, ports[2], **settings), worker(settings, folder) as restart_worker:
                asyncio.run(drive(run, f"http://127.0.0.1:{ports[2]}", restart_worker, server))
                kept = RedisStates(state.url, prefix=f"{CHANNEL}:agents", kept_s=StateConfig().kept_s)
                users, items = asyncio.run(differences(run, kept))
    return result(run, users, items)


def result(run: Run, users: int, items: int) -> dict[str, Any]:
    """What was measured; latencies in milliseconds."""
    calm = [s for at, s in run.visible_s if not any(f - 1 <= at + s and at <= f + UNSETTLED_S for f in run.faults)]
    return {
        "broker": run.options.broker,
        "seconds": run.options.seconds,
        "events": run.sent,
        "posted_with_duplicates": run.posted,
        "events_per_s": round(run.sent / run.options.seconds),
        "refused_batches": run.refused,
        "rejected_events": run.rejected,
        "faults": len(run.faults),
        "visible_ms": quantiles(calm),
        "visible_ms_with_faults": quantiles([s for _, s in run.visible_s]),
        "users_that_differ": users,
        "items_that_differ": items,
    }


def quantiles(seconds: list[float]) -> dict[str, float]:
    """Median, 95th and 99th percentile and maximum, in milliseconds."""
    if len(seconds) < 2:
        return {}
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    named = {"p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": max(seconds)}
    return {"probes": len(seconds)} | {name: round(1_000 * s, 1) for name, s in named.items()}


def main() -> None:
    """Measure, and print JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--broker", choices=["nats", "redis"], default="nats", help="Kafka's can't be restarted here")
    parser.add_argument("--rate", type=int, default=2_000, help="events a second")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--users", type=int, default=5_000)
    parser.add_argument("--items", type=int, default=2_000)
    parser.add_argument("--late", type=float, default=0.05, help="share of events that come up to four minutes late")
    parser.add_argument("--duplicates", type=float, default=0.05, help="share of events that are sent twice")
    parser.add_argument("--kills", type=int, default=3, help="of the worker")
    parser.add_argument("--restarts", type=int, default=1, help="of the broker")
    print(json.dumps(measure(parser.parse_args()), indent=2))


if __name__ == "__main__":
    main()
