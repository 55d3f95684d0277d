"""Metrics over HTTP: events go in, metrics come out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from reward_llm.api.online_desk import keep_told
from reward_llm.domain.access import Grant, Role
from reward_llm.domain.events import event_document
from reward_llm.domain.metrics import Metric
from reward_llm.feedback.metrics.online import MetricsStore, open_logs
from tests.api.callers import ADMIN, office
from tests.api.harness import NOON, Desk, Setup, assert_problem
from tests.feedback.metrics.events import days
from tests.feedback.metrics.recomputed import recomputed

PATH = "/v1/metrics/online"
EVENTS = days(6, users=20)


@pytest.fixture
async def desk(setup: Setup) -> AsyncIterator[Desk]:
    metrics = MetricsStore(open_logs(None, 2), setup.clock)
    async with replace(setup, online=metrics).start() as desk:
        yield desk
    await metrics.aclose()


async def test_events_that_were_sent_are_measured(desk: Desk) -> None:
    sent = {"events": [event_document(e) for e in EVENTS]}
    assert (await desk.client.post("/v1/events", json=sent)).status_code == 202
    query = {"scenario": "home_feed", "window": "3d", "segment": "new_user"}
    answer = (await desk.client.get(PATH, params=query)).json()
    expected = recomputed(EVENTS, NOON, timedelta(days=3), "new_user")
    assert set(answer["metrics"]) == {m.value for m in Metric}
    assert {name: found["events"] for name, found in answer["metrics"].items()} == {
        metric.value: count for metric, (_, count) in expected.items()
    }
    ctr = answer["metrics"]["ctr"]
    assert ctr["value"] == expected[Metric.CTR][0] / expected[Metric.CTR][1]
    assert ctr["low"] < ctr["value"] < ctr["high"]
    assert answer["policies"] == ["pol_a", "pol_b"]
    assert answer["newest"] == EVENTS[-1].at.isoformat().replace("+00:00", "Z")


async def test_a_window_may_end_earlier(desk: Desk) -> None:
    await desk.client.post("/v1/events", json={"events": [event_document(e) for e in EVENTS]})
    until = NOON - timedelta(days=2)
    query = {"scenario": "home_feed", "window": "1d", "until": until.isoformat(), "policy_id": "pol_a"}
    answer = (await desk.client.get(PATH, params=query)).json()
    expected = recomputed(EVENTS, until, timedelta(days=1), policy_id="pol_a")
    assert answer["metrics"]["gmv"]["value"] == expected[Metric.GMV][0]
    assert answer["since"] == "2026-06-15T12:00:00Z"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"scenario": "home_feed", "window": "31d"}, 422, "window_invalid"),
        ({"scenario": "home_feed", "window": "soon"}, 422, "window_invalid"),
        ({"scenario": "home_feed", "until": "2026-06-18T12:00:00"}, 422, "window_invalid"),
        ({"scenario": "nowhere"}, 404, "scenario_unknown"),
        ({"scenario": "home_feed", "segment": "nobody"}, 404, "segment_unknown"),
        ({}, 422, "invalid_input"),
    ],
)
async def test_what_cannot_be_measured_is_said(desk: Desk, query: dict[str, str], status: int, code: str) -> None:
    assert_problem(await desk.client.get(PATH, params=query), status, code)


async def test_without_metrics_the_service_says_what_to_install(setup: Setup) -> None:
    async with setup.start() as desk:
        answer = await desk.client.get(PATH, params={"scenario": "home_feed"})
    problem = assert_problem(answer, 503, "metrics_unavailable")
    assert "reward-llm[metrics]" in problem["hint"]


async def test_only_who_may_read_the_scenario_may_measure_it(setup: Setup) -> None:
    metrics = MetricsStore(open_logs(None, 1), setup.clock)
    async with office(replace(setup, online=metrics)) as at:
        here = await at.token(Grant(role=Role.VIEWER, scenario="home_feed"), name="here")
        there = await at.token(Grant(role=Role.VIEWER, scenario="video_feed"), name="there")
        boss = await at.token(ADMIN, name="boss")
        path = f"{PATH}?scenario=home_feed"
        assert (await at.ask("GET", path, here)).status_code == 200
        assert (await at.ask("GET", path, boss)).status_code == 200
        assert_problem(await at.ask("GET", path, there), 403, "forbidden")
        assert_problem(await at.ask("GET", path, None), 401, "unauthenticated")
    await metrics.aclose()


async def test_prometheus_is_told_the_last_hour(desk: Desk, setup: Setup) -> None:
    recent = [replace(e, at=NOON - timedelta(minutes=9)) for e in EVENTS[:500]]
    await desk.client.post("/v1/events", json={"events": [event_document(e) for e in recent]})
    context = desk.app.state.context
    task = asyncio.create_task(keep_told(context.services, context.metrics))
    line = 'reward_llm_online{end="value",metric="ctr",scenario="home_feed",segment="",window="1h"}'
    above, below = recomputed(recent, NOON, timedelta(hours=1))[Metric.CTR]
    for _ in range(200):
        if f"{line} {above / below}" in (await desk.client.get("/metrics")).text:
            break
        await asyncio.sleep(0.05)
    else:
        pytest.fail("Prometheus wasn't told")
    task.cancel()
