"""`/v1/ranker`: the card of what ranks, and why a slate is as it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ranker.checkpoint import shipped_checkpoint
from reward_llm.errors import RankerUnavailable
from reward_llm.ranking.card import card_of, read_card
from reward_llm.ranking.engine import Engine, EngineConfig
from reward_llm.ranking.room import Room
from tests.api.harness import EDITED, Desk, Setup, assert_problem
from tests.ranking.test_engine import FEW

EXPLAIN = "/v1/ranker/explanation"


@pytest.fixture(scope="module")
def room(folder: Path) -> Iterator[Room]:
    opened = Room(
        lambda: Engine.load(EngineConfig(checkpoint=folder, what_if=FEW)),
        card=lambda: card_of(None, None),
    )
    yield opened
    asyncio.run(opened.aclose())


@pytest.fixture
async def ranking(setup: Setup, room: Room) -> AsyncIterator[Desk]:
    async with replace(setup, reranker=room).start() as desk:
        yield desk


async def test_the_card_is_what_training_reported(ranking: Desk) -> None:
    card = (await ranking.client.get("/v1/ranker")).json()
    report = json.loads((shipped_checkpoint() / "report.json").read_text("utf-8"))
    found = report["assessment"]
    assert (card["utilities"], card["size"]) == (report["config"]["utilities"], report["config"]["size"])
    assert card["slates"] == found["actor"]
    assert card["reliability"] == found["evaluator"]["click_reliability"]
    assert card["predictions"]["click_auc"] == found["evaluator"]["click_auc"]
    assert card["trained_on"]["lists"] == report["log"]["trained"]
    assert (card["shipped"], card["log"], len(card["checkpoint_hash"])) == (True, "sample.parquet", 64)


def test_a_checkpoint_without_a_report_has_a_card_of_what_is_known(folder: Path) -> None:
    card = read_card(folder, shipped=False, log="own.parquet")
    assert (card.shipped, card.log, card.slates, card.trained_on) == (False, "own.parquet", (), None)


@pytest.mark.parametrize("text", ["{", "{}", '{"config": 1}', "[]"])
def test_a_report_that_is_none_says_what_to_do(tmp_path: Path, text: str) -> None:
    (tmp_path / "networks.pt").write_bytes(b"x")
    (tmp_path / "report.json").write_text(text, "utf-8")
    with pytest.raises(RankerUnavailable, match=r"report\.json") as raised:
        read_card(tmp_path, shipped=False, log="")
    assert raised.value.hint


def test_a_folder_without_networks_has_no_card(tmp_path: Path) -> None:
    with pytest.raises(RankerUnavailable, match="no checkpoint"):
        read_card(tmp_path, shipped=False, log="")


async def test_a_slate_is_explained_under_the_weights_in_force(ranking: Desk, logged: pa.Table) -> None:
    told = (await ranking.client.post(EXPLAIN, json={"scenario": "home_feed", "request": "3"})).json()
    assert told["request_id"] in logged.column("request_id").to_pylist()
    assert told["policy_id"] == (await ranking.weights())["policy_id"]
    assert len(told["items"]) == 6
    for item in told["items"]:
        assert set(item["contributions"]) == set(item["slot_without"]) == set(EDITED)


async def test_weights_that_come_along_explain_what_they_would_show(ranking: Desk) -> None:
    sent = {"scenario": "home_feed", "request": "3", "weights": {"click": 0.3, "gmv": 0.7}}
    told = (await ranking.client.post(EXPLAIN, json=sent)).json()
    assert (told["policy_id"], told["weights"]["gmv"]) == (None, pytest.approx(0.7))
    assert told["items"][0]["contributions"]["diversity"] == 0


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"request": "none"}, 422, "ranking_invalid"),
        ({"request": ""}, 422, "invalid_input"),
        ({"scenario": "none"}, 404, "scenario_unknown"),
        ({"segment": "none"}, 404, "segment_unknown"),
        ({"weights": {"click": 0.5}}, 422, "weights_invalid"),
    ],
)
async def test_what_can_not_be_explained_is_a_problem(
    ranking: Desk, change: dict[str, Any], status: int, code: str
) -> None:
    sent = {"scenario": "home_feed", "request": "3", **change}
    assert assert_problem(await ranking.client.post(EXPLAIN, json=sent), status, code)["detail"]


async def test_without_a_ranker_there_is_neither_card_nor_explanation(setup: Setup) -> None:
    sent = {"scenario": "home_feed", "request": "3"}
    async with setup.start() as desk:
        assert_problem(await desk.client.get("/v1/ranker"), 503, "ranker_unavailable")
        assert_problem(await desk.client.post(EXPLAIN, json=sent), 503, "ranker_unavailable")
