"""The page on health: who reads goals, how often a fallback had to, and the last errors."""

from __future__ import annotations

import pytest

from reward_llm.console.pages.health import Readings
from reward_llm.errors import ModelUnavailable
from reward_llm.generation.clients.scripted import ScriptedModel
from tests.api.harness import Setup
from tests.console import harness
from tests.console.harness import Console


@pytest.mark.parametrize(("language", "words"), [("en", "Everything works"), ("zh", "一切正常")])
async def test_a_service_that_is_well_says_so(console: Console, language: str, words: str) -> None:
    ann = await console.browser("ann", language)
    page = await ann.see("/health")
    assert page.status == 200
    assert words in page.text


async def test_the_rate_of_fallbacks_is_of_the_goals_that_were_read(setup: Setup) -> None:
    async with harness.console(setup, model=ScriptedModel([ModelUnavailable("nobody listens there")])) as console:
        await console.desk.submit(text="Raise GMV by 15%")
        ann = await console.browser()
        page = await ann.see("/health")
        assert "100.0% 1 of the last 1 goals" in page.text
        assert "nobody listens there" in page.text
        assert "Raise GMV by 15%" in page.text


async def test_the_last_errors_are_listed_with_their_ids_in_the_log(console: Console) -> None:
    ann = await console.browser()
    assert "hasn't failed" in (await ann.see("/health")).text
    failed = await console.desk.client.get("/v1/ranker")
    page = await ann.see("/health")
    assert "GET /v1/ranker" in page.text
    assert failed.headers["x-request-id"] in page.html


async def test_htmx_gets_the_part_that_changes(console: Console) -> None:
    ann = await console.browser()
    part = await ann.part("/health")
    assert "Everything works" in part.text
    assert "<html" not in part.html


def test_goals_that_are_not_read_yet_count_for_nothing() -> None:
    waiting = {"proposal": None}
    read = {"proposal": {"source": "vllm", "reason": None}}
    fell_back = {"proposal": {"source": "rules", "reason": "model_timeout: no answer"}}
    found = Readings.of([waiting, read, fell_back, fell_back, read])
    assert (found.read, found.fallbacks, found.rate) == (4, 2, 0.5)
    assert found.by_source == [("vllm", 2), ("rules", 2)]
    assert found.reasons == [("model_timeout", 2)]
    assert Readings.of([waiting]).rate is None
