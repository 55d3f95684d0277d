"""A lookup in the SDK's memory, beside a plain dict and a dataclass, at rest and while snapshots are swapped.

    python benchmarks/sdk_lookup.py --rounds 10
    python benchmarks/sdk_lookup.py --segments 9998 --swap-ms 3000      a snapshot of some 10 MB

A real service feeds a real `WeightsClient` in this process. At rest nothing changes; then another process activates
policies all the time, each of which the client's thread fetches, parses and swaps in, under the same GIL. Two ways of
timing, both with the garbage collector on:

    batch     the time of 1,000 calls, by 1,000: what a call costs; percentiles over batches
    single    each call by itself, less what timing nothing takes: what one unlucky request sees

A row's statement is compiled into the timing loop by `timeit`, so no call is added to it. The unit of each lookup is
another one of 10,000 by `next(units)`, all of which come again, or one of so many by `next(strangers)` that the hash
of none is remembered when it comes again; both have rows of their own. Nanoseconds throughout. This process keeps to
one core, service and writer to another.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import multiprocessing
import os
import signal
import sys
import time
import timeit
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx
import servers
import yaml
from rich.console import Console
from rich.progress import track
from rich.table import Table

from reward_llm.delivery.sdk import ClientChange, WeightsClient
from reward_llm.delivery.sdk.shares import KEPT_UNITS
from reward_llm.resources import scenarios_dir

OWN_CORE: Final = 0
SERVICE_CORE: Final = 1
BATCH: Final = 1_000
UNITS: Final = 10_000
STRANGERS: Final = 4 * KEPT_UNITS
READY_S: Final = 30.0
FEWEST_SWAPS: Final = 20
LONGEST_S: Final = 120.0
"""Rounds go on until there were so many swaps, but no longer than this."""
CONDITIONS: Final = ("at rest", "swapping")
PERCENTS: Final = (50.0, 99.0, 99.9)
NOTHING: Final = "pass"
STATEMENTS: Final[Mapping[str, str]] = {
    "dict": "table['home_feed']",
    "dict, pair as key": "pairs['home_feed', 'new_user']",
    "dataclass attribute": "held.policy_id",
    "next(units)": "next(units)",
    "next(strangers)": "next(strangers)",
    "weights(scenario)": "weights('home_feed')",
    "weights(scenario).stale": "weights('home_feed').stale",
    "weights(scenario, segment)": "weights('home_feed', 'mature_user')",
    "weights(…), unit in a rollout": "weights('home_feed', 'new_user', next(units))",
    "weights(…), a stranger": "weights('home_feed', 'new_user', next(strangers))",
}
BASE: Final = "dict"

Samples = dict[str, list[float]]
"""By statement."""


@dataclass(frozen=True)
class Held:
    """The plainest thing that a program could keep weights in."""

    policy_id: str


def main() -> None:
    """Measure every statement under both conditions, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--batches", type=int, default=100, help="of each statement in each round")
    parser.add_argument("--singles", type=int, default=20_000, help="of each statement in each round")
    parser.add_argument("--segments", type=int, default=0, help="that home_feed has beside its own")
    parser.add_argument("--swap-ms", type=float, default=50, help="from one activation to the next, at the least")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    servers.clean_up_when_ended()
    with servers.scratch() as folder, service(folder, options.segments) as url:
        os.sched_setaffinity(0, {OWN_CORE})
        results = compare(url, options)
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for condition in CONDITIONS:
        show(condition, results[condition])


@contextmanager
def service(folder: Path, segments: int) -> Iterator[str]:
    """The URL of a service with a rollout to half of the new users, and so many more segments."""
    own = folder / "scenarios"
    own.mkdir()
    document = yaml.safe_load((scenarios_dir() / "home_feed.yaml").read_text("utf-8"))
    more = (
        {"name": f"segment_{i:05}", "description": {"en": f"Number {i}.", "zh": f"第 {i} 组。"}}
        for i in range(segments)
    )
    document["segments"] += more
    (own / "home_feed.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    database = f"sqlite:///{folder}/bench.db"
    with servers.reward_llm(folder, database, "--dev", core=SERVICE_CORE, scenarios_dir=str(own)) as running:
        with running.client() as http:
            servers.activate(http, servers.new_policy(http, 1))
            servers.activate(http, servers.new_policy(http, 2, segment="new_user"), percent=50)
        yield running.url


def compare(url: str, options: argparse.Namespace) -> dict[str, dict[str, Any]]:
    """By condition: what was swapped meanwhile, and each statement's percentiles."""
    changes: list[ClientChange] = []
    results: dict[str, dict[str, Any]] = {}
    with WeightsClient(url, on_change=changes.append, read_timeout_s=READY_S) as client:
        if not client.wait_ready(READY_S):
            raise SystemExit(f"the client isn't ready: {client.health().as_dict()}")
        for condition in CONDITIONS:
            with swapping(url, options.swap_ms) if condition == "swapping" else at_rest():
                swapped, began = len(changes), time.perf_counter()
                wanted = swapped + (FEWEST_SWAPS if condition == "swapping" else 0)
                rows = measure(client, options, lambda wanted=wanted: len(changes) >= wanted)
                seconds = time.perf_counter() - began
            swaps = len(changes) - swapped
            results[condition] = {"swaps": swaps, "swaps_per_s": swaps / seconds, "rows": rows}
    return results


@contextmanager
def at_rest() -> Iterator[None]:
    """Nothing changes."""
    yield


@contextmanager
def swapping(url: str, every_ms: float) -> Iterator[None]:
    """A process of its own activates one of two policies after the other."""
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        policies = [servers.new_policy(http, step) for step in (3, 4)]
    writer = multiprocessing.get_context("spawn").Process(
        target=activate_in_turn, args=(url, policies, every_ms / 1000), daemon=True
    )
    writer.start()
    try:
        yield
    finally:
        writer.terminate()
        writer.join()


def activate_in_turn(url: str, policies: Sequence[str], every_s: float) -> None:
    """Activate for ever; the body of the writer's process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.sched_setaffinity(0, {SERVICE_CORE})
    with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
        for policy_id in itertools.cycle(policies):
            servers.activate(http, policy_id)
            time.sleep(every_s)


def measure(
    client: WeightsClient, options: argparse.Namespace, has_enough: Callable[[], bool]
) -> dict[str, dict[str, float]]:
    """Percentiles of every statement; rounds go over all of them in turn."""
    timers = {name: timer(statement, client) for name, statement in STATEMENTS.items()}
    nothing = timer(NOTHING, client)
    batches: Samples = {name: [] for name in timers}
    singles: Samples = {name: [] for name in timers}
    for _ in rounds(options.rounds, has_enough):
        cost = servers.median([nothing.timeit(1) for _ in range(options.singles)])
        for name, timed in timers.items():
            batches[name] += [timed.timeit(BATCH) / BATCH for _ in range(options.batches)]
            singles[name] += [max(0.0, timed.timeit(1) - cost) for _ in range(options.singles)]
    return {name: figures(sorted(batches[name]), sorted(singles[name])) for name in timers}


def rounds(fewest: int, has_enough: Callable[[], bool]) -> Iterator[int]:
    """Numbers of rounds: the fewest, and then as many as it takes."""
    deadline = time.monotonic() + LONGEST_S
    yield from track(range(fewest), "rounds", transient=True, console=Console(stderr=True))
    for number in itertools.count(fewest):
        if has_enough() or time.monotonic() > deadline:
            return
        yield number


def timer(statement: str, client: WeightsClient) -> timeit.Timer:
    """Times a statement in nanoseconds, with the garbage collector on."""
    names = {
        "gc": gc,
        "weights": client.weights,
        "table": {"home_feed": "pol_0", "video_feed": "pol_1"},
        "pairs": {("home_feed", "new_user"): "pol_0", ("home_feed", None): "pol_1"},
        "held": Held("pol_0"),
        "units": itertools.cycle([f"user-{i}" for i in range(UNITS)]),
        "strangers": itertools.cycle([f"stranger-{i}" for i in range(STRANGERS)]),
    }
    return timeit.Timer(statement, "gc.enable()", time.perf_counter_ns, names)


def figures(batches: Sequence[float], singles: Sequence[float]) -> dict[str, float]:
    """The percentiles of both ways, in nanoseconds, and the slowest single call."""
    by_batch = {f"batch_p{p:g}": servers.percentile(batches, p) for p in PERCENTS}
    return (
        by_batch | {f"single_p{p:g}": servers.percentile(singles, p) for p in PERCENTS} | {"single_max": singles[-1]}
    )


def show(condition: str, result: Mapping[str, Any]) -> None:
    """One table for one condition."""
    rows: Mapping[str, Mapping[str, float]] = result["rows"]
    title = f"{condition}: {result['swaps']} snapshots swapped in, {result['swaps_per_s']:.1f} a second; ns"
    table = Table(title=title, title_justify="left")
    table.add_column("statement", no_wrap=True)
    for heading in ("batch p50", "p99", "p99.9", "× dict", "single p50", "p99", "p99.9", "max"):
        table.add_column(heading, justify="right")
    for name, row in rows.items():
        cells = [f"{value:,.0f}" for value in row.values()]
        cells.insert(len(PERCENTS), f"{row['batch_p50'] / rows[BASE]['batch_p50']:.1f}")
        table.add_row(name, *cells)
    Console(width=None if sys.stdout.isatty() else 140).print(table)


if __name__ == "__main__":
    main()
