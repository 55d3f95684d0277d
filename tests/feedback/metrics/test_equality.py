"""Metrics are what a plain recomputation from all that was sent gives."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from reward_llm.domain.events import Event
from reward_llm.domain.metrics import TOTALS, Metric, MetricsReport, MetricWindow
from reward_llm.domain.scenario import Scope
from reward_llm.feedback.metrics.online import MetricsStore, open_logs
from tests.feedback.metrics.events import NOON, days
from tests.feedback.metrics.recomputed import recomputed

WINDOWS = ("1m", "6h", "1d", "30d")
SCOPES = ((None, None), ("new_user", None), (None, "pol_a"), ("mature_user", "pol_b"), ("new_user", "pol_none"))


def store(folder: Path | None = None, partitions: int = 1) -> MetricsStore:
    return MetricsStore(open_logs(folder, partitions), lambda: NOON)


def sent(seed: int) -> list[list[Event]]:
    """Some days in batches in which 5 % of the events come late and 5 % twice."""
    return disordered(days(seed), seed)


def disordered(events: Sequence[Event], seed: int) -> list[list[Event]]:
    """Batches of the events in which 5 % of them come late and 5 % twice."""
    draw = random.Random(seed)
    told = [(e.at + timedelta(hours=draw.random() * 30 * (draw.random() < 0.05)), e) for e in events]
    told += [(at + timedelta(hours=draw.random()), e) for at, e in told if draw.random() < 0.05]
    order = [e for _, e in sorted(told, key=lambda pair: pair[0])]
    batches = []
    while order:
        size = draw.randrange(1, 700)
        batches.append(order[:size])
        order = order[size:]
    return batches


def assert_equal(report: MetricsReport, events: list[Event]) -> None:
    segment, until, length = report.scope.segment, report.until, report.window.length
    for metric, (above, below) in recomputed(events, until, length, segment, report.policy_id).items():
        found = report.estimates[metric]
        assert found.events == below, metric
        if not below:
            assert found.value is None, metric
        else:
            assert found.value == pytest.approx(above if metric in TOTALS else above / below, rel=1e-12), metric


@pytest.mark.parametrize("partitions", [1, 3])
async def test_every_metric_of_every_window_and_scope_is_the_recomputed_one(partitions: int) -> None:
    metrics, batches = store(partitions=partitions), sent(partitions)
    for batch in batches:
        await metrics.publish(batch)
    events = [e for batch in batches for e in batch]
    assert len(metrics) == len({e.event_id for e in events}) < len(events)
    moments = [NOON, NOON - timedelta(hours=7, seconds=1.5), max(e.at for e in events)]
    for window in WINDOWS:
        for segment, policy_id in SCOPES:
            for until in moments:
                scope = Scope("home_feed", segment)
                assert_equal(await metrics.report(scope, policy_id, MetricWindow.parse(window), until), events)
    await metrics.aclose()


async def test_a_window_has_its_end_and_not_its_beginning() -> None:
    metrics, events = store(), days(3)
    await metrics.publish(events)
    last = events[-1]
    minute = MetricWindow.parse("1m")
    for until in (last.at, last.at + timedelta(microseconds=1), last.at + timedelta(minutes=1)):
        assert_equal(await metrics.report(Scope("home_feed"), None, minute, until), events)
    await metrics.aclose()


async def test_another_scenario_is_counted_by_itself() -> None:
    metrics = store()
    await metrics.publish(days(4))
    report = await metrics.report(Scope("video_feed"), None, MetricWindow.parse("30d"))
    assert {e.events for e in report.estimates.values()} == {0}
    assert report.newest is None
    await metrics.aclose()


def kept_until_killed(folder: Path) -> int:
    """How many batches a process had said to be kept when it was killed amid the next."""
    command = [sys.executable, "-m", "tests.feedback.metrics.killed", str(folder)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    kept = 0
    while kept < 4:
        kept = int(child.stdout.readline())
    os.kill(child.pid, signal.SIGKILL)
    kept = max([kept, *map(int, child.stdout.read().split())])
    child.wait()
    child.stdout.close()
    return kept


async def test_what_was_kept_is_there_after_the_process_was_killed(tmp_path: Path) -> None:
    kept = kept_until_killed(tmp_path / "log")
    batches = sent(9)
    promised = {e.event_id for batch in batches[:kept] for e in batch}
    metrics = store(tmp_path / "log", 2)
    assert len(metrics) >= len(promised)
    for batch in batches:  # whoever got no answer sends again
        await metrics.publish(batch)
    events = [e for batch in batches for e in batch]
    assert len(metrics) == len({e.event_id for e in events})
    for window in WINDOWS:
        assert_equal(await metrics.report(Scope("home_feed"), None, MetricWindow.parse(window), NOON), events)
    await metrics.aclose()


async def test_what_is_read_alone_is_what_is_reported() -> None:
    metrics = store(partitions=2)
    await metrics.publish(days(5))
    window = MetricWindow.parse("2d")
    report = await metrics.report(Scope("home_feed", "new_user"), "pol_a", window)
    for metric in Metric:
        assert await metrics.read("home_feed", "new_user", "pol_a", metric, window) == report.estimates[metric]
    await metrics.aclose()
