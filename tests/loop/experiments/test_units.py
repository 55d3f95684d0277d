"""What the log tells of units, against loops over the same events."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from reward_llm.domain.events import Event
from reward_llm.domain.experiments import UNIT_METRICS, ArmSums, Sums, SumsQuestion
from reward_llm.domain.metrics import DAY, Metric
from reward_llm.domain.scenario import Scope
from reward_llm.feedback.metrics.online import MetricsConfig, MetricsStore, open_logs
from reward_llm.feedback.metrics.units import UnitLog
from tests.feedback.metrics.events import NOON, days
from tests.loop.experiments.by_hand import arms_of, moved, rows

EVENTS = moved(days(3, users=40, count=9), ("u3", "u8"), "pol_b")
QUESTION = SumsQuestion(
    scope=Scope("home_feed"),
    control="pol_a",
    treatment="pol_b",
    metrics=UNIT_METRICS,
    start=NOON - 6 * DAY,
    since=NOON - 6 * DAY,
    until=NOON - DAY,
    pre=3 * DAY,
)
QUESTIONS = {
    "since the start": QUESTION,
    "the last days": replace(QUESTION, since=NOON - 3 * DAY),
    "a segment": replace(QUESTION, scope=Scope("home_feed", "new_user")),
    "nothing before": replace(QUESTION, pre=timedelta(0)),
    "the first day": replace(QUESTION, until=NOON - 5 * DAY),
    "other policies": replace(QUESTION, control="pol_x", treatment="pol_y"),
}


def summed(events: Sequence[Event], question: SumsQuestion, *, partitions: int = 2, share: float = 1.0) -> Sums:
    async def ask() -> Sums:
        store = MetricsStore(open_logs(None, partitions), lambda: NOON, MetricsConfig(share=share))
        await store.publish(list(events))
        found = await UnitLog(store).sums(question)
        await store.aclose()
        return found

    return asyncio.run(ask())


@pytest.mark.parametrize("name", QUESTIONS)
def test_sums_are_those_of_loops_over_all_events(name: str) -> None:
    question = QUESTIONS[name]
    found = summed(EVENTS, question)
    arms = arms_of(EVENTS, question)
    assert found.switched == sum(switched for _, _, switched in arms.values())
    for metric in UNIT_METRICS:
        expected = rows(EVENTS, metric, question)
        for arm, policy in ((found.control, question.control), (found.treatment, question.treatment)):
            _check(arm, metric, expected[policy])


def _check(arm: ArmSums, metric: Metric, expected: list[tuple[float, ...]]) -> None:
    moments = arm.moments[metric]
    assert arm.units == moments.count == len(expected)
    table = np.array(expected).reshape(len(expected), 4)
    np.testing.assert_allclose(moments.sums, table.sum(axis=0), rtol=1e-7, err_msg=metric)
    np.testing.assert_allclose(moments.products, table.T @ table, rtol=1e-7, err_msg=metric)


def test_a_unit_that_saw_both_policies_stays_where_it_came_first() -> None:
    assert summed(EVENTS, QUESTION).switched > 0
    assert sum(arm for _, _, arm in arms_of(EVENTS, QUESTION).values()) <= 2


def test_of_a_sample_only_the_users_that_were_drawn_count() -> None:
    whole, sampled = summed(EVENTS, QUESTION), summed(EVENTS, QUESTION, share=0.5)
    assert 0 < sampled.control.units < whole.control.units


def test_traffic_is_of_every_policy() -> None:
    async def ask() -> ArmSums:
        store = MetricsStore(open_logs(None, 2), lambda: NOON)
        await store.publish(EVENTS)
        found = await UnitLog(store).traffic(Scope("home_feed"), Metric.CTR, NOON - 9 * DAY, NOON)
        await store.aclose()
        return found

    found = asyncio.run(ask())
    assert found.units == len({e.user for e in EVENTS if e.type == "impression"})
    assert found.moments[Metric.CTR].sums[0] == sum(e.type == "click" for e in EVENTS)
