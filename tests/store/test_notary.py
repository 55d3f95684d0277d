from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from reward_llm.domain.audit_flaws import Flaw, FlawKind
from reward_llm.errors import AuditBroken, CheckpointsUnavailable, ConfigurationInvalid, SignatureInvalid
from reward_llm.store import SqlStore, upgrade
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.auditing import AuditingConfig, open_auditing
from reward_llm.store.checkpoint_places import FolderCheckpoints
from reward_llm.store.database import Database
from reward_llm.store.notary import Auditor, Notary, SignedCheckpoints
from reward_llm.validation.audit_checkpoints import signed
from reward_llm.validation.signatures import write_key_pair
from tests.audits import NOON, checkpoint_of
from tests.contracts.store import goal
from tests.keys import PRIVATE, STRANGER


@dataclass(slots=True)
class Office:
    """A database, and a folder that its log is signed into."""

    path: Path
    folder: Path
    database: Database
    submitted: int = 0

    @property
    def log(self) -> SqlAuditLog:
        return SqlAuditLog(self.database)

    def notary(self, *, every_s: float = 60) -> Notary:
        return Notary(self.log, FolderCheckpoints(self.folder), PRIVATE, clock=lambda: NOON, every_s=every_s)

    async def flaw(self) -> Flaw | None:
        checkpoints = SignedCheckpoints(FolderCheckpoints(self.folder), PRIVATE.public_key())
        return (await Auditor(self.log, checkpoints).verification()).flaw

    async def submit(self) -> None:
        self.submitted += 1
        await SqlStore(self.database).record_goal(goal(f"goal_{self.submitted}"))

    def signed(self) -> list[int]:
        return sorted(int(p.stem) for p in self.folder.glob("*.json"))

    def cut(self, sequence: int) -> None:
        """Take away all that came after a record, as somebody does who owns the database."""
        connection = sqlite3.connect(self.path)
        connection.execute("DROP TRIGGER IF EXISTS audit_refuses_DELETE")
        for table in ("audit", "goals"):
            connection.execute(f"DELETE FROM {table} WHERE sequence > ?", (sequence,))  # noqa: S608
        connection.commit()
        connection.close()


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    path = tmp_path / "store.db"
    url = f"sqlite:///{path}"
    await upgrade(url)
    database = Database.open(url)
    yield Office(path, tmp_path / "checkpoints", database)
    await database.aclose()


async def test_the_end_of_the_log_is_signed_once(office: Office) -> None:
    notary = office.notary()
    assert await notary.sign() is None
    await office.submit()
    await office.submit()
    made = await notary.sign()
    assert made is not None
    assert made.head == await office.log.head()
    assert await notary.sign() is None
    assert await office.notary().sign() is None
    assert office.signed() == [2]
    assert await office.flaw() is None


async def test_a_notary_goes_on_where_the_last_one_ended(office: Office) -> None:
    for _ in range(2):
        await office.submit()
        await office.notary().sign()
    assert office.signed() == [1, 2]


async def test_a_log_cut_off_after_it_was_signed_is_found_and_not_signed_again(office: Office) -> None:
    for _ in range(3):
        await office.submit()
    notary = office.notary()
    await notary.sign()
    office.cut(1)
    assert (await office.log.verification()).intact
    found = await office.flaw()
    assert found is not None
    assert (found.kind, found.sequence) == (FlawKind.CUT_OFF, 2)
    for one in (notary, office.notary()):
        with pytest.raises(AuditBroken, match="record 3"):
            await one.sign()


async def test_a_log_that_goes_on_otherwise_after_it_was_cut_is_not_signed(office: Office) -> None:
    for _ in range(2):
        await office.submit()
    notary = office.notary()
    await notary.sign()
    office.cut(1)
    await office.submit()
    with pytest.raises(AuditBroken, match="as it was signed"):
        await notary.sign()
    found = await office.flaw()
    assert found is not None
    assert (found.kind, found.sequence) == (FlawKind.NOT_AS_SIGNED, 2)


async def test_what_follows_is_verified_before_it_is_signed(office: Office) -> None:
    await office.submit()
    notary = office.notary()
    await notary.sign()
    await office.submit()
    connection = sqlite3.connect(office.path)
    connection.execute("DROP TRIGGER audit_refuses_UPDATE")
    connection.execute("UPDATE audit SET actor = 'eve' WHERE sequence = 2")
    connection.commit()
    connection.close()
    with pytest.raises(AuditBroken, match="record 2 was changed"):
        await notary.sign()
    assert office.signed() == [1]


async def test_a_checkpoint_of_another_key_is_a_flaw_and_stops_the_notary(office: Office) -> None:
    await office.submit()
    records = [*await office.log.stretch(1, 1)]
    await FolderCheckpoints(office.folder).put("000000000000001.json", signed(checkpoint_of(records), STRANGER))
    found = await office.flaw()
    assert found is not None
    assert found.kind is FlawKind.CHECKPOINT_INVALID
    with pytest.raises(SignatureInvalid):
        await office.notary().sign()


async def test_signing_goes_on_in_the_background_and_once_more_at_the_end(office: Office) -> None:
    notary = office.notary(every_s=0.01)
    signing = asyncio.create_task(notary.keep_signing())
    for number in range(1, 3):
        await office.submit()
        while office.signed() != [*range(1, number + 1)]:  # noqa: ASYNC110 - files tell nobody
            await asyncio.sleep(0.01)
    signing.cancel()
    await asyncio.gather(signing, return_exceptions=True)
    await office.submit()
    await notary.aclose()
    assert office.signed() == [1, 2, 3]


async def test_what_goes_wrong_keeps_nobody_from_closing(office: Office) -> None:
    await office.submit()
    office.folder.write_text("not a folder")
    notary = office.notary()
    with pytest.raises(CheckpointsUnavailable):
        await notary.sign()
    await notary.aclose()


async def test_a_key_and_a_place_come_together(office: Office, tmp_path: Path) -> None:
    private = tmp_path / "private.pem"
    write_key_pair(private, tmp_path / "public.pem")
    where = str(office.folder)
    for config in (AuditingConfig(key=private), AuditingConfig(checkpoints=where)):
        with pytest.raises(ConfigurationInvalid, match="both"):
            open_auditing(office.database, lambda: NOON, config)
    assert open_auditing(office.database, lambda: NOON, AuditingConfig()).notary is None
    auditing = open_auditing(office.database, lambda: NOON, AuditingConfig(key=private, checkpoints=where))
    await office.submit()
    assert auditing.notary is not None
    await auditing.notary.sign()
    assert (await auditing.auditor.verification()).checkpoints == 1
    assert json.loads(next(office.folder.iterdir()).read_bytes())["checkpoint"]["sequence"] == 1
