"""Goals are submitted and activated over the interface, days go by, and what came of them is put down."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reward_llm.domain.corrections import corrections
from reward_llm.domain.interpretation import Direction
from reward_llm.domain.memory import Forecast, Predicted
from reward_llm.domain.metrics import MetricWindow
from reward_llm.domain.ports.metrics import OnlineMetrics
from reward_llm.domain.scenario import Scope
from reward_llm.errors import MetricsUnavailable
from reward_llm.feedback.metrics.online import MetricsStore, open_logs
from reward_llm.loop.memory.ledger import Ledger
from reward_llm.loop.memory.observer import Observer
from reward_llm.store import SqlStore
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.database import Database
from reward_llm.store.governance import SqlGovernance
from reward_llm.store.loop import SqlLoop
from tests.api.harness import NOON, Desk, Setup
from tests.feedback.metrics.events import days

DAY_S, HOUR_S = 86_400.0, 3_600.0
SCOPE = Scope("home_feed")


class Level:
    """Predicts the same of all weights."""

    asked = 0

    async def forecast(self, scope: Scope, weights: Mapping[str, float]) -> Forecast:
        self.asked += 1
        return Forecast(made_by="level", metrics={"ctr": Predicted(mean=0.1, error=0.01)})


class Away(MetricsStore):
    """Metrics that can't be read."""

    def __init__(self) -> None:
        pass

    async def report(self, *_: Any, **__: Any) -> Any:
        raise MetricsUnavailable("away")


@asynccontextmanager
async def observing(
    setup: Setup, online: OnlineMetrics | None, forecaster: Level | None = None
) -> AsyncIterator[tuple[Observer, Ledger]]:
    database = Database.open(setup.url)
    ledger = Ledger(SqlLoop(database))
    yield (
        Observer(
            store=SqlStore(database),
            governance=SqlGovernance(database),
            ledger=ledger,
            online=online,
            forecaster=forecaster,
            clock=setup.clock,
        ),
        ledger,
    )
    assert (await SqlAuditLog(database).verification()).flaw is None
    await database.aclose()


@pytest.fixture
async def metrics(setup: Setup) -> AsyncIterator[MetricsStore]:
    kept = MetricsStore(open_logs(None, 1), setup.clock)
    yield kept
    await kept.aclose()


async def activated(desk: Desk, **window: Any) -> tuple[str, str]:
    """A goal whose weights are in force, and these; slates of theirs are shown from the start."""
    goal = await desk.submit()
    policy_id = goal["proposal"]["policy_id"]
    response = await desk.activate(policy_id, **window)
    assert response.status_code == 200, response.text
    return goal["id"], policy_id


async def shown(metrics: MetricsStore, policy_id: str, seed: int = 1) -> None:
    """Three days of slates up to noon, of other policies, and nine days from there, of this one."""
    later = days(seed + 1, users=10, count=9, until=NOON + timedelta(days=9))
    own = [replace(e, policy_id=policy_id, event_id=f"later-{e.event_id}") for e in later]
    await metrics.publish([*days(seed, users=10), *own])


async def test_what_was_predicted_and_what_was_observed_stand_side_by_side(
    setup: Setup, metrics: MetricsStore
) -> None:
    async with setup.start() as desk, observing(setup, metrics, Level()) as (observer, ledger):
        goal_id, policy_id = await activated(desk)
        await shown(metrics, policy_id)
        await observer.run()
        memory = await ledger.of(goal_id)
        assert memory is not None
        assert [t.policy_id for t in memory.tried] == [policy_id]
        assert [(i.utility, i.direction) for i in memory.intents] == [("gmv", Direction.RAISE)]
        assert memory.observations == ()

        setup.clock.advance(DAY_S + HOUR_S + 1)
        await observer.run()
        await observer.run()
        setup.clock.advance(6 * DAY_S)
        await observer.run()
        memory = await ledger.of(goal_id)
        assert memory is not None
        assert [o.span for o in memory.observations] == [timedelta(days=1), timedelta(days=7)]
        week = memory.outcome
        assert week is not None
        report = await metrics.report(SCOPE, policy_id, MetricWindow(week.span), week.until)
        assert week.metrics == {m.value: e for m, e in report.estimates.items() if e.value is not None}
        before = await metrics.report(SCOPE, None, MetricWindow(week.span), week.since)
        assert week.before == {m.value: e for m, e in before.estimates.items() if e.value is not None}
        assert {"ctr", "gmv", "next_day_retention"} <= set(week.metrics)
        assert memory.tried[0].predicted == await Level().forecast(SCOPE, {})
        assert await ledger.corrections("home_feed") == corrections([memory])
        assert set(await ledger.corrections("home_feed")) == {"ctr"}
        assert await ledger.corrections("video_feed") == {}


async def test_it_is_predicted_once_and_remembered_once_by_however_many(setup: Setup, metrics: MetricsStore) -> None:
    level = Level()
    async with setup.start() as desk:
        goal_id, policy_id = await activated(desk)
        await shown(metrics, policy_id)
        setup.clock.advance(2 * DAY_S)
        for _ in range(2):
            async with observing(setup, metrics, level) as (observer, ledger):
                await observer.run()
                memory = await ledger.of(goal_id)
        assert memory is not None
        assert len(memory.observations) == 1
        assert level.asked == 1
        actions = [a for a in await desk.actions() if a.startswith("memory.")]
        assert actions == ["memory.created"]


async def test_an_activation_that_ends_early_is_observed_as_long_as_it_was(
    setup: Setup, metrics: MetricsStore
) -> None:
    async with setup.start() as desk, observing(setup, metrics) as (observer, ledger):
        until = (NOON + timedelta(hours=30)).isoformat()
        goal_id, policy_id = await activated(desk, until=until)
        await shown(metrics, policy_id)
        setup.clock.advance(2 * DAY_S)
        await observer.run()
        memory = await ledger.of(goal_id)
        assert memory is not None
        assert memory.observations[0].span == timedelta(days=1)
        assert timedelta(hours=29, minutes=59) <= memory.observations[1].span <= timedelta(hours=30)
        assert memory.tried[0].predicted is None


async def test_edits_and_goals_that_never_got_into_force_are_nothing_to_remember(
    setup: Setup, metrics: MetricsStore
) -> None:
    async with setup.start() as desk, observing(setup, metrics) as (observer, ledger):
        goal = await desk.submit()
        edit = await desk.edit()
        assert (await desk.activate(edit["policy_id"])).status_code == 200
        setup.clock.advance(2 * DAY_S)
        await observer.run()
        assert await ledger.of(goal["id"]) is None
        assert await ledger.newest("home_feed") == []


async def test_without_metrics_it_is_known_what_was_tried(setup: Setup) -> None:
    async with setup.start() as desk, observing(setup, None) as (observer, ledger):
        goal_id, policy_id = await activated(desk)
        setup.clock.advance(2 * DAY_S)
        await observer.run()
        memory = await ledger.of(goal_id)
        assert memory is not None
        assert [t.policy_id for t in memory.tried] == [policy_id]
        assert memory.observations == ()


async def test_metrics_that_are_away_are_read_the_next_time(setup: Setup, metrics: MetricsStore) -> None:
    async with setup.start() as desk:
        goal_id, policy_id = await activated(desk)
        await shown(metrics, policy_id)
        setup.clock.advance(2 * DAY_S)
        async with observing(setup, Away()) as (observer, _):
            with pytest.raises(MetricsUnavailable):
                await observer.run()
        async with observing(setup, metrics) as (observer, ledger):
            await observer.run()
            memory = await ledger.of(goal_id)
            assert memory is not None
            assert len(memory.observations) == 1
            assert await ledger.similar(SCOPE, ["gmv"]) == [memory]
            assert await ledger.similar(Scope("home_feed", "new_user"), ["gmv"]) == []
