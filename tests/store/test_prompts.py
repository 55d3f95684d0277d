from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import text

from reward_llm.domain.prompts import PRODUCTION, PromptVersion
from reward_llm.errors import PromptInvalid, StoreUnavailable
from reward_llm.store import upgrade
from reward_llm.store.database import Database
from reward_llm.store.engine import writing_engine
from reward_llm.store.prompts import SqlPrompts
from reward_llm.store.sql_store import SqlStore
from tests.contracts.prompts import NAME, PACKAGED, PromptStoreContract, act, content, promoted


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    database = Database.open(url)
    yield database
    await database.aclose()


@pytest.fixture
def prompts(database: Database) -> SqlPrompts:
    return shipping(database, PACKAGED)


def shipping(database: Database, packaged: PromptVersion) -> SqlPrompts:
    return SqlPrompts(database, {packaged.name: packaged})


class TestSqlPrompts(PromptStoreContract):
    pass


async def test_another_connection_finds_everything_again(url: str, database: Database, prompts: SqlPrompts) -> None:
    version = await prompts.record_version(content(), act())
    await promoted(prompts, version)
    other = Database.open(url)
    assert await shipping(other, PACKAGED).labelled(NAME, PRODUCTION) == version
    await other.aclose()


async def test_a_prompt_that_ships_anew_is_the_next_version_and_moves_nothing(
    database: Database, prompts: SqlPrompts
) -> None:
    version = await prompts.record_version(content(), act())
    await promoted(prompts, version)
    upgraded = shipping(database, replace(PACKAGED, content=content("as it ships now")))
    newest = await upgraded.version(NAME, 3)
    assert (newest.packaged, newest.content.description) == (True, "as it ships now")
    assert [v.number for v in (await upgraded.versions(NAME)).items] == [3, 2, 1]
    assert await upgraded.labelled(NAME, PRODUCTION) == version
    assert (await upgraded.record_version(content("mine"), act())).number == 4
    assert await upgraded.version(NAME, 3) == newest


async def test_until_it_is_moved_production_stands_on_what_ships_now(database: Database, prompts: SqlPrompts) -> None:
    await prompts.record_version(content(), act())
    upgraded = shipping(database, replace(PACKAGED, content=content("as it ships now")))
    label = await upgraded.label(NAME, PRODUCTION)
    assert (label.number, label.revision) == (3, 0)


async def test_every_write_leaves_one_audit_record_and_repetitions_leave_none(
    database: Database, prompts: SqlPrompts
) -> None:
    version = await prompts.record_version(content(), act())
    await prompts.record_version(content(), act("bo"))
    await prompts.record_override(NAME, PRODUCTION, 2, act("bo"))
    await prompts.record_override(NAME, PRODUCTION, 2, act("bo"))
    await promoted(prompts, version)
    records = [r for r in await SqlStore(database).audit() if r.action.startswith("prompt.")]
    assert [(r.action, r.subject, r.actor) for r in reversed(records)] == [
        ("prompt.version_added", "goal_to_intents@2", "ann"),
        ("prompt.overridden", "goal_to_intents@2", "bo"),
        ("prompt.label_moved", "goal_to_intents/production", "bo"),
    ]


async def test_a_row_that_was_changed_behind_the_stores_back_isnt_taken_for_a_prompt(empty_url: str) -> None:
    await upgrade(empty_url)
    database = Database.open(empty_url)
    prompts = shipping(database, PACKAGED)
    await prompts.record_version(content(), act())
    engine = writing_engine(empty_url)
    async with engine.begin() as connection:
        await connection.execute(text("UPDATE prompt_versions SET content_hash = 'f' WHERE number = 2"))
        await connection.execute(text("UPDATE prompt_versions SET content = '{}' WHERE number = 1"))
    await engine.dispose()
    with pytest.raises(PromptInvalid, match="isn't what its content hash says"):
        await prompts.version(NAME, 2)
    with pytest.raises(PromptInvalid, match="isn't a prompt"):
        await prompts.version(NAME, 1)
    await database.aclose()


async def test_without_tables_the_store_says_so(empty_url: str) -> None:
    database = Database.open(empty_url)
    with pytest.raises(StoreUnavailable):
        await shipping(database, PACKAGED).labelled(NAME, PRODUCTION)
    await database.aclose()
