"""A process that measures what comes over a broker, killed amid it and started again."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reward_llm.domain.events import Event
from reward_llm.domain.metrics import MetricWindow
from reward_llm.domain.scenario import Scope
from reward_llm.feedback.intake.streams.sink import BrokerSink
from tests.feedback.intake.brokers import STREAM, Broker, broker
from tests.feedback.metrics.events import days
from tests.feedback.metrics.test_equality import assert_equal, disordered, store

PARTITIONS = 2
PATIENCE_S = 120.0


@pytest.fixture(params=["nats", "redis"])
def server(request: pytest.FixtureRequest, tmp_path: Path, unused_tcp_port: int) -> Iterator[Broker]:
    folder = tmp_path / "broker"
    folder.mkdir()
    with broker(request.param, folder, unused_tcp_port) as made:
        yield made


@contextmanager
def consuming(server: Broker, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that keeps metrics of the broker's events in the folder; killed in the end, as by a power cut."""
    settings = {"events": server.kind, "events_url": server.url, "events_stream": STREAM}
    settings |= {"metrics_dir": str(folder), "metrics_partitions": PARTITIONS}
    command = [sys.executable, "-m", "tests.feedback.metrics.consuming", json.dumps(settings)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(process: subprocess.Popen[str], count: int) -> int:
    """How many events it says to have kept, once these are so many or more."""
    assert process.stdout is not None
    deadline = time.monotonic() + PATIENCE_S
    for line in map(str.strip, process.stdout):
        if line.isdigit() and int(line) >= count:  # it logs there too
            return int(line)
        assert time.monotonic() < deadline, line
    raise AssertionError("it is over")


async def publish(sink: BrokerSink, batches: Sequence[Sequence[Event]]) -> None:
    for batch in batches:
        await sink.publish(batch)


async def test_what_comes_over_a_broker_counts_once_though_the_process_was_killed(
    server: Broker, tmp_path: Path
) -> None:
    now, log = datetime.now(UTC), tmp_path / "metrics"
    events = days(12, until=now)
    batches = disordered(events, 12)
    third, count = len(batches) // 3, len({e.event_id for e in events})
    sink = BrokerSink(server.kind, server.open_link)
    with consuming(server, log) as process:
        await publish(sink, batches[:third])
        wait_for(process, 1)
        await publish(sink, batches[third : third + 2])
    await publish(sink, batches[third + 2 : 2 * third])
    with consuming(server, log) as process:
        await publish(sink, batches[2 * third :])
        await sink.aclose()
        assert wait_for(process, count) == count
    metrics = store(log, PARTITIONS)
    assert len(metrics) == count
    for window in ("6h", "1d", "30d"):
        for segment, policy in ((None, None), ("new_user", None), (None, "pol_a")):
            scope = Scope("home_feed", segment)
            assert_equal(await metrics.report(scope, policy, MetricWindow.parse(window), now), events)
    await metrics.aclose()
