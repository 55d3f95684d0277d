from __future__ import annotations

from pathlib import Path

import pytest

from reward_llm.bootstrap import load_settings
from reward_llm.bootstrap.metrics import build_metrics
from reward_llm.domain.metrics import NOTHING, Metric, MetricWindow
from reward_llm.errors import ConfigurationInvalid

BROKER = {"events": "nats", "events_url": "nats://127.0.0.1:4222"}
HOUR = MetricWindow.parse("1h")


async def test_local_events_are_measured_in_memory_unless_there_is_a_folder(tmp_path: Path) -> None:
    for settings in (load_settings(), load_settings(metrics_dir=tmp_path / "log", metrics_partitions=2)):
        room = build_metrics(settings)
        assert room.online is not None
        assert room.sinks == (room.online,)
        assert await room.online.read("home_feed", None, None, Metric.CTR, HOUR) == NOTHING
        await room.online.aclose()
    assert len(list((tmp_path / "log").iterdir())) == 2


async def test_events_of_a_broker_are_measured_where_there_is_a_folder(tmp_path: Path) -> None:
    nowhere = build_metrics(load_settings(**BROKER))
    assert nowhere.online is None
    room = build_metrics(load_settings(**BROKER, metrics_dir=tmp_path))
    assert room.online is not None
    assert room.sinks == ()
    for close in room.closers:
        await close()


def test_a_folder_that_another_number_of_partitions_was_made_in_is_refused(tmp_path: Path) -> None:
    (tmp_path / "events-1-of-3.duckdb").touch()
    with pytest.raises(ConfigurationInvalid, match="another number of partitions"):
        build_metrics(load_settings(metrics_dir=tmp_path))
