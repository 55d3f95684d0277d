"""From slates that explore, over the events that come of them, to what other weights would have earned."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from reward_llm.domain.metrics import MetricWindow
from reward_llm.domain.scenario import Scope
from reward_llm.feedback.metrics.online import MetricsStore, open_logs
from reward_llm.feedback.offpolicy.estimators import ips, snips
from reward_llm.feedback.offpolicy.served import served_decisions
from reward_llm.ranking.engine import Engine, EngineConfig
from reward_llm.ranking.room import Room
from tests.api.harness import NOON, Desk, Setup
from tests.ranking.requests import request_of, row_of

OTHER = {"gmv": 1.0}
REQUESTS, SLATES, SIZE, CANDIDATES = 3, 180, 3, 5
FACTS = ("item_id", "supply_type", "seller", "category", "price", "published", "group")


@pytest.fixture(scope="module")
def room(folder: Path) -> Iterator[Room]:
    opened = Room(lambda: Engine.load(EngineConfig(checkpoint=folder), generator=random.Random(3)))
    yield opened
    asyncio.run(opened.aclose())


@pytest.fixture
def metrics(setup: Setup) -> MetricsStore:
    return MetricsStore(open_logs(None, 2), setup.clock)


@pytest.fixture
async def desk(setup: Setup, room: Room, metrics: MetricsStore) -> AsyncIterator[Desk]:
    async with replace(setup, reranker=room, online=metrics).start() as desk:
        yield desk
    await metrics.aclose()


@pytest.fixture(scope="module")
def bodies(logged: pa.Table) -> list[dict[str, Any]]:
    """Some logged requests with few candidates each."""
    return [_body(logged, place) for place in range(REQUESTS)]


def _body(logged: pa.Table, place: int) -> dict[str, Any]:
    request = request_of(row_of(logged, place))
    few = request.candidates[:CANDIDATES]
    candidates = [{**{n: getattr(c, n) for n in FACTS}, "features": dict(c.features)} for c in few]
    return {"scenario": "home_feed", "user": {"features": dict(request.user)}, "candidates": candidates, "size": SIZE}


def click_rate(item: str, slot: int) -> float:
    """What nobody knows: how likely an item is clicked at a slot."""
    return (0.2 + 0.6 * random.Random(item).random()) * 0.8**slot


async def test_what_other_weights_would_have_earned_is_told_by_slates_that_explore(
    desk: Desk, metrics: MetricsStore, bodies: list[dict[str, Any]]
) -> None:
    other = [await slate_of(desk, {**body, "weights": OTHER}) for body in bodies]
    now = [await slate_of(desk, body) for body in bodies]
    assert other != now
    draw, sent = random.Random(11), {}
    for n in range(SLATES):
        body = bodies[n % REQUESTS]
        answer = (await desk.client.post("/v1/rerank", json={**body, "explore": 0.8})).json()
        sent[answer["request_id"]] = n % REQUESTS
        said = await desk.client.post("/v1/events", json={"events": list(events_of(answer, f"u{n}", draw))})
        assert said.json()["rejected"] == []
    slots = await metrics.slots(Scope("home_feed"), None, MetricWindow.parse("1h"))
    assert len(slots) == SLATES * SIZE
    assert len(sent) == SLATES
    for slates in (other, now):
        decisions = served_decisions(slots, lambda s, of=slates: float(of[sent[s.request_id]][s.place] == s.item))
        true = sum(click_rate(item, slot) for slate in slates for slot, item in enumerate(slate)) / (REQUESTS * SIZE)
        for estimate in (ips(decisions), snips(decisions)):
            assert estimate.covers(true)
            assert estimate.high - estimate.low < 0.3
        assert ips(decisions).is_reliable
    as_logged = served_decisions(slots, lambda s: s.propensity)
    assert ips(as_logged).value == pytest.approx(sum(s.is_clicked for s in slots) / len(slots))


async def test_nothing_is_left_to_chance_unless_it_is_asked_for(desk: Desk, bodies: list[dict[str, Any]]) -> None:
    answers = [(await desk.client.post("/v1/rerank", json=bodies[0])).json() for _ in range(2)]
    assert answers[0]["slate"] == answers[1]["slate"]
    assert answers[0]["request_id"] != answers[1]["request_id"]
    assert [a["propensities"] for a in answers] == [None, None]
    for wrong in (-0.1, 1.1):
        assert (await desk.client.post("/v1/rerank", json={**bodies[0], "explore": wrong})).status_code == 422


async def slate_of(desk: Desk, body: dict[str, Any]) -> list[str]:
    slate: list[str] = (await desk.client.post("/v1/rerank", json=body)).json()["slate"]
    return slate


def events_of(answer: dict[str, Any], user: str, draw: random.Random) -> Iterator[dict[str, Any]]:
    """Impressions of a slate and clicks on it, as a client sends them."""
    about = {"at": NOON.isoformat(), "scenario": "home_feed", "user": user, "request_id": answer["request_id"]}
    shown = zip(answer["slate"], answer["propensities"], strict=True)
    for slot, (item, propensity) in enumerate(shown):
        what = {**about, "item": item, "position": slot, "policy_id": answer["policy_id"]}
        name = f"{user}-{slot}"
        yield {**what, "event_id": f"i{name}", "type": "impression", "propensity": propensity}
        if draw.random() < click_rate(item, slot):
            yield {**what, "event_id": f"c{name}", "type": "click"}
