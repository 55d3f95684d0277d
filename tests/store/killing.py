"""Four processes write to one database, and are killed again and again: what has to be true of it then."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from reward_llm.domain.audit import AuditRecord
from reward_llm.domain.policy import RewardPolicy
from reward_llm.store import SqlStore
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.database import Database
from reward_llm.store.governance import SqlGovernance
from reward_llm.store.tables import reviews
from reward_llm.validation.audit_export import line_of
from tests.service import PROGRAM

ROOT: Final = Path(__file__).parents[2]
WRITERS: Final = 4
WRITES: Final = 1_000
"""Of each writer."""
KILLS: Final = 3
"""Of each writer."""


@dataclass(slots=True)
class Told:
    """What a writer said of its writes, by their numbers."""

    writes: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    begun: int = 0

    def take(self, line: bytes) -> None:
        said = json.loads(line)
        if "begun" in said:
            self.begun = said["begun"]
        else:
            self.writes[said["number"]] = said

    @property
    def done(self) -> list[Mapping[str, Any]]:
        return [w for w in self.writes.values() if "refused" not in w]

    @property
    def next(self) -> int:
        """The write to begin with: the one that was under way, or the first."""
        return self.begun + (self.begun in self.writes)


async def run_writer(url: str, name: str) -> Told:
    """Have a writer write all that it should, and kill it now and then."""
    rng, told = random.Random(name), Told()
    for life in range(KILLS + 1):
        patience = rng.randint(100, 500) if life < KILLS else None
        await live(url, name, told, patience)
    assert len(told.done) == WRITES
    return told


async def live(url: str, name: str, told: Told, lines: int | None) -> None:
    """One life of a writer, which ends by itself or after so many lines."""
    command = ("-m", "tests.store.mixed_writer", url, name, str(WRITES - len(told.done)), str(told.next))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        async for line in until(process.stdout, lines):
            told.take(line)
        if lines is None:
            await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
        for line in (await process.stdout.read()).splitlines(keepends=True):
            if line.endswith(b"\n"):
                told.take(line)
        errors = (await process.stderr.read()).decode()
        code = await process.wait()
    assert code == 0 or lines is not None, errors


async def until(stream: asyncio.StreamReader, lines: int | None) -> AsyncIterator[bytes]:
    count = 0
    while (lines is None or count < lines) and (line := await stream.readline()):
        yield line
        count += 1


async def whole_log(database: Database) -> list[AuditRecord]:
    log, records = SqlAuditLog(database), []
    head = await log.head()
    while len(records) < head.sequence:
        records += await log.stretch(len(records) + 1, head.sequence)
    return records


async def all_policies(store: SqlStore) -> dict[str, RewardPolicy]:
    found, cursor = {}, None
    while True:
        page = await store.policies(cursor=cursor, limit=200)
        found |= {p.policy_id: p for p in page.items}
        if (cursor := page.next_cursor) is None:
            return found


def changes(told: Sequence[Told]) -> Counter[int]:
    """How often each activation was changed, by what was acknowledged."""
    return Counter(chain.from_iterable(w["changed"] for t in told for w in t.done if "changed" in w))


async def four_writers_that_are_killed_lose_and_double_nothing(url: str, folder: Path) -> None:
    """Have them write and be killed, and look at everything that they leave behind."""
    async with aclosing(Database.open(url)) as database:
        await _nothing_is_lost_or_doubled(url, database, folder)


async def _nothing_is_lost_or_doubled(url: str, database: Database, folder: Path) -> None:
    told = await asyncio.gather(*(run_writer(url, f"writer{i}") for i in range(WRITERS)))
    done = [w for t in told for w in t.done]
    assert len(done) == WRITERS * WRITES
    assert {w["kind"] for w in done} >= {"goal", "edit", "decide", "activate", "change", "end", "freeze"}

    await the_log_is_whole(database)
    await an_export_verifies(database, folder / "audit.jsonl")
    policies = await all_policies(SqlStore(database))
    nothing_is_lost(told, policies)
    await every_change_counts_once(database, told)
    await approvals_are_bound_to_their_weights(database, told, policies)
    assert not any(w["kind"] == "mistake" for w in done)


async def the_log_is_whole(database: Database) -> None:
    """No fork, no gap, and it replays to what the tables hold."""
    verification = await SqlAuditLog(database).verification()
    assert verification.flaw is None
    assert verification.compared


async def an_export_verifies(database: Database, file: Path) -> None:
    """So says the program, which knows nothing but the file."""
    lines = b"".join(map(line_of, await whole_log(database)))
    await asyncio.to_thread(file.write_bytes, lines)
    command = (*PROGRAM, "audit", "verify", str(file))
    verifying = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=asyncio.subprocess.PIPE)
    said, _ = await verifying.communicate()
    assert verifying.returncode == 0, said.decode()


def nothing_is_lost(told: Sequence[Told], policies: Mapping[str, RewardPolicy]) -> None:
    made = [w["policy"] for t in told for w in t.done if "policy" in w]
    assert set(made) == set(policies)
    assert len(made) == len(policies)
    versions = defaultdict(list)
    for policy in policies.values():
        versions[policy.scope].append(policy.version)
    assert all(sorted(v) == list(range(1, len(v) + 1)) for v in versions.values())


async def every_change_counts_once(database: Database, told: Sequence[Told]) -> None:
    activated = {w["activated"] for t in told for w in t.done if "activated" in w}
    serving = await SqlGovernance(database).serving()
    assert {a.sequence for a in serving.activations} == activated
    changed = changes(told)
    assert {a.sequence: a.revision - 1 for a in serving.activations if a.revision > 1} == changed


async def approvals_are_bound_to_their_weights(
    database: Database, told: Sequence[Told], policies: Mapping[str, RewardPolicy]
) -> None:
    async with database.reading() as connection:
        decisions = (await connection.execute(select(reviews).order_by(reviews.c.sequence))).all()
    assert len(decisions) == sum(w["kind"] == "decide" for t in told for w in t.done)
    assert all(policies[d.policy_id].content_hash == d.content_hash for d in decisions)
    assert all(p.content_hash.startswith(p.policy_id.removeprefix("pol_")) for p in policies.values())
    await nothing_was_activated_unapproved(database)


async def nothing_was_activated_unapproved(database: Database) -> None:
    """Walk the log: before each activation, somebody else had approved of exactly that policy."""
    submitters: dict[str, str] = {}
    authors: dict[str, str] = {}
    approved: set[str] = set()
    for record in await whole_log(database):
        for path, row in ((op["path"], op["value"]) for op in record.patch if op["op"] == "add"):
            match path.split("/")[1]:
                case "goals":
                    submitters[row["id"]] = row["submitted_by"]
                case "policies":
                    authors[row["id"]] = submitters.get(row["origin"], record.actor)
                case "reviews" if row["kind"] == "approve" and row["actor"] != authors[row["policy_id"]]:
                    approved.add(row["policy_id"])
                case "activations":
                    assert row["policy_id"] in approved
