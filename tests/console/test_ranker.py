"""The pages on the ranker: its card, weights to try, and slates to explain."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ranker.checkpoint import shipped_checkpoint
from reward_llm.ranking.room import Room
from tests.api.harness import Setup
from tests.console import harness
from tests.console.harness import Console
from tests.console.rankers import small_room
from tests.ranking.conftest import folder, logged, untrained  # noqa: F401 - fixtures


@pytest.fixture(scope="module")
def room(folder: Path) -> Iterator[Room]:  # noqa: F811
    with small_room(folder) as opened:
        yield opened


@pytest.fixture
async def ranking(setup: Setup, room: Room) -> AsyncIterator[Console]:
    async with harness.console(replace(setup, reranker=room)) as running:
        yield running


@pytest.mark.parametrize(("language", "words"), [("en", "ships with the service"), ("zh", "随服务提供")])
async def test_the_card_says_what_it_learned_from_and_how_well_it_does(
    ranking: Console, language: str, words: str
) -> None:
    ann = await ranking.browser("ann", language)
    page = await ann.see("/ranker")
    assert page.status == 200
    assert words in page.text
    report = json.loads((shipped_checkpoint() / "report.json").read_text("utf-8"))
    assert f"{report['log']['trained']:,}" in page.text
    assert f"{report['assessment']['evaluator']['click_auc']:.4f}" in page.text
    assert 'class="chart plot"' in page.html


async def test_without_a_ranker_the_page_says_what_to_set(console: Console) -> None:
    ann = await console.browser()
    page = await ann.see("/ranker")
    assert page.status == 503
    assert "REWARD_LLM_RANKER_CHECKPOINT" in page.text


async def test_weights_are_tried_in_proportion_against_those_in_force(ranking: Console) -> None:
    ann = await ranking.browser()
    page = await ann.see("/ranker/try", scenario="home_feed")
    tried = await ann.send(page, "/ranker/try", **{"weight.gmv": "1.2"})
    assert tried.status == 200
    assert "The gate wouldn't let these weights through" in tried.text
    assert "of the slates change" in tried.text
    fields = dict(tried.form("/ranker/try").filled())
    assert float(fields["weight.gmv"]) == pytest.approx(1.2 / 2, abs=1e-3)
    assert sum(float(v) for n, v in fields.items() if n.startswith("weight.")) == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize(("weight", "kept"), [("much", "much"), ("-1", "-1.0"), ("", "")])
async def test_weights_that_can_not_be_used_are_refused_and_stay_in_the_form(
    ranking: Console, weight: str, kept: str
) -> None:
    ann = await ranking.browser()
    page = await ann.see("/ranker/try", scenario="home_feed")
    refused = await ann.send(page, "/ranker/try", **{"weight.gmv": weight})
    assert refused.status == 422
    assert "weights/gmv" in refused.text
    assert dict(refused.form("/ranker/try").filled())["weight.gmv"] == kept


async def test_a_slate_is_explained_item_by_item(ranking: Console) -> None:
    ann = await ranking.browser()
    page = await ann.see("/ranker/explain", scenario="home_feed")
    told = await ann.send(page, "/ranker/explain", request="3")
    assert told.status == 200
    assert "By the weights in force" in told.text
    own = await ann.send(told, "/ranker/explain", request="3", own="1", **{"weight.gmv": "1"})
    assert "By weights of your own" in own.text
    missing = await ann.send(page, "/ranker/explain", request="nobody")
    assert missing.status == 422
    assert "nobody" in missing.text
