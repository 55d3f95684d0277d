"""Weights over HTTP: throughput and latency beside a bare uvicorn, Redis and Unleash, in the same run.

    apt-get install -y wrk redis nodejs npm
    python benchmarks/http_lookup.py --unleash-dir /tmp/unleash
    python benchmarks/http_lookup.py --only bare read-only --rounds 3 --seconds 3

The contestants, each one process on one core, with the load on another:

    bare, …         uvicorn answering as many bytes, ready before; what ours are compared with
    read-only, …    `reward-llm serve --read-only`: lookups, conditional lookups, the snapshot
    serve, …        the full service
    redis, GET      a value of a lookup's size by `redis-benchmark`: no HTTP, so no ratio
    unleash, …      the flag service Unleash with ten flags: all of them, and evaluated for a user

`unit` asks for another of 100,000 users each time, in a scope that is rolled out to half of them. Both of ours check
a token and count against a rate limit, as they do in production. They and Unleash are on PostgreSQL, in databases of
their own that are dropped again. Everything is up at once; each round goes over all contestants in another order, and
the medians over the rounds are printed. `CPU` is the processor's time that the server's process took for a request,
`over bare` what of it the bare server doesn't take, and `× bare` compares throughput. wrk keeps so many connections
busy, so latency at many of them is mostly waiting in line: read p50 at one connection for what an answer costs.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import servers
import wrk
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rivals import redis_server
from rivals import unleash as unleash_server
from rivals.bare import bare_uvicorn

GROUPS: Final = ("bare", "read-only", "serve", "redis", "unleash")
SERVER_CORE: Final = 0
LOAD_CORE: Final = 1
UNITS: Final = 100_000
FIGURES: Final = ("rps", "p50_us", "p99_us", "cpu_us")
WARM_UP_S: Final = 1.0
LOOKUP: Final = "/v1/weights/home_feed"
SNAPSHOT: Final = "/v1/weights"
SEGMENT: Final = "new_user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """A server and what it is asked."""

    name: str
    server: servers.Server
    asked: wrk.Asked | None = None
    """None asks Redis, which has a load generator of its own."""
    status: int = 200
    size: int = 0
    """The body's bytes."""
    bare: str | None = None
    """The contestant whose answers are the least that this one's could cost."""


def main() -> None:
    """Measure all that was asked for, and print tables or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=GROUPS, default=GROUPS, help="of which servers")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5, help="of load, for each contestant in each round")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 16, 128])
    parser.add_argument("--unleash-dir", type=Path, help="where Unleash is, or is to be put; none leaves it out")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    servers.clean_up_when_ended()
    servers.needed("wrk", "apt-get install -y wrk")
    with ExitStack() as stack:
        folder = stack.enter_context(servers.scratch())
        contestants = start(stack, folder, frozenset(options.only), options.unleash_dir)
        results = measure(contestants, options, folder)
    if options.json:
        print(json.dumps(results, indent=2))
        return
    for connections, by_name in results.items():
        show(connections, by_name)


def start(stack: ExitStack, folder: Path, only: frozenset[str], unleash_dir: Path | None) -> Sequence[Contestant]:
    """Start the servers; what they are asked, in the order of the groups."""
    ours = list(start_ours(stack, folder, only))
    sizes = {c.name.partition(", ")[2]: c.size for c in ours} or {"lookup": 1_000, "snapshot": 5_000}
    found: list[Contestant] = []
    if "bare" in only:
        found += bare(stack.enter_context(bare_uvicorn(folder, SERVER_CORE)), sizes)
    found += ours
    if "redis" in only:
        value = b"." * sizes["lookup"]
        running = stack.enter_context(redis_server.redis(folder, value, SERVER_CORE))
        found.append(Contestant(name="redis, GET", server=running, size=len(value)))
    if "unleash" in only and unleash_dir is not None:
        url = stack.enter_context(servers.postgres_database())
        found += unleash(stack.enter_context(unleash_server.unleash(folder, unleash_dir, url, SERVER_CORE)))
    elif "unleash" in only:
        print("Unleash is left out: --unleash-dir says where it is, or is to be put", file=sys.stderr)
    return found


def start_ours(stack: ExitStack, folder: Path, only: frozenset[str]) -> Iterator[Contestant]:
    """The full service, which also makes the policies that are served, and the read-only one on the same database."""
    if only.isdisjoint({"serve", "read-only"}):
        return
    url = stack.enter_context(servers.postgres_database())
    servers.command_line(folder, url, "db", "upgrade")
    token = servers.admin_token(folder, url)
    full = stack.enter_context(servers.reward_llm(folder, url, core=SERVER_CORE, access="tokens"))
    with full.client(token) as http:
        servers.activate(http, servers.new_policy(http, 1))
        servers.activate(http, servers.new_policy(http, 2, segment=SEGMENT), percent=50)
    if "read-only" in only:
        lookups = servers.reward_llm(
            folder, url, "--read-only", name="read-only", core=SERVER_CORE, access="tokens"
        )  # fmt: skip
        yield from asking(stack.enter_context(lookups), token)
    if "serve" in only:
        yield from asking(full, token)


def asking(server: servers.Server, token: str) -> Iterator[Contestant]:
    """What one of our services is asked, each a way that a ranking service would."""
    key = {"Authorization": f"Bearer {token}"}
    for kind, path in (("lookup", LOOKUP), ("snapshot", SNAPSHOT)):
        answer = httpx.get(f"{server.url}{path}", headers=key, trust_env=False).raise_for_status()
        asked = wrk.Asked(url=f"{server.url}{path}", headers=key)
        known = wrk.Asked(url=asked.url, headers=key | {"If-None-Match": answer.headers["ETag"]})
        name, size = f"{server.name}, {kind}", len(answer.content)
        yield Contestant(name=name, server=server, asked=asked, size=size, bare=f"bare, {kind}")
        if kind == "lookup":
            by_unit = wrk.Asked(url=f"{asked.url}?segment={SEGMENT}&unit=u", headers=key, units=UNITS)
            yield Contestant(name=f"{name} unit", server=server, asked=by_unit, size=size, bare=f"bare, {kind}")
        yield Contestant(name=f"{name} 304", server=server, asked=known, status=304, bare="bare, 304")


def bare(server: servers.Server, sizes: Mapping[str, int]) -> Iterator[Contestant]:
    """Answers of the same sizes as ours."""
    for kind in ("lookup", "snapshot"):
        size = sizes[kind]
        asked = wrk.Asked(url=f"{server.url}/{size}")
        yield Contestant(name=f"bare, {kind}", server=server, asked=asked, size=size)
    yield Contestant(name="bare, 304", server=server, asked=wrk.Asked(url=f"{server.url}/304"), status=304)


def unleash(server: servers.Server) -> Iterator[Contestant]:
    """Every flag at once, as its SDKs fetch them; the same conditionally; and its flags evaluated for a user."""
    url, key = f"{server.url}{unleash_server.FEATURES}", dict(unleash_server.CLIENT)
    answer = httpx.get(url, headers=key, trust_env=False).raise_for_status()
    asked = wrk.Asked(url=url, headers=key)
    known = wrk.Asked(url=url, headers=key | {"If-None-Match": answer.headers["ETag"]})
    yield Contestant(name="unleash, features", server=server, asked=asked, size=len(answer.content))
    yield Contestant(name="unleash, features 304", server=server, asked=known, status=304)
    url = f"{server.url}{unleash_server.EVALUATED}?userId=u"
    evaluated = wrk.Asked(url=url, headers=unleash_server.FRONTEND, units=UNITS)
    size = len(httpx.get(url, headers=dict(evaluated.headers), trust_env=False).raise_for_status().content)
    yield Contestant(name="unleash, evaluated unit", server=server, asked=evaluated, size=size)


def measure(
    contestants: Sequence[Contestant], options: argparse.Namespace, folder: Path
) -> dict[int, dict[str, dict[str, float]]]:
    """By connections and contestant: the medians over the rounds, which each shuffle the order."""
    runs: dict[tuple[int, str], list[dict[str, float]]] = {}
    for contestant in track(contestants, "warming up", transient=True, console=Console(stderr=True)):
        check(contestant)
        load(contestant, 4, WARM_UP_S, folder)
    todo = [(number, n) for number in range(options.rounds) for n in options.connections]
    for number, connections in todo:
        order = random.Random(f"{number} {connections}").sample(contestants, len(contestants))
        label = f"round {number + 1}/{options.rounds}, {connections} connections"
        for contestant in track(order, label, transient=True, console=Console(stderr=True)):
            figures = load(contestant, connections, options.seconds, folder)
            runs.setdefault((connections, contestant.name), []).append(figures)
    for contestant in contestants:
        check(contestant)
    return {n: compared(contestants, {c.name: runs[n, c.name] for c in contestants}) for n in options.connections}


def load(contestant: Contestant, connections: int, seconds: float, folder: Path) -> dict[str, float]:
    """One run against one contestant, and the processor's time that its server took for a request."""
    before = servers.cpu_s(contestant.server.pid)
    if contestant.asked is None:
        found = redis_server.load(contestant.server, connections, seconds, LOAD_CORE)
    else:
        found = wrk.load(contestant.asked, connections, seconds, folder, LOAD_CORE)
    spent = servers.cpu_s(contestant.server.pid) - before
    return found | {"cpu_us": 1e6 * spent / max(1.0, found["requests"])}


def check(contestant: Contestant) -> None:
    """Exit unless the contestant answers what is meant to be measured: a refusal or a redirect would be quick."""
    if contestant.asked is None:
        return
    answer = httpx.get(contestant.asked.url, headers=dict(contestant.asked.headers), trust_env=False)
    if answer.status_code != contestant.status:
        raise SystemExit(f"{contestant.name} answers {answer.status_code}, not {contestant.status}: {answer.text}")


def compared(
    contestants: Sequence[Contestant], runs: Mapping[str, Sequence[Mapping[str, float]]]
) -> dict[str, dict[str, float]]:
    """Medians, the sum of errors, and the throughput as a share of the bare server's."""
    results = {
        c.name: {"bytes": c.size}
        | {figure: servers.median([run[figure] for run in runs[c.name]]) for figure in FIGURES}
        | {"errors": sum(run["errors"] for run in runs[c.name])}
        for c in contestants
    }
    for c in contestants:
        if c.bare in results:
            results[c.name]["share_of_bare"] = results[c.name]["rps"] / results[c.bare]["rps"]
            results[c.name]["over_bare_us"] = results[c.name]["cpu_us"] - results[c.bare]["cpu_us"]
    return results


def show(connections: int, by_name: Mapping[str, Mapping[str, float]]) -> None:
    """One table for one number of connections."""
    table = Table(title=f"{connections} connection{'s' * (connections > 1)}", title_justify="left")
    table.add_column("contestant", no_wrap=True)
    for heading in ("bytes", "requests/s", "p50 µs", "p99 µs", "CPU µs", "over bare", "× bare", "errors"):
        table.add_column(heading, justify="right")
    for name, r in by_name.items():
        share = f"{r['share_of_bare']:.2f}" if "share_of_bare" in r else ""
        over = f"{r['over_bare_us']:.1f}" if "over_bare_us" in r else ""
        speeds = [f"{r[figure]:,.0f}" for figure in ("bytes", *FIGURES)]
        table.add_row(name, *speeds, over, share, f"{r['errors']:.0f}")
    Console(width=None if sys.stdout.isatty() else 120).print(table)


if __name__ == "__main__":
    main()
