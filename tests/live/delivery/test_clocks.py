"""Clocks that are wrong, or are set: the service's, and the client's."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest

from reward_llm.delivery.sdk import ClientConfig, WeightsClient
from tests import service as services
from tests.live.delivery.clockwork import MODULE
from tests.live.delivery.fleet import fleet
from tests.live.delivery.following import BEATS, QUICK, STALE_AFTER_S, Followed, until
from tests.live.delivery.soak import Soak, SoakConfig
from tests.live.delivery.writing import SCENARIO
from tests.service import Service, service

CLOCK: Final = "off_s"
"""The name of the file in a service's folder that says by how many seconds its clock is off."""


@contextmanager
def clocks_of_their_own(off_s: Mapping[Path, float]) -> Iterator[None]:
    """Services that are started now, each in one of these folders, have clocks that are so many seconds off."""
    for folder, seconds in off_s.items():
        folder.mkdir(exist_ok=True)
        (folder / CLOCK).write_text(str(seconds))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "PROGRAM", [sys.executable, "-m", MODULE, CLOCK])
        yield


@pytest.fixture(scope="module")
def clock(tmp_path_factory) -> Path:
    """The file that says by how many seconds the service's clock is off."""
    return tmp_path_factory.mktemp("service") / CLOCK


@pytest.fixture(scope="module")
def running(unused_tcp_port_factory, clock) -> Iterator[Service]:
    with (
        clocks_of_their_own({clock.parent: 0.0}),
        service(clock.parent, unused_tcp_port_factory(), **BEATS) as started,
    ):
        yield started


@pytest.fixture(autouse=True)
def _right(clock) -> Iterator[None]:
    yield
    clock.write_text("0")


def skew_is(client: Followed, seconds: float) -> None:
    """See that the client knows how far the service's clock is off."""
    until(lambda: abs(client.client.health().clock_skew_s - seconds) < 1, client.client.health)


def test_a_services_clock_that_jumps_ahead_takes_its_schedule_along_and_back(client, clock):
    old = client.served
    later = client.change(**{"from": (datetime.now(UTC) + timedelta(minutes=30)).isoformat()})
    clock.write_text("3600")
    client.gets(later)
    skew_is(client, 3600)
    clock.write_text("0")
    client.gets(old)
    skew_is(client, 0)
    number = client.http.get("/v1/activations").json()["items"][0]["sequence"]
    client.http.post(f"/v1/activations/{number}/end", json={"reason": "called off"}).raise_for_status()


def test_when_a_services_clock_is_set_back_a_little_weights_dont_go_back(client, clock):
    old, seen = client.served, set()
    clock.write_text("-3")
    until(lambda: seen.add(client.served) or client.client.health().clock_skew_s < -2, client.client.health)
    assert seen == {old}
    clock.write_text("0")
    client.gets(client.change())


def test_when_a_services_clock_is_set_back_far_the_schedule_of_then_holds(client, clock):
    new = client.change()
    clock.write_text("-7200")
    skew_is(client, -7200)
    until(lambda: client.client.weights(SCENARIO).rule == "default" and not client.client.weights(SCENARIO).stale)
    clock.write_text("0")
    until(lambda: (w := client.client.weights(SCENARIO)) and w.policy_id == new and not w.stale, client.client.health)


@pytest.mark.parametrize("off_s", [-86_400.0, 86_400.0])
def test_a_machine_whose_own_clock_is_wrong_serves_what_the_service_does(proxy, running, off_s):
    config = ClientConfig(**QUICK, wall_clock=lambda: time.time() + off_s)
    seen: set[str] = set()
    with WeightsClient(proxy.url, config, on_change=lambda _: None) as client:
        followed = Followed(client, proxy, running.http)
        old = followed.change()
        later = followed.change(**{"from": (datetime.now(UTC) + timedelta(hours=3)).isoformat()})
        with WeightsClient(proxy.url, config) as fresh:
            until(lambda: (w := fresh.weights(SCENARIO)) and (seen.add(w.policy_id) or not w.stale), fresh.health)
            again = Followed(fresh, proxy, running.http, followed.policies)
            again.gets(old)
            assert seen == {old}
            assert later != old
            until(lambda: abs(fresh.health().clock_skew_s + off_s) < 1, fresh.health)
            assert fresh.health().age_s < STALE_AFTER_S


async def test_two_servers_whose_clocks_differ_leave_no_client_without_the_active_weights(tmp_path, postgres_url):
    clocks = {tmp_path / "server0": 0.0, tmp_path / "server1": 0.2}
    config = SoakConfig(seconds=8, clients=10, readers=0, activation_every_s=0.5, look_every_s=0.01, restarts=0)
    with clocks_of_their_own(clocks), fleet(tmp_path, 2, database_url=postgres_url) as servers:
        result = await Soak(servers, config).run()
    assert result.ledger.examples == []
