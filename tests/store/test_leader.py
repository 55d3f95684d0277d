from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from reward_llm.errors import ConfigurationInvalid, StoreUnavailable
from reward_llm.store.engine import listener
from reward_llm.store.leader import leader_lock
from reward_llm.store.leader_file import FileLock
from reward_llm.store.leader_session import LEADER_LOCK, SessionLock
from reward_llm.store.postgresql import WRITER_LOCK
from tests import databases

SOON_S = 20.0


async def test_of_two_one_leads_and_the_other_does_after_it(empty_url: str) -> None:
    one, other = leader_lock(empty_url), leader_lock(empty_url)
    async with one.attempt() as leadership:
        assert leadership is not None
        async with other.attempt() as second:
            assert second is None
    async with other.attempt() as second:
        assert second is not None


async def test_leaders_of_different_databases_are_in_nobodys_way(tmp_path: Path, empty_url: str) -> None:
    one, other = leader_lock(empty_url), leader_lock(f"sqlite:///{tmp_path}/other.db")
    async with one.attempt() as here, other.attempt() as there:
        assert None not in {here, there}


async def test_leadership_isnt_lost_as_long_as_nothing_happens(empty_url: str) -> None:
    async with leader_lock(empty_url).attempt() as leadership:
        assert leadership is not None
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(leadership.lost(), 0.3)


async def test_leadership_is_lost_with_the_connection(postgres_url: str) -> None:
    async with leader_lock(postgres_url).attempt() as leadership:
        assert leadership is not None
        losing = asyncio.create_task(leadership.lost())
        await asyncio.sleep(0)
        ended = await asyncio.to_thread(
            databases.execute,
            "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory'"
            " AND database = (SELECT oid FROM pg_database WHERE datname = $1)",
            postgres_url.rpartition("/")[2].partition("?")[0],
        )
        assert ended == 1
        await asyncio.wait_for(losing, SOON_S)
        async with leader_lock(postgres_url).attempt() as next_one:
            assert next_one is not None


async def test_leadership_is_lost_when_the_server_answers_no_more(postgres_url: str) -> None:
    """A connection that hangs is as bad as one that is closed; the transport that stops reading stands for that."""
    lock = SessionLock(listener(postgres_url), beat_s=0.1)
    async with lock.attempt() as leadership:
        assert leadership is not None
        leadership._connection._transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.wait_for(leadership.lost(), SOON_S)


async def test_leadership_is_lost_with_the_file(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "store.db", look_s=0.01)
    async with lock.attempt() as leadership:
        assert leadership is not None
        (tmp_path / lock.name).unlink()
        await asyncio.wait_for(leadership.lost(), SOON_S)
        async with lock.attempt() as next_one:
            assert next_one is not None


async def test_a_folder_that_isnt_there_is_no_crash(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        async with leader_lock(f"sqlite:///{tmp_path}/nowhere/store.db").attempt():
            pass


async def test_a_server_that_isnt_there_is_no_crash() -> None:
    with pytest.raises(StoreUnavailable):
        async with leader_lock("postgresql://nobody@127.0.0.1:1/nothing").attempt():
            pass


def test_a_database_in_memory_has_no_lock() -> None:
    with pytest.raises(ConfigurationInvalid):
        leader_lock("sqlite://")


def test_the_leaders_lock_isnt_the_writers() -> None:
    assert LEADER_LOCK != WRITER_LOCK
    assert 0 < LEADER_LOCK < 2**63
