"""The log on the disk, its writer, and what is told when they can't go on."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.metrics import Metric, MetricsReport, MetricWindow
from reward_llm.domain.scenario import Scope
from reward_llm.errors import ConfigurationInvalid, EventsUnavailable, MetricsUnavailable
from reward_llm.feedback.metrics.log import EventLog
from reward_llm.feedback.metrics.online import KEPT, MetricsConfig, MetricsStore, open_logs
from reward_llm.feedback.metrics.seen import SeenIds
from reward_llm.feedback.metrics.writer import LogWriter
from tests.feedback.metrics.events import NOON, days

EVENTS = days(2, users=20)


@given(st.lists(st.lists(st.integers(0, 40), max_size=30), max_size=12))
def test_ids_are_fresh_once(batches: list[list[int]]) -> None:
    seen, known = SeenIds(), set[int]()
    for batch in batches:
        ids = np.array(batch, np.uint64)
        is_fresh = seen.fresh(ids)
        fresh = ids[is_fresh].tolist()
        assert sorted(fresh) == sorted(set(batch) - known)
        seen.add(ids[is_fresh])
        known |= set(batch)
    assert len(seen) == len(known)


def test_a_log_is_closed_and_opened_with_all_that_it_had(tmp_path: Path) -> None:
    log = EventLog(tmp_path / "log.duckdb")
    assert log.append(EVENTS[:100]) == 100
    log.close()
    log = EventLog(tmp_path / "log.duckdb")
    assert log.append(EVENTS) == len(EVENTS) - 100
    assert log.newest("home_feed") == EVENTS[-1].at
    log.close()


def test_a_file_that_is_none_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "events-1-of-1.duckdb"
    path.write_text("not a log of events " * 500)
    with pytest.raises(ConfigurationInvalid, match="can't be kept"):
        open_logs(tmp_path, 1)
    assert path.read_text().startswith("not a log")


def test_a_folder_keeps_its_number_of_partitions(tmp_path: Path) -> None:
    for log in open_logs(tmp_path / "made" / "here", 2):
        log.close()
    with pytest.raises(ConfigurationInvalid, match="another number of partitions"):
        open_logs(tmp_path / "made" / "here", 3)


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigurationInvalid):
        open_logs(tmp_path / "file", 1)


async def test_what_no_window_reaches_is_forgotten() -> None:
    now = NOON + KEPT - timedelta(days=1)
    metrics = MetricsStore(open_logs(None, 2), lambda: now, MetricsConfig(prune_s=0.01))
    await metrics.publish(EVENTS)
    task = asyncio.create_task(metrics.keep_pruned())
    left = [e for e in EVENTS if e.at > now - KEPT]
    for _ in range(1_000):
        if len(metrics) == len(left):
            break
        await asyncio.sleep(0.01)
    task.cancel()
    assert 0 < len(metrics) == len(left) < len(EVENTS)
    await metrics.aclose()


class FullDisk(EventLog):
    """A log that can't be written for a while."""

    is_full = True

    def append(self, events: object) -> int:
        if self.is_full:
            raise duckdb.IOException("No space left on device")
        return super().append(events)  # type: ignore[arg-type]


async def test_events_that_cannot_be_written_are_not_taken_in_and_may_come_again() -> None:
    log = FullDisk(None)
    metrics = MetricsStore([log], lambda: NOON)
    for _ in range(2):
        with pytest.raises(EventsUnavailable, match="can't be written"):
            await metrics.publish(EVENTS)
    assert len(metrics) == 0
    log.is_full = False
    await metrics.publish(EVENTS)
    assert len(metrics) == len(EVENTS)
    await metrics.aclose()


async def test_an_append_that_fails_leaves_nothing_behind() -> None:
    log = EventLog(None)
    log._writer.execute("ALTER TABLE events DROP COLUMN boosted")
    with pytest.raises(duckdb.Error):
        log.append(EVENTS)
    assert len(log) == 0
    log._writer.execute("ALTER TABLE events ADD COLUMN boosted BOOLEAN")
    assert log.append(EVENTS) == len(EVENTS)
    log.close()


async def test_a_log_that_cannot_be_read_says_so() -> None:
    log = EventLog(None)
    metrics = MetricsStore([log], lambda: NOON)
    log._writer.execute("DROP TABLE events")
    with pytest.raises(MetricsUnavailable):
        await metrics.read("home_feed", None, None, Metric.CTR, MetricWindow.parse("1h"))
    await metrics.aclose()


async def test_any_number_read_while_events_are_written_and_the_log_is_closed() -> None:
    metrics = MetricsStore(open_logs(None, 2), lambda: NOON)
    window = MetricWindow.parse("30d")

    async def keep_reading() -> int:
        last = 0
        while last < len({e.event_id for e in EVENTS if e.type.value == "impression"}):
            found = (await metrics.read("home_feed", None, None, Metric.CTR, window)).events
            assert found >= last
            last = found
        return last

    readers = [asyncio.create_task(keep_reading()) for _ in range(8)]
    for n in range(0, len(EVENTS), 100):
        await metrics.publish(EVENTS[n : n + 100])
    assert len(set(await asyncio.gather(*readers))) == 1
    late = [asyncio.create_task(metrics.report(Scope("home_feed"), None, window)) for _ in range(8)]
    await asyncio.sleep(0)
    await metrics.aclose()
    for outcome in await asyncio.gather(*late, return_exceptions=True):
        assert isinstance(outcome, MetricsReport | MetricsUnavailable)


async def test_many_who_publish_at_once_are_all_kept() -> None:
    metrics = MetricsStore(open_logs(None, 2), lambda: NOON)
    await asyncio.gather(*(metrics.publish(EVENTS[n::50]) for n in range(50)))
    assert len(metrics) == len(EVENTS)
    assert list(await metrics.policies(Scope("home_feed"), MetricWindow.parse("30d"))) == ["pol_a", "pol_b"]
    await metrics.aclose()


async def test_too_many_who_wait_are_sent_away() -> None:
    writer = LogWriter(EventLog(None), max_waiting=100)
    with pytest.raises(EventsUnavailable, match="wait for the disk"):
        await writer.write(EVENTS[:101])
    await writer.write(EVENTS[:100])
    await writer.aclose()
    with pytest.raises(EventsUnavailable, match="closed"):
        await writer.write(EVENTS[:1])
