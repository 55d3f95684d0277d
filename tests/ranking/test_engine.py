"""The engine and its room, over small networks that never learned anything."""

from __future__ import annotations

import asyncio
import dataclasses
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import torch

from ranker.whatif import WhatIfConfig
from reward_llm.domain.ranking import RankingRequest
from reward_llm.domain.scenario import Scenario
from reward_llm.errors import RankerBusy, RankerUnavailable, RankingInvalid, WeightsInvalid
from reward_llm.ranking.engine import Engine, EngineConfig, keep_to_threads
from reward_llm.ranking.room import Room, RoomConfig
from tests.ranking.requests import request_of, row_of
from tests.strategies import HOME_FEED, VIDEO_FEED

FEW = WhatIfConfig(requests=20, nearby=6, resamples=200, examples=2)
MORE_GMV = {"click": 0.05, "gmv": 0.7, "satisfaction": 0.05, "retention": 0.05, "diversity": 0.05, "cold_start": 0.05,
            "group_order": 0.05}  # fmt: skip


@pytest.fixture(scope="module")
def engine(folder: Path) -> Engine:
    return Engine.load(EngineConfig(checkpoint=folder, what_if=FEW))


@pytest.fixture
def sent(logged: pa.Table) -> RankingRequest:
    return request_of(row_of(logged, 0))


def with_own_names(scenario: Scenario) -> Scenario:
    """The scenario with each utility called otherwise, and of the same concept."""
    renamed = tuple(dataclasses.replace(u, name=f"our_{u.name}") for u in scenario.utilities)
    guardrails = dataclasses.replace(scenario.guardrails, held=())
    return dataclasses.replace(scenario, name="ours", utilities=renamed, guardrails=guardrails)


def test_a_slate_shows_candidates_once_and_says_what_it_is_worth(engine: Engine, sent: RankingRequest) -> None:
    ranked = engine.rerank(HOME_FEED, HOME_FEED.defaults, sent)
    assert len(set(ranked.items)) == len(ranked.items) == 6
    assert set(ranked.items) <= {c.item_id for c in sent.candidates}
    assert set(ranked.utilities) == set(HOME_FEED.utility_names)
    weighed = sum(HOME_FEED.defaults[name] * value for name, value in ranked.utilities.items())
    assert ranked.score == pytest.approx(weighed, abs=1e-5)
    assert ranked.ignored == ranked.missing == ranked.unknown == ()


def test_pins_and_bans_are_kept(engine: Engine, sent: RankingRequest) -> None:
    pinned, banned = sent.candidates[3].item_id, engine.rerank(HOME_FEED, HOME_FEED.defaults, sent).items[0]
    assert pinned != banned
    some = tuple(dataclasses.replace(c, forbidden=c.item_id == banned) for c in sent.candidates)
    ranked = engine.rerank(
        HOME_FEED, HOME_FEED.defaults, dataclasses.replace(sent, candidates=some, pinned={pinned: 2})
    )
    assert ranked.items[2] == pinned
    assert banned not in ranked.items


def test_utilities_are_measured_by_their_concept_under_the_scenarios_names(
    engine: Engine, sent: RankingRequest
) -> None:
    ours = with_own_names(HOME_FEED)
    plain = engine.rerank(HOME_FEED, MORE_GMV, sent)
    named = engine.rerank(ours, {f"our_{name}": weight for name, weight in MORE_GMV.items()}, sent)
    assert named.items == plain.items
    assert named.utilities == {f"our_{name}": value for name, value in plain.utilities.items()}


def test_a_utility_that_the_ranker_does_not_measure_is_ignored_and_named(
    engine: Engine, sent: RankingRequest
) -> None:
    ranked = engine.rerank(VIDEO_FEED, VIDEO_FEED.defaults, sent)
    assert ranked.ignored == ("calm",)
    assert set(ranked.utilities) == {"watch_quality", "return_tomorrow", "fresh_creators"}
    without = {name: weight for name, weight in VIDEO_FEED.defaults.items() if name != "calm"}
    assert engine.rerank(VIDEO_FEED, without, sent).items == ranked.items
    with pytest.raises(WeightsInvalid):
        engine.rerank(VIDEO_FEED, {"calm": 1.0}, sent)


def test_a_utility_without_a_concept_is_measured_by_a_ranker_that_has_one_of_its_name(
    folder: Path, sent: RankingRequest
) -> None:
    plain = dataclasses.replace(VIDEO_FEED.utility("calm"), name="diversity")
    scenario = dataclasses.replace(VIDEO_FEED, utilities=(*VIDEO_FEED.utilities[:-1], plain))
    ranked = Engine.load(EngineConfig(checkpoint=folder)).rerank(scenario, scenario.defaults, sent)
    assert (ranked.ignored, "diversity" in ranked.utilities) == ((), True)


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"size": 19}, "candidates", "too_few"),
        ({"candidates": ()}, "candidates", "too_few"),
        ({"pinned": {"nobody": 0}}, "pinned/nobody", "unknown"),
    ],
)
def test_what_can_not_be_ranked_is_told_with_its_place(
    changes: dict[str, Any], path: str, code: str, engine: Engine, sent: RankingRequest
) -> None:
    with pytest.raises(RankingInvalid) as refused:
        engine.rerank(HOME_FEED, HOME_FEED.defaults, dataclasses.replace(sent, **changes))
    assert (path, code) in {(v.path, v.code) for v in refused.value.violations}


def test_repeated_ids_and_impossible_pins_are_told_with_their_places(sent: RankingRequest) -> None:
    first, second, third, *rest = sent.candidates
    twice = dataclasses.replace(second, item_id=first.item_id)
    banned = dataclasses.replace(third, forbidden=True)
    pinned = {first.item_id: 6, third.item_id: 0, rest[0].item_id: 0}
    wrong = dataclasses.replace(sent, candidates=(first, twice, banned, *rest), pinned=pinned)
    assert [(v.path, v.code) for v in wrong.problems()] == [
        ("candidates/1/item_id", "repeated"),
        (f"pinned/{first.item_id}", "slot"),
        (f"pinned/{third.item_id}", "forbidden"),
        (f"pinned/{rest[0].item_id}", "taken"),
    ]
    assert list(sent.problems()) == []


def test_a_preview_of_the_weights_in_force_changes_nothing(engine: Engine) -> None:
    preview = engine.preview(HOME_FEED, HOME_FEED.defaults, HOME_FEED.defaults)
    assert (preview.requests, preview.size, preview.changed_share, preview.replaced_share) == (20, 6, 0, 0)
    assert [c.utility for c in preview.changes] == list(HOME_FEED.utility_names)
    assert all(c.before == c.after and c.change.low == c.change.high == 0 for c in preview.changes)
    assert sum(c.influence_after for c in preview.changes) == pytest.approx(1)


def test_a_preview_says_what_moves_and_shows_slates(engine: Engine, logged: pa.Table) -> None:
    preview = engine.preview(HOME_FEED, HOME_FEED.defaults, MORE_GMV)
    (gmv,) = [c for c in preview.changes if c.utility == "gmv"]
    assert gmv.influence_after > gmv.influence_before
    assert all(c.change.low <= c.change.mean <= c.change.high for c in preview.changes)
    assert len(preview.examples) == 2
    known = {name: row_of(logged, i) for i, name in enumerate(logged.column("request_id").to_pylist())}
    for example in preview.examples:
        assert {i.item_id for i in (*example.before, *example.after)} <= set(known[example.request_id]["item_id"])
        assert len(example.after) == 6
    assert engine.preview(HOME_FEED, HOME_FEED.defaults, MORE_GMV) == preview


def test_an_explanation_names_a_logged_request_by_id_or_number(engine: Engine, logged: pa.Table) -> None:
    name = logged.column("request_id")[3].as_py()
    by_id, by_number = (engine.explain(HOME_FEED, MORE_GMV, request) for request in (name, "3"))
    assert by_id == by_number
    assert (by_id.request_id, len(by_id.items)) == (name, 6)
    assert sum(by_id.influence.values()) == pytest.approx(1)
    assert set(by_id.items[0].contributions) == set(HOME_FEED.utility_names)
    for unknown in ("40", "-1", "x"):
        with pytest.raises(RankingInvalid, match="no request"):
            engine.explain(HOME_FEED, MORE_GMV, unknown)


def test_a_folder_without_a_checkpoint_or_a_log_says_so(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RankerUnavailable):
        Engine.load(EngineConfig(checkpoint=tmp_path))
    without_log = Engine.load(EngineConfig(checkpoint=folder, log=tmp_path / "none.parquet"))
    with pytest.raises(RankerUnavailable, match="no log"):
        without_log.preview(HOME_FEED, HOME_FEED.defaults, MORE_GMV)


def test_threads_that_begin_later_keep_the_threads_of_torch_that_there_were() -> None:
    counted: list[int] = []

    def begin_later() -> None:
        keep_to_threads(1)
        counted.append(torch.get_num_threads())
        later = threading.Thread(target=lambda: counted.append(torch.get_num_threads()))
        later.start()
        later.join()

    before = torch.get_num_threads()
    setting = threading.Thread(target=lambda: torch.set_num_threads(2))
    setting.start()
    setting.join()
    ranking = threading.Thread(target=begin_later)
    ranking.start()
    ranking.join()
    torch.set_num_threads(before)
    assert counted == [1, 2]


@pytest.fixture
async def room(folder: Path) -> AsyncIterator[Room]:
    opened = Room(lambda: Engine.load(EngineConfig(checkpoint=folder, what_if=FEW)))
    yield opened
    await opened.aclose()


async def test_a_room_ranks_beside_a_preview(room: Room, sent: RankingRequest) -> None:
    preview = asyncio.create_task(room.preview(HOME_FEED, HOME_FEED.defaults, MORE_GMV))
    ranked = await asyncio.gather(*(room.rerank(HOME_FEED, HOME_FEED.defaults, sent) for _ in range(5)))
    assert len({r.items for r in ranked}) == 1
    assert (await preview).requests == 20


async def test_what_is_too_much_is_refused_until_there_is_room(folder: Path, sent: RankingRequest) -> None:
    may_load = threading.Event()

    def load() -> Engine:
        may_load.wait()
        return Engine.load(EngineConfig(checkpoint=folder))

    room = Room(load, RoomConfig(most_requests=2))
    try:
        waiting = [asyncio.create_task(room.rerank(HOME_FEED, HOME_FEED.defaults, sent)) for _ in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(RankerBusy):
            await room.rerank(HOME_FEED, HOME_FEED.defaults, sent)
        may_load.set()
        assert len({r.items for r in await asyncio.gather(*waiting)}) == 1
        assert await room.rerank(HOME_FEED, HOME_FEED.defaults, sent)
    finally:
        may_load.set()
        await room.aclose()


async def test_who_stops_waiting_leaves_room_for_others(folder: Path, sent: RankingRequest) -> None:
    may_load = threading.Event()

    def load() -> Engine:
        may_load.wait()
        return Engine.load(EngineConfig(checkpoint=folder))

    room = Room(load, RoomConfig(most_requests=2))
    try:
        first, second = (asyncio.create_task(room.rerank(HOME_FEED, HOME_FEED.defaults, sent)) for _ in range(2))
        await asyncio.sleep(0)
        second.cancel()
        third = asyncio.create_task(room.rerank(HOME_FEED, HOME_FEED.defaults, sent))
        await asyncio.sleep(0)
        may_load.set()
        assert (await first).items == (await third).items
    finally:
        may_load.set()
        await room.aclose()


async def test_a_ranker_that_can_not_be_loaded_is_loaded_once_and_answers_with_why(sent: RankingRequest) -> None:
    loads = []

    def load() -> Engine:
        loads.append(1)
        raise RankerUnavailable("there is no checkpoint")

    room = Room(load)
    for _ in range(3):
        with pytest.raises(RankerUnavailable, match="no checkpoint"):
            await room.rerank(HOME_FEED, HOME_FEED.defaults, sent)
    assert loads == [1]
    await room.aclose()


def test_a_service_starts_without_torch(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from reward_llm import bootstrap\n"
        "bootstrap.build_app(bootstrap.load_settings(backend='rules', database_url=sys.argv[1]))\n"
        "print(sorted({'torch', 'ranker', 'pyarrow'} & set(sys.modules)))\n"
    )
    command = [sys.executable, "-c", script, f"sqlite:///{tmp_path}/new.db"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
