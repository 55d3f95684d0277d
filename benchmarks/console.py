"""The console over a full database: how long its pages take and how large they are.

    python benchmarks/console.py --policies 10000 --records 100000

A SQLite database is filled with policies, activations, approvals and an audit log that is chained as the service
chains it. Then `reward-llm serve` runs over it, and each page is asked for again and again over one connection, as a
browser would, compressed. Latency is what the client sees on loopback, in milliseconds: it has all of the server's
time in it, and on a busy machine everybody else's as well. `cpu` is the processor's time that the server took for one
request. `first visit` is all that a browser loads for the first page when it has nothing yet.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import httpx
from rich.console import Console
from rich.table import Table as Shown
from sqlalchemy import Table, insert

from benchmarks.servers import Server, clean_up_when_ended, cpu_s, percentile, reward_llm, scratch
from reward_llm.domain.act import Act
from reward_llm.domain.activation import Activation, Ending
from reward_llm.domain.audit import AuditRecord, Link, LogHead, next_record
from reward_llm.domain.goal import Window
from reward_llm.domain.lifecycle import Deed, ReviewFact
from reward_llm.domain.policy import RewardPolicy, Source
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.domain.weights import Weights
from reward_llm.resources import scenarios_dir
from reward_llm.store import upgrade
from reward_llm.store.codec import activation_values, policy_values
from reward_llm.store.database import Database
from reward_llm.store.governance_codec import review_values
from reward_llm.store.state import path_of, row_document
from reward_llm.store.tables import activations, audit, policies, reviews
from reward_llm.validation.scenarios import load_scenario

HISTORY: Final = timedelta(days=60)
ACTIVATED_EVERY: Final = 10
"""Of so many policies one was in force."""
APPROVED_EVERY: Final = 3
AT_ONCE: Final = 2_000
"""Rows that are written together."""
CHAIN: Final = "home_feed"
LIMITS_MS: Final = 50.0
LIMIT_BYTES: Final = 60_000
_LINKED: Final = re.compile(r'(?:src|href)="(/static/[^"]+)"')


def main() -> None:
    """Measure, and print a table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--policies", type=int, default=10_000)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=100, help="requests of each page")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    clean_up_when_ended()
    with scratch() as folder:
        url = f"sqlite:///{folder}/store.db"
        asyncio.run(fill(url, options.policies, options.records))
        with reward_llm(folder, url) as server:
            result = measure(server, options.records, options.rounds)
    if options.json:
        print(json.dumps(result, indent=2))
    else:
        show(result)


class Filling:
    """Rows and the records that they leave, made by hand because a service would take an hour for them."""

    def __init__(self, scenario: Scenario, begin: datetime, step: timedelta) -> None:
        self.rows: list[tuple[Table, dict[str, Any]]] = []
        self.records: list[AuditRecord] = []
        self._scenario = scenario
        self._begin = begin
        self._step = step
        self._head = LogHead()
        self._versions: dict[Scope, int] = {}
        self._counts: dict[Table, int] = {}
        self._changes = 0

    @property
    def now(self) -> datetime:
        """When the next record is written."""
        return self._begin + self._step * len(self.records)

    def policy(self, number: int) -> None:
        """A policy that somebody edited; some are approved, some were in force for a while."""
        segments = (None, *(s.name for s in self._scenario.segments))
        scope = Scope(self._scenario.name, segments[number % len(segments)])
        version = self._versions[scope] = self._versions.get(scope, 0) + 1
        shift = (number % 80) / 1_000
        defaults = self._scenario.defaults
        weights = Weights.rounded({**defaults, "click": defaults["click"] - shift, "gmv": defaults["gmv"] + shift})
        policy = RewardPolicy(
            scope=scope,
            version=version,
            weights=weights,
            source=Source.HUMAN,
            origin=f"edit by person-{number % 40}",
            created_at=self.now,
        )
        values = policy_values(policy, f"person-{number % 40}")
        self._write("policy.edited", policy.policy_id, policies, values, f"person-{number % 40}")
        if number % APPROVED_EVERY == 0:
            fact = ReviewFact(
                deed=Deed.APPROVE,
                actor="li",
                at=self.now,
                content_hash=policy.content_hash,
                needed=1,
                comment="Fine.",
            )
            self._write("policy.approved", policy.policy_id, reviews, review_values(policy.policy_id, fact), "li")
        if number % ACTIVATED_EVERY == 0:
            self._activate(policy)

    def refusal(self, number: int) -> None:
        """A record of something that was refused, which changes nothing."""
        details = {"code": "goal_invalid", "detail": f"the goal is empty, for the {number}th time"}
        self._record("goal.refused", "", [], f"person-{number % 40}", details)

    def _activate(self, policy: RewardPolicy) -> None:
        self._changes += 1
        activation = Activation(
            sequence=0,
            policy=policy,
            window=Window(),
            activated_at=self.now,
            activated_by="wang",
            ended=Ending(at=self.now + self._step * 500, by="wang"),
        )
        values = activation_values(activation) | {"changed": self._changes}
        self._write("policy.activated", policy.policy_id, activations, values, "wang")

    def _write(self, action: str, subject: str, table: Table, values: Mapping[str, Any], actor: str) -> None:
        number = self._counts[table] = self._counts.get(table, 0) + 1
        row = {"sequence": number, **values}
        key = row[table.info.get("key", "sequence")]
        document = row_document(table, {c: row[c.name] for c in table.c})
        self.rows.append((table, row))
        self._record(action, subject, [{"op": "add", "path": path_of(table, key), "value": document}], actor, {})

    def _record(
        self, action: str, subject: str, patch: Sequence[Mapping[str, Any]], actor: str, details: Mapping[str, Any]
    ) -> None:
        act = Act(actor=actor, at=self.now, reason="weekend sale", address="10.0.0.7", request_id="bench")
        record = next_record(self._head, act, action, subject, chain=CHAIN, patch=patch, details=details)
        chains = {CHAIN: Link(record.position, record.hash)}
        self._head = LogHead(sequence=record.sequence, hash=record.hash, chains=chains)
        self.records.append(record)


async def fill(url: str, count: int, records: int) -> None:
    """Make the database, with so many policies and, if they leave fewer, so many records."""
    await upgrade(url)
    scenario = load_scenario(scenarios_dir() / f"{CHAIN}.yaml")
    filling = Filling(scenario, datetime.now(UTC) - HISTORY, HISTORY / records)
    for number in range(max(count, records)):
        if number < count:
            filling.policy(number)
        if len(filling.records) < records:
            filling.refusal(number)
    database = Database.open(url)
    try:
        async with database.writing(Act(actor="bench", at=datetime.now(UTC))) as writing:
            for table in (policies, reviews, activations):
                for some in _batches([row for t, row in filling.rows if t is table]):
                    await writing.connection.execute(insert(table), some)
            for kept in _batches(filling.records):
                rows = [{c.name: getattr(r, c.name) for c in audit.c} for r in kept]
                await writing.connection.execute(insert(audit), rows)
    finally:
        await database.aclose()


def _batches(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), AT_ONCE):
        yield values[start : start + AT_ONCE]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageFigures:
    """What one page took; times in milliseconds, `size` in bytes as they were sent."""

    path: str
    size: int
    median: float
    p95: float
    cpu: float


def measure(server: Server, records: int, rounds: int) -> dict[str, Any]:
    """Ask for every page that often."""
    with server.client() as http:
        newest = http.get("/v1/policies").json()["items"][0]["policy_id"]
        pages = [_timed(http, server.pid, path, rounds) for path in _paths(newest, records)]
        return {
            "limits": {"p95_ms": LIMITS_MS, "first_visit_bytes": LIMIT_BYTES},
            "first_visit_bytes": _first_visit(http),
            "pages": [{name: getattr(p, name) for name in PageFigures.__dataclass_fields__} for p in pages],
        }


def _paths(policy_id: str, records: int) -> list[str]:
    deep = base64.urlsafe_b64encode(f"audit.sequence:{records // 2}".encode()).decode()
    below = base64.urlsafe_b64encode(b"policies.sequence:5000").decode()
    day = (datetime.now(UTC) - HISTORY / 2).strftime("%Y-%m-%dT%H:%M")
    return [
        "/",
        "/policies",
        "/policies?scope=home_feed/new_user",
        f"/policies?cursor={below}",
        f"/policies/{policy_id}",
        "/policies/scopes/home_feed/-",
        "/audit",
        f"/audit?cursor={deep}",
        "/audit?actor=li",
        "/audit?actor=nobody",
        "/audit?action=scope.",
        f"/audit?subject={policy_id}",
        f"/audit?until={day}",
        f"/audit/{records // 2}",
        "/lookup?scope=home_feed/new_user&unit=user-17",
        f"/lookup?scope=home_feed/new_user&unit=user-17&at={day}",
    ]


def _timed(http: httpx.Client, pid: int, path: str, rounds: int) -> PageFigures:
    sizes = {_size(http, path) for _ in range(3)}
    before, times = cpu_s(pid), []
    for _ in range(rounds):
        begun = time.perf_counter()
        http.get(path).raise_for_status()
        times.append(1_000 * (time.perf_counter() - begun))
    times.sort()
    return PageFigures(
        path=path,
        size=max(sizes),
        median=percentile(times, 50),
        p95=percentile(times, 95),
        cpu=1_000 * (cpu_s(pid) - before) / rounds,
    )


def _first_visit(http: httpx.Client) -> int:
    """The bytes of the first page, and of the styles, scripts and pictures that it names."""
    linked = dict.fromkeys(_LINKED.findall(http.get("/").text))
    return sum(_size(http, path) for path in ("/", *linked))


def _size(http: httpx.Client, path: str) -> int:
    with http.stream("GET", path, headers={"Accept-Encoding": "gzip"}) as answer:
        answer.raise_for_status()
        return sum(len(part) for part in answer.iter_raw())


def show(result: Mapping[str, Any]) -> None:
    """Print what was measured."""
    table = Shown("page", "kB", "median ms", "p95 ms", "cpu ms")
    for page in result["pages"]:
        numbers = [f"{page['size'] / 1_000:.1f}", *(f"{page[n]:.1f}" for n in ("median", "p95", "cpu"))]
        table.add_row(page["path"][:70], *numbers)
    to = Console()
    to.print(table)
    to.print(f"first visit: {result['first_visit_bytes'] / 1_000:.1f} kB")


if __name__ == "__main__":
    main()
