from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reward_llm.delivery.sdk import ClientChange, WeightsClient
from tests.delivery.sdk.documents import activation, document, encoded, item
from tests.delivery.sdk.scripted import Scripted, scripted, until, version

HOUR = timedelta(hours=1)


def test_a_change_arrives_by_the_stream(service: Scripted) -> None:
    changes: list[ClientChange] = []
    with WeightsClient(service.url, poll_s=3600, on_change=changes.append) as client:
        assert client.wait_ready(30)
        assert version(client) == 1
        until(lambda: client.health().streaming)
        service.serve(document(revision=2))
        until(lambda: version(client) == 2)
        found = client.weights("home_feed", "new_user")
        assert found is not None
        assert (found.revision, found.stale, found.age_s < 5) == (2, False, True)
        until(lambda: len(changes) == 2)
    assert [(c.old_revision, c.new_revision) for c in changes] == [(None, 1), (1, 2)]
    assert changes[1].scopes == {("home_feed", None), ("home_feed", "new_user")}
    assert service.snapshots[-1].headers["weights-at-least"] == "2"
    assert service.snapshots[-1].headers["if-none-match"]


def test_a_change_whose_notice_was_lost_arrives_with_the_next_heartbeat(service: Scripted) -> None:
    with WeightsClient(service.url, poll_s=3600) as client:
        until(lambda: client.health().streaming)
        service.serve(document(revision=2), tell=False)
        until(lambda: version(client) == 2)


def test_without_a_stream_changes_are_polled() -> None:
    with scripted(streams=False) as service, WeightsClient(service.url, poll_s=0.05) as client:
        assert client.wait_ready(30)
        service.serve(document(revision=2))
        until(lambda: version(client) == 2)
        until(lambda: any("if-none-match" in a.headers for a in service.snapshots))
        assert not client.health().streaming
        assert "404" in (client.health().last_error or "")


@pytest.mark.parametrize("says_when", [True, False])
def test_that_nothing_changed_tells_the_time_if_the_service_says_when(says_when: bool, tmp_path: Path) -> None:
    with (
        scripted(streams=False, says_when=says_when, skew_s=36_000.0) as service,
        WeightsClient(service.url, poll_s=0.05, cache=tmp_path / "w") as before,
    ):
        until(lambda: before.health().source == "server")
        before.close()
        asked = len(service.snapshots)
        with WeightsClient(service.url, poll_s=0.05, cache=tmp_path / "w") as client:
            until(lambda: len(service.snapshots) > asked + 3)
            assert client.health().clock_skew_s == pytest.approx(36_000, abs=5)
            assert (client.health().stale, client.health().revision) == (False, 1)
        conditional = ["if-none-match" in a.headers for a in service.snapshots[asked:]]
        assert conditional[:2] == [True, says_when], "who wasn't told the time asks for the whole snapshot"
        assert all(conditional[2:])


def test_heartbeats_keep_it_fresh_without_asking(service: Scripted) -> None:
    with WeightsClient(service.url, poll_s=0.05, stale_after_s=1.0) as client:
        until(lambda: client.health().streaming)
        asked = len(service.snapshots)
        time.sleep(1.5)
        assert not client.health().stale
        assert len(service.snapshots) <= asked + 1


def test_while_the_service_is_away_the_last_good_weights_are_served_as_stale(service: Scripted) -> None:
    with WeightsClient(service.url, poll_s=0.1, stale_after_s=0.5) as client:
        assert client.wait_ready(30)
        held = client.weights("home_feed")
        service.stop()
        until(lambda: client.health().stale)
        found = client.weights("home_feed")
        assert found is held
        assert found is not None
        assert found.stale
        assert found.age_s > 0.5
        assert client.health().last_error is not None
        service.snapshot = document(revision=3)
        service.start()
        until(lambda: version(client) == 3)
        until(lambda: client.health().last_error is None)
        assert not client.health().stale
        assert held is not None
        assert held.version == 1


def test_a_client_may_start_before_the_service() -> None:
    with scripted() as service:
        service.stop()
        client = WeightsClient(service.url, poll_s=0.1)
        began = time.monotonic()
        client.start()
        assert client.weights("home_feed") is None
        assert not client.wait_ready(0.2)
        assert time.monotonic() - began < 20
        service.start()
        assert client.wait_ready(30)
        client.close()


def test_waiting_ends_with_the_first_failure_where_weights_are_remembered() -> None:
    with WeightsClient("http://127.0.0.1:9", bootstrap=encoded(document())) as client:
        assert client.wait_ready(3600)
        assert client.health().source == "bootstrap"


def test_a_stream_that_falls_silent_is_given_up() -> None:
    with scripted(every_s=0.1) as service, WeightsClient(service.url, poll_s=3600) as client:
        until(lambda: client.health().streaming)
        service.silent = True
        until(lambda: not client.health().streaming)
        assert "said nothing" in (client.health().last_error or "")
        service.silent = False
        until(lambda: client.health().streaming)
        assert len(service.streamed) >= 2


def test_what_the_service_calls_stale_is_stale(service: Scripted) -> None:
    with WeightsClient(service.url) as client:
        assert client.wait_ready(30)
        service.snapshot = service.snapshot | {"stale": True, "age_s": 50.0}
        until(lambda: client.health().stale)
        assert client.health().age_s < 40, "what was confirmed once is never less sure"
        service.snapshot = service.snapshot | {"stale": False, "age_s": 0.1}
        until(lambda: not client.health().stale)


def test_a_server_gives_way_to_no_bootstrap_however_new(service: Scripted) -> None:
    with WeightsClient(service.url, bootstrap=encoded(document(revision=99))) as client:
        until(lambda: client.health().source == "server")
        assert client.health().revision == 1


def test_a_cached_snapshot_is_confirmed_by_its_tag_alone(service: Scripted, tmp_path: Path) -> None:
    for _ in range(2):
        with WeightsClient(service.url, cache=tmp_path / "w") as client:
            until(lambda: client.health().source == "server")
            assert version(client) == 1
            assert not client.health().stale
            before = len(service.snapshots)
    assert all("if-none-match" in a.headers for a in service.snapshots[before - 1 :])


def test_the_cache_is_written_while_it_runs(service: Scripted, tmp_path: Path) -> None:
    with WeightsClient(service.url, cache=tmp_path / "w"):
        until((tmp_path / "w").exists)
    service.stop()
    with WeightsClient(service.url, cache=tmp_path / "w") as again:
        assert version(again) == 1
        assert again.health().source == "cache"


def test_a_cache_that_cannot_be_written_is_said_and_nothing_else(service: Scripted, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with WeightsClient(service.url, cache=tmp_path / "file" / "w") as client:
        assert client.wait_ready(30)
        until(lambda: "can't be written" in (client.health().last_error or ""))
        assert version(client) == 1


def test_schedules_go_by_the_services_clock() -> None:
    ahead = datetime.now(UTC) + 10 * HOUR
    sale = activation(7, start=ahead - HOUR, end=ahead + HOUR)
    skewed = scripted(skew_s=36_000.0, snapshot=document(item(activations=[sale])))
    with skewed as service, WeightsClient(service.url) as client:
        until(lambda: version(client) == 7)
        assert client.health().clock_skew_s == pytest.approx(36_000, abs=5)


def test_a_wall_clock_that_is_ahead_does_not_bring_forward_what_is_to_come(service: Scripted) -> None:
    now = datetime.now(UTC)
    schedule = [activation(7, start=now + HOUR), activation(3, start=now - HOUR)]
    service.snapshot = document(item(activations=schedule))
    with WeightsClient(service.url, wall_clock=lambda: time.time() + 86_400) as client:
        assert client.wait_ready(30)
        assert version(client) == 3
        assert client.health().clock_skew_s == pytest.approx(-86_400, abs=5)


@pytest.mark.parametrize("hours", [1.0, -1.0])
def test_a_service_whose_clock_is_set_never_leaves_the_client_without_weights(hours: float) -> None:
    now = datetime.now(UTC)
    base, sale = activation(3, start=now - 5 * HOUR), activation(7, start=now + HOUR / 2)
    usual, then = document(item(activations=[sale, base])), document(item(activations=[sale]))
    seen: set[int | None] = set()
    with scripted(snapshot=usual, every_s=0.1) as service, WeightsClient(service.url, poll_s=3600) as client:
        until(lambda: client.health().streaming)
        until(lambda: version(client) == 3)
        for skew_h, snapshot, expected in (
            (hours, then if hours > 0 else usual, 7 if hours > 0 else 3),
            (0.0, usual, 3),
        ):
            service.skew_s = skew_h * 3600
            service.serve(snapshot)
            until(lambda: seen.add(version(client)) or abs((client.health().clock_skew_s or 0) - service.skew_s) < 1)
            until(lambda expected=expected: seen.add(version(client)) or version(client) == expected)  # type: ignore[misc]
    assert seen <= {3, 7}


def test_an_edge_is_reached_without_the_service() -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1.5)
    schedule = document(item(activations=[activation(7, start=soon), activation(3, start=soon - HOUR)]))
    with WeightsClient("http://127.0.0.1:9", bootstrap=encoded(schedule)) as client:
        seen = [version(client)]
        until(lambda: version(client) == 7)
        assert set(seen) <= {3, 7}
        found = client.weights("home_feed")
        assert found is not None
        assert (found.rule, found.valid_until) == ("scenario", None)


def test_a_callback_that_fails_stops_nothing(service: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: ClientChange) -> None:
        raise RuntimeError("no luck")

    with WeightsClient(service.url, on_change=fails) as client:
        assert client.wait_ready(30)
        service.serve(document(revision=2))
        until(lambda: version(client) == 2)
    assert "no luck" in caplog.text


def test_a_callback_may_close_the_client(service: Scripted) -> None:
    made: list[WeightsClient] = []
    client = WeightsClient(service.url, on_change=lambda _: made[0].close())
    made.append(client)
    client.start()
    until(lambda: version(client) == 1)
    until(lambda: not client.running)
    client.close()


ODD: list[tuple[Any, ...]] = [
    (None,),
    (7,),
    ([],),
    ("home_feed", {}),
    ("home_feed", 0),
    ("home_feed", None, 7),
    ("home_feed", None, b"user"),
    ("home_feed", "new_user", ["user"]),
    (object, object, object),
]


@pytest.mark.parametrize("arguments", ODD, ids=repr)
def test_what_is_not_text_gives_none_and_is_counted(arguments: tuple[Any, ...], service: Scripted) -> None:
    with WeightsClient(service.url) as client:
        assert client.wait_ready(30)
        before = client.health()
        assert client.weights(*arguments) is None
        after = client.health()
        assert after.misuses + after.unknown_scenarios == before.misuses + before.unknown_scenarios + 1


def test_a_name_that_fails_when_it_is_looked_at_gives_none(service: Scripted) -> None:
    class Evil(str):
        __slots__ = ()

        def __hash__(self) -> int:
            raise ZeroDivisionError

    with WeightsClient(service.url) as client:
        assert client.wait_ready(30)
        assert client.weights(Evil("home_feed")) is None
        assert client.health().misuses == 1


def test_unknown_names(service: Scripted, caplog: pytest.LogCaptureFixture) -> None:
    with WeightsClient(service.url) as client:
        assert client.weights("anything") is None
        assert client.wait_ready(30)
        whole = client.weights("home_feed")
        assert [client.weights("home_feed", "vip"), client.weights("home_feed", "vip", "ann")] == [whole, whole]
        assert client.weights("home_fed") is None
        assert client.weights("home_feed", "") is whole
        assert client.weights("home_feed", None, "") is whole
        assert client.weights("home_feed", None, "\ud800") is whole
        health = client.health()
        assert (health.unknown_segments, health.unknown_scenarios, health.misuses) == (2, 1, 0)
    assert caplog.text.count("'vip'") == 1


def test_weights_are_exact_and_never_change(service: Scripted) -> None:
    with WeightsClient(service.url) as client:
        assert client.wait_ready(30)
        found = client.weights("home_feed")
        assert found is not None
        assert (found.utilities, found.vector) == (("click", "gmv"), (0.001, 0.999))
        assert dict(found.weights) == {"click": 0.001, "gmv": 0.999}
        with pytest.raises(TypeError):
            found.weights["click"] = 1.0  # type: ignore[index]
        with pytest.raises(AttributeError):
            found.version = 2  # type: ignore[misc]
        assert {found} == {client.weights("home_feed")}


def test_readers_never_see_a_mix_of_two_snapshots(service: Scripted) -> None:
    wrong: list[object] = []
    stop = threading.Event()

    def read(client: WeightsClient) -> None:
        last = 0
        while not stop.is_set():
            for segment in (None, "new_user"):
                found = client.weights("home_feed", segment)
                if found is None or found.revision < last or found.vector[0] != found.version / 1000:
                    wrong.append(found)
                    return
                last = found.revision

    with WeightsClient(service.url) as client:
        assert client.wait_ready(30)
        readers = [threading.Thread(target=read, args=(client,)) for _ in range(3)]
        for reader in readers:
            reader.start()
        for revision in range(2, 40):
            service.serve(document(revision=revision))
        until(lambda: version(client) == 39)
        stop.set()
        for reader in readers:
            reader.join()
    assert wrong == []


def test_starting_and_closing_again_and_again(service: Scripted) -> None:
    client = WeightsClient(service.url)
    client.close()
    for revision in range(1, 4):
        service.snapshot = document(revision=revision)
        client.start()
        client.start()
        until(lambda revision=revision: version(client) == revision)  # type: ignore[misc]
        assert client.health().running
        client.close()
        client.close()
        assert not client.health().running
        assert version(client) == revision
    assert not [t for t in threading.enumerate() if t.name == "reward-llm-weights"]


def test_closing_does_not_wait_for_a_service_that_says_nothing(service: Scripted) -> None:
    service.answer = service.greet = lambda _: None
    client = WeightsClient(service.url)
    client.start()
    until(lambda: service.snapshots and service.streamed)
    began = time.monotonic()
    client.close()
    assert time.monotonic() - began < 20
    assert not [t for t in threading.enumerate() if t.name == "reward-llm-weights"]


@pytest.mark.parametrize("url", ["", "127.0.0.1:8300", "ftp://host", "http://", "http://[::1", 7])
def test_an_address_that_cannot_be_is_refused_at_once(url: Any) -> None:
    with pytest.raises(ValueError, match="base_url"):
        WeightsClient(url)


@pytest.mark.parametrize(
    "wrong",
    [
        {"poll_s": 0},
        {"stale_after_s": float("nan")},
        {"snapshot_timeout_s": float("inf")},
        {"max_snapshot_bytes": -1},
        {"accept_older_after_s": -1},
        {"scenarios": "home_feed"},
    ],
)
def test_a_configuration_that_cannot_be_is_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        WeightsClient("http://127.0.0.1:9", **wrong)
    with pytest.raises(TypeError):
        WeightsClient("http://127.0.0.1:9", pol_s=1)


def test_only_the_scenarios_that_are_followed_are_asked_for(service: Scripted) -> None:
    with WeightsClient(service.url + "/", scenarios={"b", "a"}, headers={"x-team": "ranking"}) as client:
        assert client.wait_ready(30)
        until(lambda: client.health().streaming)
    assert {a.path.partition("?")[2] for a in service.asked} == {"scenario=a&scenario=b"}
    assert {a.headers["x-team"] for a in service.asked} == {"ranking"}
