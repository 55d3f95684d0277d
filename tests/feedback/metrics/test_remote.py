"""Metrics that a worker asks a service for are those of the service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from reward_llm.domain.metrics import Metric, MetricWindow
from reward_llm.domain.scenario import Scope
from reward_llm.errors import MetricsUnavailable
from reward_llm.feedback.metrics.online import MetricsStore, open_logs
from reward_llm.feedback.metrics.remote import RemoteMetrics
from tests.api.harness import NOON, Setup
from tests.feedback.metrics.events import days

EVENTS = days(3, users=10)
SCOPE = Scope("home_feed", "new_user")
DAYS = MetricWindow.parse("3d")


@pytest.fixture
async def both(setup: Setup) -> AsyncIterator[tuple[MetricsStore, RemoteMetrics]]:
    """The metrics where they are kept, and as the service tells them."""
    here = MetricsStore(open_logs(None, 1), setup.clock)
    await here.publish(EVENTS)
    async with replace(setup, online=here).start() as desk:
        there = RemoteMetrics("http://test", transport=httpx.ASGITransport(desk.app))
        yield here, there
        await there.aclose()
    await here.aclose()


async def test_the_same_is_told_over_http(both: tuple[MetricsStore, RemoteMetrics]) -> None:
    here, there = both
    assert await there.report(SCOPE, None, DAYS, NOON) == await here.report(SCOPE, None, DAYS, NOON)
    assert await there.report(SCOPE, "pol_a", DAYS, NOON) == await here.report(SCOPE, "pol_a", DAYS, NOON)
    assert await there.read("home_feed", None, None, Metric.CTR, DAYS) == await here.read(
        "home_feed", None, None, Metric.CTR, DAYS
    )
    assert list(await there.policies(SCOPE, DAYS)) == list(await here.policies(SCOPE, DAYS))
    assert await there.newest("home_feed") == EVENTS[-1].at


async def test_what_the_service_refuses_is_said(both: tuple[MetricsStore, RemoteMetrics]) -> None:
    with pytest.raises(MetricsUnavailable, match="404"):
        await both[1].report(Scope("nowhere"), None, DAYS)


async def test_a_service_that_isnt_there_has_no_metrics() -> None:
    metrics = RemoteMetrics("http://127.0.0.1:1", "a-token")
    with pytest.raises(MetricsUnavailable, match="can't be asked"):
        await metrics.newest("home_feed")
    await metrics.aclose()


@pytest.mark.parametrize("said", ["<html>", "[]", "{}", '{"policy_id": null, "until": "soon"}'])
async def test_another_program_has_no_metrics(said: str) -> None:
    metrics = RemoteMetrics("http://test", transport=httpx.MockTransport(lambda _: httpx.Response(200, text=said)))
    with pytest.raises(MetricsUnavailable):
        await metrics.report(SCOPE, None, DAYS)
    await metrics.aclose()


async def test_the_token_is_shown() -> None:
    shown = []

    def answer(request: httpx.Request) -> httpx.Response:
        shown.append(request.headers.get("Authorization"))
        return httpx.Response(503, json={"title": "Unavailable", "detail": "no metrics here"})

    metrics = RemoteMetrics("http://test", "a-token", transport=httpx.MockTransport(answer))
    with pytest.raises(MetricsUnavailable, match="no metrics here"):
        await metrics.newest("home_feed")
    await metrics.aclose()
    assert shown == ["Bearer a-token"]
