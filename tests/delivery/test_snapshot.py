from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from reward_llm.api.wire.weights import ScopeWeights, SnapshotItem
from reward_llm.delivery import snapshot as snapshot_module
from reward_llm.delivery.board import Board, BoardConfig
from reward_llm.delivery.snapshot import SnapshotBook
from reward_llm.domain.activation import Activation
from reward_llm.domain.ports import Freeze
from reward_llm.domain.scenario import Bilingual, Scenario, Scope, Segment
from reward_llm.domain.schedule import live, winners_first
from reward_llm.domain.serving import EncodedSnapshot
from tests.activations import ALL, NEW, NOON, activation, moment, schedules
from tests.delivery.test_board import SCENARIOS, Ledger, Time, freeze, refreshed
from tests.strategies import HOME_FEED

MANY = 10_000
SOME = 1_000


def segmented(count: int) -> Scenario:
    names = (f"s{i:04d}" for i in range(count))
    return replace(HOME_FEED, segments=tuple(Segment(name=n, description=Bilingual(en="", zh="")) for n in names))


def items_of(snapshot: EncodedSnapshot) -> dict[Scope, dict[str, Any]]:
    items = json.loads(b"[" + snapshot.items + b"]")
    return {Scope(i["scenario"], i["segment"]): i for i in items}


def large_board(ledger: Ledger, count: int = SOME) -> Board:
    return Board(scenarios={"home_feed": segmented(count)}, store=ledger, clock=Time(), config=BoardConfig())


FREEZES = st.lists(st.builds(freeze, st.sampled_from([ALL, NEW]), frozen=st.booleans()), max_size=2)


@given(made=schedules(), freezes=FREEZES, offset=st.integers(-16, 16))
async def test_an_item_is_what_a_lookup_gives_and_what_may_come(
    made: list[Activation], freezes: list[Freeze], offset: int
) -> None:
    board, when = await refreshed(*made, *freezes), moment(offset / 2)
    items = items_of(await SnapshotBook(board).snapshot(when))
    assert list(items) == [s.scope for s in board.snapshot(when)]
    for served in board.snapshot(when):
        item = items[served.scope]
        lookup = json.loads(served.content)
        assert {k: item[k] for k in lookup} == lookup
        assert item["frozen"] == (served.rule.value == "frozen")
        default = board.held_at(served.scope, datetime.min.replace(tzinfo=NOON.tzinfo))
        assert (item["default"]["policy_id"], item["default"]["source"]) == (default.policy_id, "default")
        own = [a for a in made if a.policy.scope == served.scope] if not item["frozen"] else []
        expected = [a.sequence for a in live(winners_first(own), when)]
        assert [a["activation"] for a in item["activations"]] == expected


@given(made=schedules(), freezes=FREEZES, offset=st.integers(-16, 16), unit=st.sampled_from([None, "ann", "bo"]))
async def test_what_is_encoded_is_what_the_models_describe(
    made: list[Activation], freezes: list[Freeze], offset: int, unit: str | None
) -> None:
    board, when = await refreshed(*made, *freezes), moment(offset / 2)
    for part in (await SnapshotBook(board).snapshot(when)).parts:
        assert_equal(SnapshotItem.model_validate_json(part), part)
    for scope in board.scopes:
        content = board.lookup(scope, when, unit).content
        assert_equal(ScopeWeights.model_validate_json(content), content)


def assert_equal(model: ScopeWeights, encoded: bytes) -> None:
    again, sent = json.loads(model.model_dump_json()), json.loads(encoded)
    assert again == sent
    assert list(again) == list(sent)[: len(again)]


@given(made=schedules(), changed=schedules(), offsets=st.lists(st.integers(-16, 16), min_size=1, max_size=6))
async def test_a_kept_snapshot_is_the_one_that_a_new_process_would_make(
    made: list[Activation], changed: list[Activation], offsets: list[int]
) -> None:
    scopes = {a.sequence: a.policy.scope for a in made}
    ledger = Ledger(*made)
    board = Board(scenarios=SCENARIOS, store=ledger, clock=Time(), config=BoardConfig())
    await board.refresh()
    book = SnapshotBook(board)
    for number, offset in enumerate(offsets):
        later = changed[number : number + 1]
        ledger.changes += [a for a in later if scopes.get(a.sequence, a.policy.scope) == a.policy.scope]
        await board.refresh()
        when = moment(offset / 2)
        kept = await book.snapshot(when)
        fresh = await SnapshotBook(await refreshed(*ledger.changes)).snapshot(when)
        assert (kept.items, kept.etag, kept.revision) == (fresh.items, fresh.etag, len(ledger.changes))


@given(made=schedules(), offset=st.integers(-16, 16))
@settings(max_examples=25)
async def test_nothing_changes_before_the_next_change(made: list[Activation], offset: int) -> None:
    board, when = await refreshed(*made), moment(offset / 2)
    book = SnapshotBook(board)
    before, edge = await book.snapshot(when), board.next_change(when)
    for later in (when + timedelta(minutes=m / 2) for m in range(40)):
        if edge is None or later < edge:
            assert (await SnapshotBook(await refreshed(*made)).snapshot(later)).items == before.items
    assert edge is None or edge > when


async def test_a_snapshot_of_some_scenarios_has_an_entity_tag_of_its_own() -> None:
    book = SnapshotBook(await refreshed(activation(1)))
    all_of_it, home, video, none = [
        await book.snapshot(NOON, names)
        for names in (None, frozenset({"home_feed"}), frozenset({"video_feed"}), frozenset[str]())
    ]
    assert len({s.etag for s in (all_of_it, home, video, none)}) == 4
    assert all_of_it.parts == (*home.parts, *video.parts)
    assert none.items == b""
    assert await book.etag(NOON, frozenset({"home_feed"})) == home.etag
    digests = b"".join(hashlib.sha256(p).digest() for p in home.parts)
    assert home.etag == hashlib.sha256(digests).hexdigest()[:32]


async def test_an_activation_of_one_scenario_leaves_the_entity_tag_of_another() -> None:
    ledger = Ledger()
    board = Board(scenarios=SCENARIOS, store=ledger, clock=Time(), config=BoardConfig())
    book, names = SnapshotBook(board), [frozenset({n}) for n in ("home_feed", "video_feed")]
    before = [await book.etag(NOON, n) for n in names]
    ledger.changes.append(activation(1))
    await board.refresh()
    after = [await book.etag(NOON, n) for n in names]
    assert (before[0] != after[0], before[1] == after[1]) == (True, True)


async def test_many_choices_of_scenarios_take_no_more_room() -> None:
    book = SnapshotBook(await refreshed())
    for number in range(100):
        await book.etag(NOON, frozenset({f"scenario_{number}"}))
    assert book._state is not None
    assert len(book._state.views) == snapshot_module._VISIBILITIES


async def test_ten_thousand_segments_are_encoded_once_and_then_only_what_changed() -> None:
    ledger = Ledger(*(activation(i + 1, Scope("home_feed", f"s{i:04d}")) for i in range(MANY)))
    board = large_board(ledger, MANY)
    await board.refresh()
    book = SnapshotBook(board)
    first = await book.snapshot(NOON)
    assert len(first.items) > 8_000_000
    assert len(first.parts) == MANY + 1
    ledger.changes.append(activation(MANY + 1, Scope("home_feed", "s0007")))
    await board.refresh()
    second = await book.snapshot(NOON)
    same = [a is b for a, b in zip(first.parts, second.parts, strict=True)]
    assert same.count(False) == 1
    assert first.etag != second.etag
    assert items_of(second)[Scope("home_feed", "s0007")]["version"] == MANY + 1


async def test_others_have_their_turn_while_much_is_encoded() -> None:
    board = large_board(Ledger(activation(1)))
    await board.refresh()
    encoding = asyncio.create_task(SnapshotBook(board).snapshot(NOON))
    turns = 0
    while not encoding.done():
        await asyncio.sleep(0)
        assert board.lookup(ALL, NOON).policy.version == 1
        turns += 1
    assert turns >= SOME / snapshot_module._AT_ONCE


async def test_many_who_ask_at_once_have_it_encoded_once() -> None:
    board = large_board(Ledger(activation(1)))
    await board.refresh()
    book = SnapshotBook(board)
    snapshots = await asyncio.gather(*(book.snapshot(NOON) for _ in range(50)))
    assert len({id(s) for s in snapshots}) == 1


async def test_what_changes_while_much_is_encoded_is_in_it_whole() -> None:
    ledger = Ledger(activation(1))
    board = large_board(ledger)
    await board.refresh()
    encoding = asyncio.create_task(SnapshotBook(board).snapshot(NOON))
    for version in range(2, 30):
        await asyncio.sleep(0)
        ledger.changes.append(activation(version))
        await board.refresh()
    snapshot = await encoding
    versions = {i["version"] for i in items_of(snapshot).values()}
    assert versions == {snapshot.revision}


async def test_what_is_asked_for_after_a_change_has_it_even_if_an_older_one_is_being_encoded() -> None:
    ledger = Ledger(activation(1))
    board = large_board(ledger)
    await board.refresh()
    book = SnapshotBook(board)
    early = asyncio.create_task(book.snapshot(NOON))
    await asyncio.sleep(0)
    ledger.changes.append(activation(2))
    await board.refresh()
    assert (await book.snapshot(NOON)).revision == 2
    assert (await early).revision in {1, 2}
