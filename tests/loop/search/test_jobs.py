"""Searches whose service is killed: two real processes on one database."""

from __future__ import annotations

import asyncio
import dataclasses
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from reward_llm.domain.act import Act
from reward_llm.domain.loop import LoopEntry, LoopKind
from reward_llm.domain.searching import StudyState
from reward_llm.loop.search.processes import Owner
from reward_llm.store.database import Database
from reward_llm.store.loop import SqlLoop
from tests.api.harness import Setup
from tests.loop.search.killed import jobs_on
from tests.loop.search.problems import plan


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of processes by files")
async def test_what_a_killed_service_left_is_interrupted_and_goes_on_elsewhere(setup: Setup) -> None:
    database = Database.open(setup.url)
    jobs = jobs_on(database)
    pipe = asyncio.subprocess.PIPE
    service = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.loop.search.killed", setup.url, stdout=pipe
    )
    try:
        assert service.stdout is not None
        study_id = (await service.stdout.readline()).decode().strip()
        before = await jobs.study(study_id)
        assert (before.state, len(before.trials)) == (StudyState.RUNNING, 3)
    finally:
        service.kill()
        await service.wait()
    left = await jobs.study(study_id)
    assert (left.state, left.trials) == (StudyState.INTERRUPTED, before.trials)
    page = await jobs.studies(scenarios=None)
    assert [(s.id, s.state, s.done) for s in page.items] == [(study_id, StudyState.INTERRUPTED, 3)]
    act = Act(actor="bob", at=datetime.now(UTC))
    assert (await jobs.resume(study_id, act)).state is StudyState.QUEUED
    async with asyncio.timeout(240):
        while (now := await jobs.study(study_id)).state is not StudyState.DONE:
            assert now.state in {StudyState.QUEUED, StudyState.RUNNING}
            await asyncio.sleep(0.05)
    assert now.trials[:3] == before.trials
    await jobs.aclose()
    await database.aclose()


async def test_a_study_that_ends_while_it_is_looked_up_is_done(setup: Setup, monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database.open(setup.url)
    jobs, entries, record_read = jobs_on(database), SqlLoop.entries, asyncio.Event()

    async def after_the_end(loop: SqlLoop, record_id: str) -> Sequence[LoopEntry]:
        monkeypatch.setattr(SqlLoop, "entries", entries)
        record_read.set()
        async with asyncio.timeout(240):
            while (await loop.record(LoopKind.STUDY, record_id)).state != StudyState.DONE:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
            while jobs._jobs:  # noqa: ASYNC110 - only the jobs know
                await asyncio.sleep(0.05)
        return await loop.entries(record_id)

    study = await jobs.start(plan(), Act(actor="ann", at=datetime.now(UTC)))
    async with asyncio.timeout(240):
        while not (await jobs.study(study.id)).trials:  # noqa: ASYNC110 - only the store knows
            await asyncio.sleep(0.05)
    monkeypatch.setattr(SqlLoop, "entries", after_the_end)
    found = await jobs.study(study.id)
    assert record_read.is_set()
    assert (found.state, len(found.trials)) == (StudyState.DONE, found.done)
    assert found.result is not None
    await jobs.aclose()
    await database.aclose()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of processes by files")
def test_a_process_is_gone_when_its_number_is_anothers() -> None:
    own = Owner.this()
    assert own.began
    assert not own.is_gone
    assert dataclasses.replace(own, began="1").is_gone


def test_of_other_machines_and_of_those_that_tell_nothing_nobody_knows() -> None:
    own = Owner.this()
    assert not dataclasses.replace(own, machine="elsewhere", process=2**22 + 1).is_gone
    assert not dataclasses.replace(own, began="", process=2**22 + 1).is_gone
