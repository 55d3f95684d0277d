"""Changes that come with their notices, over a real socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reward_llm.delivery.sdk import ClientChange, WeightsClient, listening
from reward_llm.delivery.sdk.cache import SnapshotCache
from reward_llm.delivery.sdk.reading import parse
from tests.delivery.sdk.documents import activation, document, etag_of, item
from tests.delivery.sdk.scripted import Scripted, scripted, until

HOUR = timedelta(hours=1)


@pytest.fixture
def service() -> Iterator[Scripted]:
    with scripted() as running:
        yield running


def versions(client: WeightsClient) -> list[int | None]:
    found = [client.weights("home_feed", segment) for segment in (None, "new_user")]
    return [None if one is None else one.version for one in found]


def asked(service: Scripted) -> int:
    return len(service.snapshots)


@pytest.fixture
def client(service: Scripted) -> Iterator[WeightsClient]:
    with WeightsClient(service.url, poll_s=3600) as made:
        until(lambda: made.health().streaming and versions(made) == [1, 1])
        yield made


def one_newer(revision: int) -> dict[str, Any]:
    return document(item(default=1), item(segment="new_user", default=revision), revision=revision)


def test_a_change_that_comes_along_is_not_asked_for(service: Scripted, client: WeightsClient) -> None:
    before = asked(service)
    for revision in range(2, 12):
        service.carry(one_newer(revision))
        until(lambda revision=revision: versions(client) == [1, revision])  # type: ignore[misc]
    assert asked(service) == before
    health = client.health()
    assert (health.carried, health.revision, health.last_error, health.stale) == (10, 11, None, False)


@pytest.mark.parametrize(
    "said",
    [
        {"from": "another"},
        {"items": []},
        {"items": [item(segment="new_user", default=9)]},
        {"items": [item(segment="vip", default=2)]},
        {"items": [{"scenario": "home_feed"}]},
        {"items": ["what?"]},
    ],
    ids=str,
)
def test_what_does_not_continue_what_there_is_is_asked_for(
    said: dict[str, Any], service: Scripted, client: WeightsClient
) -> None:
    before = asked(service)
    service.carry(one_newer(2), **said)
    until(lambda: versions(client) == [1, 2])
    assert asked(service) == before + 1
    assert client.health().carried == 0
    service.carry(one_newer(3))
    until(lambda: versions(client) == [1, 3])
    assert asked(service) == before + 1
    assert len(service.streamed) == 1


def test_after_a_notice_that_was_lost_the_next_change_is_asked_for(service: Scripted, client: WeightsClient) -> None:
    service.silent = True
    service.serve(one_newer(2), tell=False)
    service.carry(one_newer(3))
    until(lambda: versions(client) == [1, 3])
    assert client.health().carried == 0


def test_an_older_change_that_continues_what_there_is_is_refused(service: Scripted, client: WeightsClient) -> None:
    service.carry(one_newer(5))
    until(lambda: versions(client) == [1, 5])
    before = asked(service)
    service.silent = True
    service.carry(one_newer(4))
    until(lambda: client.health().refused_older > 0)
    assert versions(client) == [1, 5]
    assert asked(service) == before


def test_who_knows_only_a_bootstrap_asks(service: Scripted) -> None:
    known = json.dumps(service.snapshot).encode()
    service.answer = lambda _: None
    with WeightsClient(service.url, poll_s=3600, bootstrap=known) as client:
        until(lambda: client.health().streaming)
        service.carry(one_newer(2))
        service.answer = None
        service.hang_up()
        until(lambda: versions(client) == [1, 2])
        assert client.health().carried == 0


def test_what_came_along_is_in_the_cache_as_if_it_had_been_asked_for(service: Scripted, tmp_path: Path) -> None:
    path = tmp_path / "w"
    with WeightsClient(service.url, poll_s=3600, cache=path) as client:
        until(lambda: client.health().streaming and versions(client) == [1, 1])
        service.carry(one_newer(2))
        until(lambda: client.health().carried == 1)
    kept = SnapshotCache(path, base_url=service.url, scenarios=None, max_bytes=10**6).load()
    assert kept is not None
    assert (kept.etag, kept.revision) == (etag_of(service.snapshot), 2)
    assert [i.default.version for i in parse(kept.body).items.values()] == [1, 2]
    with WeightsClient(service.url, poll_s=3600, cache=path) as again:
        assert versions(again) == [1, 2]
        until(lambda: again.health().streaming and again.health().source == "server")
        service.carry(one_newer(3))
        until(lambda: again.health().carried == 1)
        assert versions(again) == [1, 3]


def test_with_many_scopes_what_comes_along_is_put_in_place_by_another_thread(
    service: Scripted, client: WeightsClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "_MANY_SCOPES", 0)
    for revision in range(2, 6):
        service.carry(one_newer(revision))
    until(lambda: versions(client) == [1, 5])
    assert client.health().carried >= 1


def test_the_callback_is_told_of_what_came_along(service: Scripted) -> None:
    changes: list[ClientChange] = []
    with WeightsClient(service.url, poll_s=3600, on_change=changes.append) as client:
        until(lambda: client.health().streaming and versions(client) == [1, 1])
        service.carry(one_newer(2))
        until(lambda: len(changes) == 2)
    expected = ClientChange(scopes=frozenset({("home_feed", "new_user")}), old_revision=1, new_revision=2)
    assert changes[1] == expected


def test_schedules_that_come_along_are_kept_to(service: Scripted, client: WeightsClient) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    base, sale = activation(3, start=soon - HOUR), activation(7, start=soon)
    service.carry(document(item(activations=[sale, base]), item(segment="new_user", default=1), revision=2))
    until(lambda: versions(client)[0] == 3)
    until(lambda: versions(client)[0] == 7)
    assert client.health().carried == 1
