"""What an attacker who owns the database may do to the log, with the triggers and constraints taken away."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete, insert, inspect, text
from sqlalchemy.exc import IntegrityError

from reward_llm.domain.audit import AuditRecord, Checkpoint
from reward_llm.domain.audit_flaws import FlawKind, Verification
from reward_llm.errors import AuditBroken
from reward_llm.store import SqlStore, upgrade
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.database import Database
from reward_llm.store.engine import writing_engine
from reward_llm.store.tables import audit
from tests.audits import CHANGES, checkpoint_of, rewritten
from tests.contracts.store import ANN, CLICKS, EVEN, FEED, goal, proposal

Touched = tuple[list[AuditRecord], int | None]
"""A log, and the record that must be named; None if it only shows against a checkpoint."""


class Victim:
    """A database with a log of six records, and all that is needed to write into it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.records: list[AuditRecord] = asyncio.run(self._fill())
        self.checkpoint = checkpoint_of(self.records)

    async def _fill(self) -> list[AuditRecord]:
        await upgrade(self.url)
        database = Database.open(self.url)
        store = SqlStore(database)
        await store.record_goal(goal())
        await store.record_refusal(ANN, "goal.refused", {"code": "goal_invalid", "much": float("inf")})
        await store.record_proposal("goal_1", proposal(), ANN.at)
        await store.record_edit(FEED, EVEN, ANN)
        await store.record_edit(FEED, CLICKS, ANN)
        await store.record_refusal(ANN, "goal.refused", {"code": "goal_invalid"})
        records = [*await SqlAuditLog(database).stretch(1, 10)]
        await database.aclose()
        return records

    def execute(self, *statements: str) -> None:
        asyncio.run(self._execute(statements))

    def hold(self, records: list[AuditRecord]) -> None:
        """Have the table hold these records and no other."""
        asyncio.run(self._hold(records))

    def verified(self, *checkpoints: Checkpoint) -> Verification:
        async def verification() -> Verification:
            database = Database.open(self.url)
            found = await SqlAuditLog(database).verification(checkpoints)
            await database.aclose()
            return found

        return asyncio.run(verification())

    async def _execute(self, statements: tuple[str, ...]) -> None:
        engine = writing_engine(self.url)
        try:
            async with engine.begin() as connection:
                for statement in statements:
                    await connection.execute(text(statement))
        finally:
            await engine.dispose()

    async def _hold(self, records: list[AuditRecord]) -> None:
        engine = writing_engine(self.url)
        async with engine.begin() as connection:
            await connection.run_sync(_take_the_guards_away)
            await connection.execute(delete(audit))
            if records:
                rows = [{c.name: getattr(r, c.name) for c in audit.c} for r in records]
                await connection.execute(insert(audit), rows)
        await engine.dispose()


def _take_the_guards_away(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        triggers = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars().all()
        for name in triggers:
            connection.execute(text(f"DROP TRIGGER {name}"))
    else:
        connection.execute(text("DROP TRIGGER IF EXISTS audit_refuses_changes ON audit"))
    for index in inspect(connection).get_indexes("audit"):
        if index["unique"]:
            connection.execute(text(f"DROP INDEX {index['name']}"))


@pytest.fixture
def victim(empty_url: str) -> Victim:
    victim = Victim(empty_url)
    assert victim.verified(victim.checkpoint).intact
    return victim


@st.composite
def changed(draw: st.DrawFn, records: list[AuditRecord]) -> Touched:
    at = draw(st.integers(0, len(records) - 1))
    made = CHANGES[draw(st.sampled_from(sorted(CHANGES.keys() - {"sequence"})))](records[at])
    return [*records[:at], made, *records[at + 1 :]], at + 1


@st.composite
def deleted(draw: st.DrawFn, records: list[AuditRecord]) -> Touched:
    at = draw(st.integers(0, len(records) - 2))
    return records[:at] + records[at + 1 :], at + 1


@st.composite
def put_in(draw: st.DrawFn, records: list[AuditRecord]) -> Touched:
    at = draw(st.integers(0, len(records)))
    twin = replace(draw(st.sampled_from(records)), sequence=at + 1, actor="eve")
    moved = [replace(r, sequence=r.sequence + 1) for r in records[at:]]
    return [*records[:at], twin, *moved], at + 1


@st.composite
def swapped(draw: st.DrawFn, records: list[AuditRecord]) -> Touched:
    first, second = sorted(draw(st.permutations(range(len(records))))[:2])
    made = [*records]
    made[first] = replace(records[second], sequence=first + 1)
    made[second] = replace(records[first], sequence=second + 1)
    return made, first + 1


@st.composite
def cut_off(draw: st.DrawFn, records: list[AuditRecord]) -> Touched:
    return records[: draw(st.integers(0, len(records) - 1))], None


@st.composite
def rehashed(draw: st.DrawFn, records: list[AuditRecord]) -> Touched:
    touched, _ = draw(st.one_of(changed(records), deleted(records), put_in(records)))
    made = rewritten(touched)
    assume([r.hash for r in made[: len(records)]] != [r.hash for r in records])
    return made, None


def test_whatever_is_done_to_the_log_is_found_and_the_first_bad_record_named(victim: Victim) -> None:
    records = victim.records
    ways = [changed, deleted, put_in, swapped, cut_off, rehashed]

    @settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
    @given(st.sampled_from(ways).flatmap(lambda way: way(records)))
    def tampering(touched: Touched) -> None:
        made, expected = touched
        victim.hold(made)
        found = victim.verified(victim.checkpoint)
        assert found.flaw is not None
        if expected is None:
            assert found.flaw.kind in {FlawKind.NOT_AS_SIGNED, FlawKind.CUT_OFF, FlawKind.PATCH_REFUSED}
            assert found.flaw.sequence is not None
        else:
            assert found.flaw.sequence == expected

    tampering()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE goals SET text = 'another'",
        "UPDATE policies SET weights = '{\"gmv\": 1}' WHERE version = 2",
        "UPDATE policies SET created_at = '2026-06-18 00:00:00.000001'",
        "DELETE FROM policies WHERE version = 3",
    ],
)
def test_what_is_written_past_the_log_is_found(victim: Victim, statement: str) -> None:
    victim.execute(statement)
    found = victim.verified(victim.checkpoint)
    assert found.flaw is not None
    assert found.flaw.kind is FlawKind.STATE_DIFFERS
    table = "goals" if "goals" in statement else "policies"
    assert f"/{table}/" in found.flaw.message


def test_a_log_cut_off_without_a_checkpoint_shows_in_the_state_alone(victim: Victim) -> None:
    victim.hold(victim.records[:5])
    assert victim.verified().intact
    victim.hold(victim.records[:4])
    found = victim.verified()
    assert found.flaw is not None
    assert found.flaw.kind is FlawKind.STATE_DIFFERS


@pytest.mark.parametrize("column", ["details", "patch", "at", "position", "hash"])
def test_what_no_column_should_hold_is_named_by_its_place(tmp_path: Path, column: str) -> None:
    """SQLite's columns hold anything."""
    victim = Victim(f"sqlite:///{tmp_path / 'store.db'}")
    victim.hold(victim.records)
    victim.execute(f"UPDATE audit SET {column} = '{{' WHERE sequence = 3")  # noqa: S608
    found = victim.verified(victim.checkpoint)
    assert found.flaw is not None
    assert (found.flaw.sequence, found.records) == (3, 2)


def test_reading_what_no_column_should_hold_is_told(tmp_path: Path) -> None:
    victim = Victim(f"sqlite:///{tmp_path / 'store.db'}")

    async def read() -> None:
        database = Database.open(victim.url)
        try:
            await SqlAuditLog(database).record(3)
        finally:
            await database.aclose()

    victim.hold(victim.records)
    victim.execute("UPDATE audit SET details = '{' WHERE sequence = 3")
    with pytest.raises(AuditBroken, match="can't be read"):
        asyncio.run(read())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET reason = 'none'",
        "DELETE FROM audit WHERE sequence = 6",
        "INSERT INTO audit SELECT * FROM audit WHERE true ON CONFLICT (sequence) DO UPDATE SET actor = 'eve'",
    ],
)
def test_the_database_refuses_all_of_that(victim: Victim, statement: str) -> None:
    with pytest.raises(IntegrityError, match="append-only"):
        victim.execute(statement)
    assert victim.verified(victim.checkpoint).intact


def test_postgresql_refuses_to_empty_the_log(postgres_url: str) -> None:
    victim = Victim(postgres_url)
    for statement in ("TRUNCATE audit", "TRUNCATE audit CASCADE"):
        with pytest.raises(IntegrityError, match="append-only"):
            victim.execute(statement)
    assert victim.verified(victim.checkpoint).intact
