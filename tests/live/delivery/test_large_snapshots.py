"""Ten thousand segments, whose snapshot has ten megabytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import yaml

from reward_llm.resources import scenarios_dir
from tests.live.delivery.following import BEATS, Followed, followed, until
from tests.live.delivery.writing import LOOKUP, SCENARIO, SNAPSHOT, activate, made
from tests.network import FaultyProxy
from tests.service import Service, service

SEGMENTS: Final = 10_000
MORE_SEGMENTS: Final = 5_000
"""Of another scenario, so that the snapshot gets as long as it should."""
OWN: Final = 77
"""The segment in which something is activated."""
LARGE: Final = {"snapshot_timeout_s": 60.0, "read_timeout_s": 10.0, "stale_after_s": 10.0}
"""A client's patience with so much on a machine that does other things as well."""


@pytest.fixture(scope="module")
def scenarios(tmp_path_factory) -> Path:
    """A folder with a home feed of so many segments, and another surface beside it."""
    folder = tmp_path_factory.mktemp("scenarios")
    document = yaml.safe_load((scenarios_dir() / f"{SCENARIO}.yaml").read_text("utf-8"))
    described = {"en": "One of many.", "zh": "众多分组之一。"}
    for name, segments in ((SCENARIO, SEGMENTS), ("side_feed", MORE_SEGMENTS)):
        document["name"] = name
        document["segments"] = [{"name": name_of(n), "description": described} for n in range(segments)]
        (folder / f"{name}.yaml").write_text(json.dumps(document), "utf-8")
    return folder


@pytest.fixture(scope="module")
def running(tmp_path_factory, unused_tcp_port_factory, scenarios) -> Iterator[Service]:
    folder, port = tmp_path_factory.mktemp("service"), unused_tcp_port_factory()
    with service(folder, port, **BEATS, scenarios_dir=str(scenarios)) as started:
        yield started


@pytest.fixture
def client(proxy: FaultyProxy, running: Service) -> Iterator[Followed]:
    with followed(proxy, running.http, **LARGE) as large:
        yield large


def served_in_segments(client: Followed) -> set[str]:
    """What the client has for those segments in which nothing was activated."""
    return {client.client.weights(SCENARIO, name_of(n)).policy_id for n in range(SEGMENTS) if n != OWN}


def name_of(number: int) -> str:
    return f"segment_{number:05}"


def test_a_snapshot_of_ten_megabytes_arrives_and_follows_a_change(client):
    assert len(client.http.get(SNAPSHOT).content) > 10_000_000
    served = [client.client.weights(SCENARIO, name_of(n)) for n in range(SEGMENTS)]
    assert {w.policy_id for w in served} == {client.served}
    assert [w.segment for w in served] == [name_of(n) for n in range(SEGMENTS)]

    own = made(client.http, 1, name_of(OWN))
    activate(client.http, own)
    until(lambda: client.client.weights(SCENARIO, name_of(OWN)).policy_id == own.policy_id, client.client.health)
    assert client.client.weights(SCENARIO, name_of(OWN + 1)).policy_id == client.served
    looked_up = client.http.get(LOOKUP, params={"segment": name_of(OWN)}).json()
    assert looked_up["policy_id"] == own.policy_id


def test_a_large_snapshot_that_breaks_off_leaves_the_last_one_whole(client):
    old = client.served
    with client.proxy.suffering(truncate_after=5_000_000):
        new = client.change()
        until(lambda: client.client.health().last_error, client.client.health)
        assert served_in_segments(client) == {old}
    client.gets(new)
    assert served_in_segments(client) == {new}


def test_a_large_snapshot_on_a_slow_network_arrives_whole(client):
    with client.proxy.suffering(bytes_per_s=5_000_000.0):
        client.gets(client.change())
