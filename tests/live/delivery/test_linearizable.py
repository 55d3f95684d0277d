"""One server is one register: whatever many connections write and read at once happened in some order."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from tests.live.delivery.register import Operation, initially, violations
from tests.live.delivery.writing import LOOKUP, SNAPSHOT, activate, made

WRITERS: Final = 4
WRITES: Final = 20
"""Of each writer."""
READERS: Final = 6
READS_AT_LEAST: Final = 120


@dataclass(slots=True)
class Reader:
    """One connection, whose reads are all of one kind."""

    http: httpx.AsyncClient
    ask: Callable[[Reader], Awaitable[int]]
    history: list[Operation] = field(default_factory=list)
    revisions: list[int] = field(default_factory=list)
    unchanged: int = 0
    known: dict[str, int] = field(default_factory=dict)
    """What was read under each entity tag."""
    etag: str | None = None

    async def read(self) -> None:
        begin = time.monotonic()
        value = await self.ask(self)
        self.history.append(Operation(value=value, begin=begin, end=time.monotonic()))

    async def get(self, path: str, value_of: Callable[[Any], int], *, conditional: bool = False) -> int:
        headers = {"If-None-Match": self.etag} if conditional and self.etag else {}
        answer = await self.http.get(path, headers=headers)
        self.revisions.append(int(answer.headers["Weights-Revision"]))
        self.etag = answer.headers["ETag"]
        if answer.status_code == 304:
            self.unchanged += 1
            return self.known[self.etag]
        value = self.known[self.etag] = value_of(answer.raise_for_status().json())
        return value


def looked_up(body: Any) -> int:
    """The number of the activation that is served; 0 for the defaults."""
    return body["rollout"]["activation"] if body["rollout"] else 0


def of_snapshot(body: Any) -> int:
    values = {looked_up(item) for item in body["items"] if item["scenario"] == "home_feed"}
    assert len(values) == 1, f"a snapshot of two moments: {values}"
    return values.pop()


KINDS: Final[dict[str, Callable[[Reader], Awaitable[int]]]] = {
    "lookup": lambda r: r.get(LOOKUP, looked_up),
    "lookup of a segment": lambda r: r.get(f"{LOOKUP}?segment=new_user", looked_up),
    "lookup of a unit": lambda r: r.get(f"{LOOKUP}?unit=u{len(r.history)}", looked_up),
    "conditional lookup": lambda r: r.get(LOOKUP, looked_up, conditional=True),
    "snapshot": lambda r: r.get(SNAPSHOT, of_snapshot),
    "conditional snapshot": lambda r: r.get(SNAPSHOT, of_snapshot, conditional=True),
}


async def write(http: httpx.AsyncClient, policy_ids: list[str], number: int) -> list[Operation]:
    history = []
    for turn in range(WRITES):
        begin = time.monotonic()
        policy_id = policy_ids[(turn + number) % len(policy_ids)]
        answer = await http.post(f"/v1/policies/{policy_id}/activation", json={})
        sequence = answer.raise_for_status().json()["sequence"]
        history.append(Operation(value=sequence, begin=begin, end=time.monotonic(), is_write=True))
    return history


async def read_until(done: asyncio.Event, reader: Reader) -> None:
    while not done.is_set() or len(reader.history) < READS_AT_LEAST // READERS:
        await reader.read()


async def test_what_is_written_and_read_at_once_happened_in_some_order(running):
    policy_ids = [made(running.http, step).policy_id for step in range(1, 9)]
    clients = [
        httpx.AsyncClient(base_url=running.http.base_url, trust_env=False, timeout=60)
        for _ in range(WRITERS + READERS)
    ]
    readers = [Reader(http, ask) for http, ask in zip(clients[WRITERS:], KINDS.values(), strict=True)]
    first = looked_up(running.http.get(LOOKUP).json())
    done = asyncio.Event()
    reading = [asyncio.ensure_future(read_until(done, r)) for r in readers]
    written = await asyncio.gather(*(write(http, policy_ids, n) for n, http in enumerate(clients[:WRITERS])))
    done.set()
    await asyncio.gather(*reading)
    await asyncio.gather(*(c.aclose() for c in clients))

    history = [initially(first), *(o for each in (*written, *(r.history for r in readers)) for o in each)]
    assert len({o.value for o in history}) == 1 + WRITERS * WRITES
    assert violations(history) == []
    assert sum(not o.is_write for o in history) >= READS_AT_LEAST
    for reader in readers:
        assert reader.revisions == sorted(reader.revisions)
        assert [o.value for o in reader.history] == sorted(o.value for o in reader.history)
    assert all(r.unchanged for r in readers if r.ask is KINDS["conditional lookup"])


def test_a_snapshot_right_after_an_activation_has_it(running):
    policies = [made(running.http, step) for step in (1, 2)]
    for turn in range(20):
        sequence = activate(running.http, policies[turn % 2])
        assert of_snapshot(running.http.get(SNAPSHOT).json()) == sequence
        assert looked_up(running.http.get(LOOKUP).json()) == sequence
