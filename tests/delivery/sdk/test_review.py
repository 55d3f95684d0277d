"""What a hostile surrounding does to a client."""

from __future__ import annotations

import logging
import math
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reward_llm.delivery.sdk import ClientChange, WeightsClient
from reward_llm.delivery.sdk.clock import ServerClock
from reward_llm.delivery.sdk.lookups import Lookups
from reward_llm.delivery.sdk.reading import parse
from reward_llm.delivery.sdk.standing import Standing
from reward_llm.delivery.sdk.table import Table
from tests.delivery.sdk.documents import activation, document, encoded, item
from tests.delivery.sdk.scripted import response, scripted, until

NOWHERE = "http://127.0.0.1:9"


@contextmanager
def a_log_that_fails() -> Iterator[None]:
    """Filters raise into the program, unlike what goes wrong in the standard handlers."""
    log = logging.getLogger("reward_llm.delivery.sdk")

    def fail(record: logging.LogRecord) -> bool:
        raise RuntimeError("a filter that fails")

    log.addFilter(fail)
    try:
        yield
    finally:
        log.removeFilter(fail)


def finished(work: Callable[[], Any]) -> bool:
    """Whether it comes to an end."""
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(5)
    return not thread.is_alive()


def test_a_log_that_fails_makes_no_lookup_raise() -> None:
    client = WeightsClient(NOWHERE, bootstrap=encoded(document(item())))
    with client, a_log_that_fails():
        assert client.weights("home_fed") is None
        assert client.weights("home_feed", 17) is None  # type: ignore[arg-type]
        found = client.weights("home_feed", "vip")
        assert found is not None


def test_a_log_that_fails_doesnt_end_refreshing() -> None:
    with scripted() as service, a_log_that_fails():
        service.stop()
        with WeightsClient(service.url, poll_s=0.05) as client:
            client.wait_ready(1.0)
            service.start()
            assert client.wait_ready(15)


def test_a_program_ends_while_a_name_is_being_looked_up() -> None:
    program = """
import socket, time
socket.getaddrinfo = lambda *_, **__: time.sleep(3600)
from reward_llm.delivery.sdk import WeightsClient
client = WeightsClient("http://weights.example:8300")
client.start()
client.wait_ready(1.0)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20)


@pytest.mark.parametrize("act", [WeightsClient.start, WeightsClient.close, WeightsClient.health])
def test_a_callback_may_use_the_client(act: Callable[[WeightsClient], Any]) -> None:
    clients: list[WeightsClient] = []

    def on_change(change: ClientChange) -> None:
        act(clients[0])

    client = WeightsClient(NOWHERE, bootstrap=encoded(document(item())), on_change=on_change)
    clients.append(client)
    assert finished(client.start)
    assert finished(client.close)


def test_waiting_for_ever_is_waiting() -> None:
    with scripted() as service, WeightsClient(service.url) as client:
        assert client.wait_ready(math.inf)


def test_a_clock_that_goes_back_leaves_nothing_behind_that_was_worked_out_meanwhile() -> None:
    noon = datetime(2026, 6, 18, 12, tzinfo=UTC)
    base = activation(1, start=noon - timedelta(days=1))
    sale = activation(2, start=noon, end=noon + timedelta(hours=1))
    snapshot = parse(encoded(document(item(activations=[base, sale]))))
    standing = Standing(
        revision=1, confirmed_at=0.0, confirmed=True, service_stale=False, stale_after_s=15.0, monotonic=lambda: 0.0
    )
    table = Table.of(snapshot, standing)

    class Clock(ServerClock):
        """Goes back as a lookup has just read it, as the refreshing thread may have it go."""

        late = True

        def now(self) -> float:
            if self.late:
                self.late = False
                table.periods.clear()
                return (noon + timedelta(minutes=1)).timestamp()
            return (noon - timedelta(minutes=10)).timestamp()

    lookups = Lookups(Clock())
    lookups.serve(table)
    lookups.weights("home_feed")
    found = lookups.weights("home_feed")
    assert found is not None
    assert found.version == 1


def test_what_the_service_says_of_a_scenario_that_it_doesnt_have_is_told() -> None:
    problem = b'{"type":"about:blank","status":404,"detail":"no scenario \'home_fed\'","code":"scenario_unknown"}'
    refusal = response("404 Not Found", {"Content-Type": "application/problem+json"}, problem)
    with (
        scripted(answer=lambda _: refusal, streams=False) as service,
        WeightsClient(service.url, scenarios=frozenset({"home_fed"}), poll_s=0.1) as client,
    ):
        until(lambda: client.health().last_error)
        assert "home_fed" in str(client.health().last_error)
