"""What is told from a share of users and items, against what all of them did."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import fmean, stdev

import pytest

from reward_llm.domain.events import Event, EventType
from reward_llm.domain.metrics import TOTALS, Metric, MetricsReport, MetricWindow
from reward_llm.domain.scenario import Scope
from reward_llm.errors import ConfigurationInvalid
from reward_llm.feedback.metrics.online import MetricsConfig, MetricsStore, open_logs
from reward_llm.feedback.metrics.sample import Sample
from tests.feedback.metrics.events import NOON
from tests.feedback.metrics.recomputed import recomputed

FEED = Scope("home_feed")
WINDOW = MetricWindow.parse("3d")
SHARE = 0.3
SAMPLES = 60
USERS, ITEMS = 400, 120


def population(seed: int) -> list[Event]:
    """Two days of users who differ, and items of which about half get enough clicks."""
    draw = random.Random(seed)
    quality = [draw.uniform(0.02, 0.35) for _ in range(ITEMS)]
    return [event for user in range(USERS) for event in _visits(draw, user, quality)]


def _visits(draw: random.Random, user: int, quality: list[float]) -> Iterator[Event]:
    likes = draw.uniform(0.3, 1.7)
    for day in range(2):
        if draw.random() < 0.4:
            continue
        at = NOON - timedelta(days=day, hours=1 + draw.random())
        about = {"scenario": "home_feed", "user": f"u{user}", "at": at}
        yield Event(event_id=f"s{user}-{day}", type=EventType.SESSION, **about)
        for slot in range(8):
            item, name = draw.randrange(ITEMS), f"{user}-{day}-{slot}"
            shown = {**about, "item": f"i{item}", "request_id": f"r{user}-{day}", "position": slot}
            shown |= {"category": f"c{item % 5}", "is_new": item % 4 > 0, "boosted": item % 6 == 0, "cost": 0.01}
            yield Event(event_id=f"i{name}", type=EventType.IMPRESSION, **shown)
            if draw.random() < likes * quality[item]:
                yield Event(event_id=f"c{name}", type=EventType.CLICK, **shown)
                yield Event(event_id=f"v{name}", type=EventType.VIEW, value=draw.expovariate(0.1), **shown)
                if draw.random() < 0.4:
                    yield Event(event_id=f"d{name}", type=EventType.COMPLETE, **shown)
                if draw.random() < 0.3:
                    yield Event(event_id=f"p{name}", type=EventType.PURCHASE, value=draw.uniform(1, 99), **shown)


def renamed(events: list[Event], prefix: str) -> list[Event]:
    """The same with other ids, so that others are drawn."""
    return [
        replace(e, user=f"{prefix}-{e.user}", item=None if e.item is None else f"{prefix}-{e.item}") for e in events
    ]


async def told(events: list[Event], share: float, partitions: int = 1) -> MetricsReport:
    metrics = MetricsStore(open_logs(None, partitions), lambda: NOON, MetricsConfig(share=share))
    await metrics.publish(events)
    report = await metrics.report(FEED, None, WINDOW)
    await metrics.aclose()
    return report


async def test_over_many_samples_intervals_cover_the_truth_and_values_are_right_on_average() -> None:
    everybody = population(1)
    true = {
        metric: above if metric in TOTALS else above / below
        for metric, (above, below) in recomputed(everybody, NOON, WINDOW.length).items()
    }
    assert 0.25 < true[Metric.COLD_START_SUCCESS] < 0.75
    reports = [await told(renamed(everybody, f"{n}"), SHARE) for n in range(SAMPLES)]
    assert {r.share for r in reports} == {SHARE}
    for metric in Metric:
        found = [r.estimates[metric] for r in reports]
        covered = sum(e.low <= true[metric] <= e.high for e in found if e.low is not None and e.high is not None)
        assert covered >= 0.9 * SAMPLES, metric
        values = [e.value for e in found if e.value is not None]
        assert len(values) == SAMPLES
        assert abs(fmean(values) - true[metric]) < 3.5 * stdev(values) / SAMPLES**0.5, metric


async def test_a_sample_tells_items_and_users_by_those_that_it_drew() -> None:
    events, sample = renamed(population(2), "x"), Sample(SHARE)
    report = await told(events, SHARE, partitions=3)
    users = recomputed([e for e in events if sample.has_user(e)], NOON, WINDOW.length)
    items = recomputed([e for e in events if sample.has_item(e)], NOON, WINDOW.length)
    for metric, (above, below) in {**users, Metric.COLD_START_SUCCESS: items[Metric.COLD_START_SUCCESS]}.items():
        found = report.estimates[metric]
        assert found.events == below, metric
        assert found.value == pytest.approx(above / SHARE if metric in TOTALS else above / below), metric


async def test_a_sample_has_all_events_of_its_users_and_all_clicks_of_its_items() -> None:
    part = MetricsStore(open_logs(None, 1), lambda: NOON, MetricsConfig(share=0.5))
    for user in range(40):
        kept = len(part)
        about = {"scenario": "home_feed", "user": f"u{user}", "at": NOON}
        await part.publish([Event(event_id=f"{user}-{n}", type=EventType.SESSION, **about) for n in range(5)])
        assert len(part) - kept in {0, 5}
    users = len(part) // 5
    assert 0 < users < 40
    for item in range(40):
        kept = len(part)
        clicks = [
            Event(event_id=f"{item}-u{n}", type=EventType.CLICK, item=f"i{item}", user=f"u{n}", scenario="s", at=NOON)
            for n in range(40)
        ]
        await part.publish(clicks)
        assert len(part) - kept in {users, 40}
    assert 40 * users < len(part) - 5 * users < 40 * 40
    await part.aclose()


async def test_a_log_keeps_its_share(tmp_path: Path) -> None:
    events = population(3)[:500]
    for share in (0.5, 0.5):
        metrics = MetricsStore(open_logs(tmp_path, 1), lambda: NOON, MetricsConfig(share=share))
        await metrics.publish(events)
        await metrics.aclose()
    logs = open_logs(tmp_path, 1)
    with pytest.raises(ConfigurationInvalid, match=r"a share of 0\.5 of all users"):
        MetricsStore(logs, lambda: NOON, MetricsConfig(share=0.25))
    logs[0].close()


async def test_a_log_from_before_items_were_drawn_is_read_as_it_was(tmp_path: Path) -> None:
    events = population(4)
    metrics = MetricsStore(open_logs(tmp_path, 1), lambda: NOON)
    await metrics.publish(events)
    before = await metrics.report(FEED, None, WINDOW)
    await metrics.aclose()
    (log,) = open_logs(tmp_path, 1)
    for change in ("DROP COLUMN of_user", "DROP COLUMN of_item"):
        log._writer.execute(f"ALTER TABLE events {change}")
    log._writer.execute("DROP TABLE sample")
    log.close()
    metrics = MetricsStore(open_logs(tmp_path, 1), lambda: NOON)
    await metrics.publish(events[:10])
    assert (await metrics.report(FEED, None, WINDOW)).estimates == before.estimates
    await metrics.aclose()
