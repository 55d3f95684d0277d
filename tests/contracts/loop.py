"""What every `reward_llm.domain.ports.LoopStore` does."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reward_llm.domain.act import Act
from reward_llm.domain.loop import LoopKind, LoopRecord
from reward_llm.domain.ports import IdempotencyClaim, LoopStore
from reward_llm.domain.scenario import Scope
from reward_llm.errors import (
    Conflict,
    ExperimentUnderway,
    IdempotencyConflict,
    InvalidInput,
    LoopRecordUnknown,
    PreconditionFailed,
    ScopeControlled,
)

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
ANN = Act(actor="ann", at=NOON, reason="because")
BOB = Act(actor="bob", at=LATER, reason="enough")
FEED = Scope("home_feed")
NEW_USERS = Scope("home_feed", "new_user")
PLAN = {"treatment": "pol_1", "percent": 12.5, "metrics": ["ctr", "gmv"], "note": "多样性", "none": None}
CLAIM = IdempotencyClaim(key="key-1", request_hash="a" * 64)


async def planned(store: LoopStore, scope: Scope = FEED, kind: LoopKind = LoopKind.EXPERIMENT) -> LoopRecord:
    return await store.create(kind, scope, "planned", PLAN, ANN)


class LoopStoreContract:
    async def test_a_record_is_kept_as_it_was_made(self, loop_store: LoopStore) -> None:
        made = await planned(loop_store, NEW_USERS)
        assert (made.scope, made.state, made.revision, made.created_by) == (NEW_USERS, "planned", 1, "ann")
        assert made.document == PLAN
        assert await loop_store.record(LoopKind.EXPERIMENT, made.id) == made

    async def test_an_id_that_is_known_gives_its_record(self, loop_store: LoopStore) -> None:
        made = await loop_store.create(LoopKind.MEMORY, FEED, "open", PLAN, ANN, record_id="mem_1")
        again = await loop_store.create(LoopKind.MEMORY, NEW_USERS, "shut", {}, BOB, record_id="mem_1")
        assert made.id == "mem_1"
        assert again == made
        with pytest.raises(LoopRecordUnknown):
            await loop_store.create(LoopKind.STUDY, FEED, "open", PLAN, ANN, record_id="mem_1")

    async def test_a_record_of_another_kind_is_unknown(self, loop_store: LoopStore) -> None:
        made = await planned(loop_store)
        with pytest.raises(LoopRecordUnknown):
            await loop_store.record(LoopKind.STUDY, made.id)
        with pytest.raises(LoopRecordUnknown):
            await loop_store.record(LoopKind.EXPERIMENT, "exp_0")

    async def test_a_key_finds_what_it_made_and_nothing_that_it_did_not(self, loop_store: LoopStore) -> None:
        assert await loop_store.made_by(LoopKind.CONTROLLER, CLAIM) is None
        made = await loop_store.create(LoopKind.CONTROLLER, FEED, "planned", PLAN, ANN, CLAIM)
        assert await loop_store.made_by(LoopKind.CONTROLLER, CLAIM) == made
        with pytest.raises(IdempotencyConflict):
            await loop_store.made_by(LoopKind.CONTROLLER, IdempotencyClaim(key="key-1", request_hash="b" * 64))

    async def test_a_change_counts(self, loop_store: LoopStore) -> None:
        made = await planned(loop_store)
        changed = await loop_store.change(made, "started", BOB, state="running", document={"percent": 50})
        assert (changed.revision, changed.state, changed.changed_at) == (2, "running", LATER)
        assert changed.document == {"percent": 50}
        assert (changed.created_at, changed.created_by) == (NOON, "ann")
        assert await loop_store.record(LoopKind.EXPERIMENT, made.id) == changed

    async def test_who_changes_what_was_changed_since_is_told(self, loop_store: LoopStore) -> None:
        made = await planned(loop_store)
        await loop_store.change(made, "started", BOB, state="running", document=PLAN)
        with pytest.raises(PreconditionFailed, match="has the revision 2, not 1") as refused:
            await loop_store.change(made, "started", BOB, state="running", document=PLAN)
        assert refused.value.current == {"state": "running", "revision": 2}

    async def test_of_two_changes_at_once_one_is_made(self, loop_store: LoopStore) -> None:
        made = await planned(loop_store)
        changes = [loop_store.change(made, "ended", BOB, state=f"ended by {n}", document=PLAN) for n in range(4)]
        results = await asyncio.gather(*changes, return_exceptions=True)
        assert sum(isinstance(result, LoopRecord) for result in results) == 1
        assert sum(isinstance(result, PreconditionFailed) for result in results) == 3

    async def test_a_claim_stands_for_the_change_that_it_came_with(self, loop_store: LoopStore) -> None:
        made, other = await planned(loop_store), await planned(loop_store)
        told: dict[str, Any] = {"state": "running", "document": {"percent": 50}, "claim": CLAIM}
        assert await loop_store.made_by(made.kind, CLAIM, "started") is None
        changed = await loop_store.change(made, "started", BOB, **told)
        stopped = await loop_store.change(changed, "stopped", BOB, state="stopped", document=PLAN)
        assert await loop_store.made_by(made.kind, CLAIM, "started") == stopped
        assert await loop_store.made_by(made.kind, None, "started") is None
        assert await loop_store.change(made, "started", BOB, **told) == stopped
        for action in ("created", "stopped"):
            with pytest.raises(IdempotencyConflict):
                await loop_store.made_by(made.kind, CLAIM, action)
        told["claim"] = IdempotencyClaim(key=CLAIM.key, request_hash="b" * 64)
        with pytest.raises(IdempotencyConflict):
            await loop_store.change(other, "started", BOB, **told)
        assert await loop_store.record(other.kind, other.id) == other

    async def test_a_claim_stands_for_what_needed_no_change(self, loop_store: LoopStore) -> None:
        made = await planned(loop_store)
        assert await loop_store.leave(made, "stopped", BOB, CLAIM) == made
        changed = await loop_store.change(made, "started", BOB, state="running", document=PLAN)
        assert await loop_store.made_by(made.kind, CLAIM, "stopped") == changed
        assert await loop_store.leave(made, "stopped", BOB, CLAIM) == changed
        assert await loop_store.change(made, "stopped", BOB, state="stopped", document={}, claim=CLAIM) == changed
        with pytest.raises(PreconditionFailed):
            await loop_store.leave(made, "stopped", BOB)
        with pytest.raises(IdempotencyConflict):
            await loop_store.leave(changed, "stopped", BOB, IdempotencyClaim(key="key-1", request_hash="b" * 64))

    @pytest.mark.parametrize(
        ("kind", "refusal"),
        [(LoopKind.EXPERIMENT, ExperimentUnderway), (LoopKind.CONTROLLER, ScopeControlled)],
    )
    async def test_of_several_that_come_in_the_same_instant_one_has_the_scope(
        self, loop_store: LoopStore, kind: LoopKind, refusal: type[Conflict]
    ) -> None:
        records = [await loop_store.create(kind, FEED, "planned", PLAN, ANN) for _ in range(3)]
        starts = [loop_store.change(record, "started", BOB, state="running", document=PLAN) for record in records]
        made = [loop_store.create(kind, FEED, "running", PLAN, ANN) for _ in range(2)]
        results = await asyncio.gather(*starts, *made, return_exceptions=True)
        (holder,) = [result for result in results if isinstance(result, LoopRecord)]
        refused = [result for result in results if isinstance(result, refusal)]
        assert len(refused) == 4
        assert all(holder.id in one.message for one in refused)
        assert (await loop_store.records(kind, states={"running"})).items == (holder,)
        await loop_store.change(holder, "ended", BOB, state="ended", document=PLAN)
        assert (await loop_store.create(kind, FEED, "running", PLAN, ANN)).state == "running"

    async def test_experiments_share_no_units_and_controllers_no_scope(self, loop_store: LoopStore) -> None:
        async def running(kind: LoopKind, scope: Scope) -> LoopRecord:
            return await loop_store.create(kind, scope, "running", PLAN, ANN)

        whole = await running(LoopKind.EXPERIMENT, FEED)
        with pytest.raises(ExperimentUnderway, match=whole.id):
            await running(LoopKind.EXPERIMENT, NEW_USERS)
        await running(LoopKind.EXPERIMENT, Scope("video_feed"))
        for scope in (FEED, NEW_USERS, Scope("home_feed", "mature_user")):
            assert (await running(LoopKind.CONTROLLER, scope)).scope == scope
        await loop_store.change(whole, "stopped", BOB, state="stopped", document=PLAN)
        await running(LoopKind.EXPERIMENT, NEW_USERS)
        with pytest.raises(ExperimentUnderway):
            await running(LoopKind.EXPERIMENT, FEED)
        await running(LoopKind.EXPERIMENT, Scope("home_feed", "mature_user"))

    async def test_who_has_the_scope_changes_within_it(self, loop_store: LoopStore) -> None:
        record = await loop_store.create(LoopKind.CONTROLLER, FEED, "running", PLAN, ANN)
        for state in ("paused", "running", "overtaken", "running", "running", "ended"):
            record = await loop_store.change(record, "changed", BOB, state=state, document=PLAN)
        assert (record.state, record.revision) == ("ended", 7)

    async def test_a_claim_stands_for_what_it_made(self, loop_store: LoopStore) -> None:
        first = await loop_store.create(LoopKind.STUDY, FEED, "planned", PLAN, ANN, CLAIM)
        second = await loop_store.create(LoopKind.STUDY, FEED, "planned", PLAN, ANN, CLAIM)
        assert first == second
        other = IdempotencyClaim(key=CLAIM.key, request_hash="b" * 64)
        with pytest.raises(IdempotencyConflict):
            await loop_store.create(LoopKind.STUDY, FEED, "planned", PLAN, ANN, other)

    async def test_lists_are_newest_first_and_chosen_from(self, loop_store: LoopStore) -> None:
        first = await planned(loop_store)
        second = await planned(loop_store, Scope("video_feed"))
        await planned(loop_store, kind=LoopKind.CONTROLLER)
        running = await loop_store.change(first, "started", BOB, state="running", document=PLAN)
        whole = await loop_store.records(LoopKind.EXPERIMENT)
        assert whole.items == (second, running)
        assert (await loop_store.records(LoopKind.EXPERIMENT, scenarios={"home_feed"})).items == (running,)
        assert (await loop_store.records(LoopKind.EXPERIMENT, states={"planned"})).items == (second,)
        assert (await loop_store.records(LoopKind.EXPERIMENT, states=set())).items == ()

    async def test_pages_join_to_the_list(self, loop_store: LoopStore) -> None:
        made = [await planned(loop_store) for _ in range(5)]
        found: list[LoopRecord] = []
        cursor = None
        while True:
            page = await loop_store.records(LoopKind.EXPERIMENT, cursor=cursor, limit=2)
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == made[::-1]

    async def test_entries_are_counted_from_one(self, loop_store: LoopStore) -> None:
        made, other = await planned(loop_store), await planned(loop_store)
        await loop_store.gather(made.id, [{"day": 1}, {"day": 2}], ANN)
        await loop_store.gather(other.id, [{"day": 9}], ANN)
        await loop_store.gather(made.id, [{"day": 3}], BOB)
        found = await loop_store.entries(made.id)
        assert [(entry.number, entry.document["day"]) for entry in found] == [(1, 1), (2, 2), (3, 3)]
        assert [entry.at for entry in found] == [NOON, NOON, LATER]
        assert [entry.number for entry in await loop_store.entries(made.id, after=1, limit=1)] == [2]
        assert [entry.number for entry in await loop_store.last_entries(made.id, 2)] == [2, 3]

    async def test_who_gathers_beside_another_is_told(self, loop_store: LoopStore) -> None:
        made = await planned(loop_store)
        await loop_store.gather(made.id, [{"day": 1}], ANN, revision=1, after=0)
        with pytest.raises(PreconditionFailed, match="last entry"):
            await loop_store.gather(made.id, [{"day": 1}], BOB, after=0)
        await loop_store.change(made, "started", BOB, state="running", document=PLAN)
        with pytest.raises(PreconditionFailed, match="revision"):
            await loop_store.gather(made.id, [{"day": 2}], ANN, revision=1, after=1)
        assert [entry.document for entry in await loop_store.entries(made.id)] == [{"day": 1}]

    async def test_of_several_who_gather_in_the_same_instant_one_does(self, loop_store: LoopStore) -> None:
        made = await planned(loop_store)
        looks = (loop_store.gather(made.id, [{"by": n}], ANN, after=0) for n in range(4))
        results = await asyncio.gather(*looks, return_exceptions=True)
        assert sum(result is None for result in results) == 1
        assert sum(isinstance(result, PreconditionFailed) for result in results) == 3
        assert len(await loop_store.entries(made.id)) == 1

    async def test_nothing_gathers_for_nobody(self, loop_store: LoopStore) -> None:
        with pytest.raises(LoopRecordUnknown):
            await loop_store.gather("exp_0", [{}], ANN)
        assert await loop_store.entries("exp_0") == []

    @pytest.mark.parametrize("limit", [0, 1_001])
    async def test_only_so_many_entries_are_read_at_once(self, loop_store: LoopStore, limit: int) -> None:
        with pytest.raises(InvalidInput):
            await loop_store.entries("exp_0", limit=limit)
        with pytest.raises(InvalidInput):
            await loop_store.last_entries("exp_0", limit)
