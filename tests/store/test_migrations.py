from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, insert, inspect, select
from sqlalchemy.ext.asyncio import AsyncEngine

import reward_llm.store.migrations
from reward_llm.domain.activation import Activation
from reward_llm.domain.goal import GoalState, Window
from reward_llm.domain.policy import RewardPolicy, Source
from reward_llm.domain.prompts import PromptVersion
from reward_llm.domain.review import Review, ReviewReason
from reward_llm.errors import StoreUnavailable
from reward_llm.generation.prompt_files import packaged_content
from reward_llm.store import SqlStore, codec, downgrade, revision, upgrade
from reward_llm.store import prompt_codec as prompts
from reward_llm.store.engine import reading_engine, writing_engine
from reward_llm.store.governance import SqlGovernance
from reward_llm.store.tables import metadata
from tests.contracts.store import ANN, CLICKS, FEED, NOON, goal, proposal

IN_CHAIN = {"chain": "home_feed", "position": 1, "reason": "", "address": "", "request_id": "", "patch": []} | {
    "previous_hash": "0" * 64,
    "preceding_hash": "0" * 64,
    "hash": "1" * 64,
}
PROMPT = PromptVersion(content=packaged_content("goal_to_intents"), number=2, author="ann", created_at=NOON)
REVIEW = Review(reason=ReviewReason.READ_BY_RULES)
MIGRATIONS = Path(reward_llm.store.migrations.__file__).parent
REVISIONS = sorted(script.revision for script in ScriptDirectory(str(MIGRATIONS)).walk_revisions())

T = TypeVar("T")


@pytest.fixture
def url(empty_url: str) -> str:
    return empty_url


def rows_to_insert() -> dict[str, dict[str, Any]]:
    """A row for every table, in the order of their foreign keys; older schemas lack some of the columns."""
    policy = RewardPolicy(scope=FEED, version=1, weights=CLICKS, source=Source.VLLM, origin="goal_1", created_at=NOON)
    activation = Activation(
        sequence=1, policy=policy, window=Window(valid_from=NOON), activated_at=NOON, activated_by="ann"
    )
    record = {"sequence": 1, "at": NOON, "actor": "ann", "action": "goal.received", "subject": "goal_1"}
    return {
        "goals": codec.goal_values(goal(targets={"retention": 0.65})) | {"state": "activated"},
        "policies": codec.policy_values(policy, "ann"),
        "proposals": codec.proposal_values(replace(proposal(), review=REVIEW))
        | {"goal_id": "goal_1", "policy_id": policy.policy_id, "settled_at": NOON},
        "activations": codec.activation_values(activation) | {"changed": 1},
        "reviews": {"policy_id": policy.policy_id, "kind": "approve", "actor": "bo", "at": NOON}
        | {"comment": "好", "content_hash": policy.content_hash, "needed": 1, "self_approval": False},
        "freezes": {"scenario": "home_feed", "segment": "", "frozen": True, "at": NOON}
        | {"actor": "ann", "reason": "stop", "changed": 2},
        "prompt_versions": prompts.version_values(PROMPT) | {"sequence": 1},
        "prompt_labels": {"id": "goal_to_intents/staging", "name": "goal_to_intents", "label": "staging"}
        | {"version_id": PROMPT.id, "revision": 1, "moved_by": "ann", "moved_at": NOON},
        "prompt_label_moves": {"sequence": 1, "label_id": "goal_to_intents/staging", "revision": 1, "to_number": 2}
        | {"reason": "试一试", "overridden_by": [], "moved_by": "ann", "moved_at": NOON},
        "prompt_overrides": {"sequence": 1, "version_id": PROMPT.id, "label": "production", "given_by": "bo"}
        | {"content_hash": PROMPT.content_hash, "reason": "urgent", "given_at": NOON},
        "tokens": {"sequence": 1, "id": "k3v7q2ma", "name": "ci", "hash": "h", "created_at": NOON}
        | {"created_by": "ann", "expires_at": NOON, "revoked_at": NOON, "grants": [{"role": "admin"}]},
        "token_uses": {"token_id": "k3v7q2ma", "last_used_at": NOON},
        "webhooks": {"sequence": 1, "id": "whk_1", "url": "https://example.org", "description": "审计", "actions": []}
        | {"active": True, "secret": "plain:s", "revision": 1, "created_at": NOON, "created_by": "ann"}
        | {"changed_at": NOON},
        "webhook_deliveries": {"id": "dlv_1", "webhook_id": "whk_1", "event_id": "evt_1"}
        | {"action": "goal.received", "body": "{}", "state": "dead", "tries": 10, "due_at": NOON, "created_at": NOON},
        "webhook_attempts": {"sequence": 1, "delivery_id": "dlv_1", "webhook_id": "whk_1", "at": NOON}
        | {"delivered": False, "status": 500, "duration_ms": 7, "error": "answered 500"},
        "sessions": {"id": "session_1", "secret_hash": "h", "name": "ann", "issuer": "https://id.example"}
        | {"subject": "1", "groups": ["ads"], "signed_in_at": NOON, "expires_at": NOON, "ended_at": None},
        "audit": record | {"details": {"text": "GMV目标1亿", "not": "\0\ud83d"}} | IN_CHAIN,
        "idempotency": {"key": "k", "request_hash": "h", "action": "a", "subject": "goal_1", "created_at": NOON},
    }


def fill(connection: Connection) -> None:
    for name, values in rows_to_insert().items():
        if not inspect(connection).has_table(name):
            continue
        table = Table(name, MetaData(), autoload_with=connection)
        fitting = {k: in_utc(v) for k, v in values.items() if k in table.columns}
        connection.execute(insert(table).values(fitting))


def in_utc(value: object) -> object:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def contents(connection: Connection) -> dict[str, list[dict[str, Any]]]:
    known = [name for name in rows_to_insert() if inspect(connection).has_table(name)]
    tables = {name: Table(name, MetaData(), autoload_with=connection) for name in known}
    found = {name: [dict(r) for r in connection.execute(select(t)).mappings()] for name, t in tables.items()}
    return found | {"audit": [r for r in found["audit"] if not r["action"].startswith("store.")]}


async def run(engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
    async with engine.begin() as connection:
        done = await connection.run_sync(work)
    await engine.dispose()
    return done


async def test_upgrading_goes_to_the_only_head(url: str) -> None:
    assert await revision(url) is None
    await upgrade(url)
    assert await revision(url) == ScriptDirectory(str(MIGRATIONS)).get_current_head()


async def test_the_migrations_make_the_tables_that_the_code_uses(url: str) -> None:
    await upgrade(url)

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    assert await run(reading_engine(url), differences) == []


@pytest.mark.parametrize("older", REVISIONS)
async def test_what_an_older_schema_holds_survives_the_way_up_down_and_up(url: str, older: str) -> None:
    await upgrade(url)
    await downgrade(url, older)
    assert await revision(url) == older
    await run(writing_engine(url), fill)
    before = await run(reading_engine(url), contents)
    assert all(len(rows) == 1 for rows in before.values())
    await upgrade(url)
    await downgrade(url, older)
    assert await run(reading_engine(url), contents) == before
    await upgrade(url)

    store = SqlStore.open(url)
    record = await store.goal("goal_1")
    assert record.goal == goal(targets={"retention": 0.65})
    assert record.state is GoalState.ACTIVATED
    assert record.proposal is not None
    assert replace(record.proposal, review=None) == proposal()
    activations = (await SqlGovernance(store._database).serving()).activations
    assert [(a.policy, a.percent, a.revision, a.start) for a in activations] == [(record.policy, 100, 1, NOON)]
    assert [r.subject for r in await store.audit() if r.subject] == ["goal_1"]
    assert (await store.record_edit(FEED, CLICKS, act=ANN)).version == 2
    await store.aclose()


async def test_upgrading_again_keeps_what_is_there(url: str) -> None:
    await upgrade(url)
    store = SqlStore.open(url)
    await store.record_goal(goal())
    record = await store.record_proposal("goal_1", proposal(), goal().submitted_at)
    await upgrade(url)
    assert await store.goal("goal_1") == record
    await store.aclose()


async def test_down_and_up_again_gives_an_empty_store(url: str) -> None:
    await upgrade(url)
    store = SqlStore.open(url)
    await store.record_goal(goal())
    await store.record_proposal("goal_1", proposal(), goal().submitted_at)
    await downgrade(url, "base")
    assert await revision(url) is None
    with pytest.raises(StoreUnavailable):
        await store.ping()
    await upgrade(url)
    assert (await store.goals()).items == ()
    await store.record_goal(goal())
    await store.aclose()


async def test_proposals_from_before_reviews_are_read_as_needing_nobody(url: str) -> None:
    await upgrade(url)
    store = SqlStore.open(url)
    await store.record_goal(goal())
    await store.record_proposal("goal_1", replace(proposal(), review=REVIEW), goal().submitted_at)
    await store.aclose()
    await downgrade(url, "0001")
    await upgrade(url)
    store = SqlStore.open(url)
    assert (await store.goal("goal_1")).proposal == proposal()
    await store.aclose()


async def test_policies_from_before_reviews_have_the_author_of_their_goal_or_edit(url: str) -> None:
    await upgrade(url)
    store = SqlStore.open(url)
    await store.record_goal(goal(submitted_by="王"))
    await store.record_proposal("goal_1", proposal(), NOON)
    await store.record_edit(FEED, CLICKS, act=ANN)
    await downgrade(url, "0003")
    await upgrade(url)
    made = (await store.policies()).items
    standings = await SqlGovernance(store._database).standings(made, NOON)
    assert [standings[p.policy_id].author for p in made] == ["ann", "王"]
    await store.aclose()


async def test_several_processes_may_upgrade_at_once(url: str) -> None:
    await asyncio.gather(*(upgrade(url) for _ in range(4)))
    assert await revision(url) is not None


async def test_a_migration_that_fails_leaves_nothing_behind(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", fail)
        with pytest.raises(RuntimeError, match="power cut"):
            await upgrade(url)
    assert await run(reading_engine(url), lambda c: inspect(c).get_table_names()) == []
    await upgrade(url)
