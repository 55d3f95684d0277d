from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_llm.delivery.sdk import ClientConfig, WeightsClient
from reward_llm.delivery.sdk.cache import Kept, SnapshotCache
from reward_llm.delivery.sdk.errors import SnapshotInvalid
from tests.delivery.sdk.documents import document, encoded, item

NOWHERE = "http://127.0.0.1:9"


def kept(revision: int = 1, confirmed_at: float = 1_000.0) -> Kept:
    body = encoded(document(revision=revision, as_of=datetime(2026, 6, 18, 12, tzinfo=UTC)))
    return Kept(body=body, etag="abc", revision=revision, confirmed_at=confirmed_at)


def cache_at(path: Path, **changed: object) -> SnapshotCache:
    options = {"base_url": NOWHERE, "scenarios": None, "max_bytes": 10**6} | changed
    return SnapshotCache(path, **options)  # type: ignore[arg-type]


def test_what_was_stored_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "weights"
    assert cache_at(path).load() is None
    assert cache_at(path).store(kept())
    assert cache_at(path).load() == kept()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["weights"]


def test_of_two_processes_the_newer_revision_stays(tmp_path: Path) -> None:
    one, other = cache_at(tmp_path / "w"), cache_at(tmp_path / "w")
    one.store(kept(8))
    assert not other.store(kept(7))
    assert other.store(kept(8, confirmed_at=2_000.0))
    assert other.store(kept(7), replaces_newer=True)
    assert one.load() == kept(7)


@settings(max_examples=40)
@given(at=st.integers(0, 400), byte=st.binary(min_size=1, max_size=1))
def test_damage_is_found_wherever_it_is(tmp_path_factory: pytest.TempPathFactory, at: int, byte: bytes) -> None:
    path = tmp_path_factory.mktemp("cache") / "w"
    cache_at(path).store(kept())
    content = path.read_bytes()
    damaged = content[:at] + byte + content[at + 1 :]
    path.write_bytes(damaged)
    if damaged == content:
        return
    with pytest.raises(SnapshotInvalid):
        cache_at(path).load()
    assert cache_at(path).store(kept())
    assert cache_at(path).load() == kept()


@pytest.mark.parametrize("left", [0, 10, 60, 200, 500])
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, left: int) -> None:
    cache_at(tmp_path / "w").store(kept())
    os.truncate(tmp_path / "w", left)
    with pytest.raises(SnapshotInvalid):
        cache_at(tmp_path / "w").load()


@pytest.mark.parametrize("other", [{"base_url": "http://127.0.0.1:10"}, {"scenarios": frozenset({"home_feed"})}])
def test_somebody_elses_snapshot_is_refused(tmp_path: Path, other: dict[str, object]) -> None:
    cache_at(tmp_path / "w", **other).store(kept())
    with pytest.raises(SnapshotInvalid, match="another service"):
        cache_at(tmp_path / "w").load()


def test_another_version_is_refused(tmp_path: Path) -> None:
    cache_at(tmp_path / "w").store(kept())
    path = tmp_path / "w"
    path.write_bytes(path.read_bytes().replace(b"snapshot/1 ", b"snapshot/2 "))
    with pytest.raises(SnapshotInvalid, match="another version"):
        cache_at(path).load()


def test_a_file_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    cache_at(tmp_path / "w").store(kept())
    os.truncate(tmp_path / "w", 10**9)
    with pytest.raises(SnapshotInvalid, match="too long"):
        cache_at(tmp_path / "w").load()


def test_a_file_that_cannot_be_written_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "w").mkdir()
    with pytest.raises(OSError, match="w"):
        cache_at(tmp_path / "w").store(kept())
    assert [p.name for p in tmp_path.iterdir()] == ["w"]


def started(tmp_path: Path, **options: object) -> WeightsClient:
    client = WeightsClient(NOWHERE, ClientConfig(), cache=tmp_path / "w", **options)
    client.start()
    client.close()
    return client


def test_a_client_begins_with_what_it_had(tmp_path: Path) -> None:
    cache_at(tmp_path / "w").store(kept(5, confirmed_at=1_000.0))
    client = started(tmp_path, wall_clock=lambda: 1_090.0)
    found, health = client.weights("home_feed"), client.health()
    assert found is not None
    assert (found.version, found.stale, found.revision) == (5, True, 5)
    assert 90 <= found.age_s < 120
    assert (health.source, health.ready, health.stale, health.notes) == ("cache", True, True, ())


def test_a_clock_that_was_set_back_makes_the_age_unknown_not_nothing(tmp_path: Path) -> None:
    cache_at(tmp_path / "w").store(kept(confirmed_at=1_000.0))
    client = started(tmp_path, wall_clock=lambda: 900.0)
    assert client.health().as_dict()["age_s"] is None
    found = client.weights("home_feed")
    assert found is not None
    assert (found.stale, found.age_s) == (True, float("inf"))


def test_a_damaged_cache_gives_way_to_the_bootstrap_with_the_reason(tmp_path: Path) -> None:
    cache_at(tmp_path / "w").store(kept(5))
    os.truncate(tmp_path / "w", 300)
    (tmp_path / "boot.json").write_bytes(json.dumps(document(revision=3), indent=2).encode())
    client = started(tmp_path, bootstrap=tmp_path / "boot.json")
    health = client.health()
    assert (health.source, health.revision) == ("bootstrap", 3)
    assert "damaged" in health.notes[0]


@pytest.mark.parametrize(("cached", "packaged", "source"), [(5, 4, "cache"), (4, 5, "bootstrap")])
def test_of_cache_and_bootstrap_the_newer_counts(tmp_path: Path, cached: int, packaged: int, source: str) -> None:
    cache_at(tmp_path / "w").store(kept(cached))
    health = started(tmp_path, bootstrap=encoded(document(revision=packaged))).health()
    assert (health.source, health.revision) == (source, 5)
    assert "is older than" in health.notes[0]


def test_a_bootstrap_has_the_age_that_it_says(tmp_path: Path) -> None:
    hour_ago = datetime.now(UTC) - timedelta(hours=1)
    found = started(tmp_path, bootstrap=encoded(document(as_of=hour_ago, age_s=30.0))).weights("home_feed")
    assert found is not None
    assert found.stale
    assert 3630 <= found.age_s < 3700


def test_of_a_bootstrap_only_the_scenarios_that_are_followed_count(tmp_path: Path) -> None:
    both = encoded(document(item(), item("video_feed")))
    client = started(tmp_path, bootstrap=both, scenarios=frozenset({"video_feed"}))
    assert client.weights("home_feed") is None
    assert client.weights("video_feed") is not None


@pytest.mark.parametrize("bootstrap", [b"{}", b"", Path("/nowhere/boot.json"), Path("/")])
def test_a_bootstrap_that_cannot_be_used_is_said_and_nothing_else(tmp_path: Path, bootstrap: bytes | Path) -> None:
    health = started(tmp_path, bootstrap=bootstrap).health()
    assert (health.ready, health.source) == (False, None)
    assert "the bootstrap can't be used" in health.notes[0]
