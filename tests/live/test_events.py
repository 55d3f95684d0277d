"""Following the weights through real servers: who hears of what, and how soon a stream is over."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from tests import databases
from tests.live.test_two_services import activate, made, served, wait_until
from tests.service import Service, service

PATH: Final = "/v1/weights/events"
SELDOM: Final = {"refresh_s": "60", "stale_after_s": "600", "heartbeat_s": "1"}
"""By themselves, services look at the database too seldom for these tests."""
LISTENERS: Final = "FROM pg_stat_activity WHERE datname = $1 AND query LIKE '%pg_notify%'"


@contextmanager
def following(running: Service, path: str = PATH) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    """The events of a stream as they come."""
    with running.http.stream("GET", path) as answer:
        assert answer.status_code == 200
        yield events(answer.iter_lines())


def events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        elif fields:
            yield fields["event"], json.loads(fields["data"])
            fields = {}


def changed(told: Iterator[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    return next(data for kind, data in told if kind == "changed")


def etag(running: Service) -> str:
    return running.http.get("/v1/weights").headers["ETag"].strip('"')


def feed(running: Service) -> dict[str, Any]:
    check: dict[str, Any] = running.http.get("/readyz").json()["checks"]["feed"]
    return check


@pytest.fixture(scope="module")
def database(postgres_server: str) -> Iterator[str]:
    with databases.database() as url:
        yield url


@pytest.fixture(scope="module")
def pair(
    tmp_path_factory: pytest.TempPathFactory, database: str, unused_tcp_port_factory: Callable[[], int]
) -> Iterator[tuple[Service, Service]]:
    """Two services on one PostgreSQL database."""
    chosen = {"backend": "rules", "database_url": database, **SELDOM}
    with ThreadPoolExecutor(2) as pool, ExitStack() as stack:

        def start(name: str) -> Service:
            return stack.enter_context(service(tmp_path_factory.mktemp(name), unused_tcp_port_factory(), **chosen))

        first, second = pool.map(start, ["first", "second"])
        yield first, second


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, unused_tcp_port_factory: Callable[[], int]) -> Iterator[Service]:
    """One service that a few may follow."""
    chosen = {"backend": "rules", "heartbeat_s": "1", "max_subscribers": "2"}
    with service(tmp_path_factory.mktemp("alone"), unused_tcp_port_factory(), **chosen) as running:
        yield running


def test_what_one_service_activates_is_told_to_who_follows_another(pair: tuple[Service, Service]) -> None:
    first, second = pair
    wait_until(lambda: feed(first)["ok"] and feed(second)["ok"])
    with following(second) as told:
        kind, before = next(told)
        assert (kind, before["etag"]) == ("heartbeat", etag(first))
        for step in (1, 2, 3):
            policy = made(first, step)
            activate(first, policy)
            data = changed(told)
            assert (data["revision"], data["etag"]) == (before["revision"] + step, etag(second))
            assert served(second) == served(first) == policy


def test_services_whose_listeners_are_cut_off_say_so_and_catch_up(
    pair: tuple[Service, Service], database: str
) -> None:
    first, second = pair
    name = database.rpartition("/")[2]
    wait_until(lambda: feed(first)["ok"] and feed(second)["ok"])
    with following(second) as told:
        _, before = next(told)
        databases.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        assert databases.execute(f"SELECT count(pg_terminate_backend(pid)) {LISTENERS}", name) == 2
        wait_until(lambda: not feed(second)["ok"])
        assert feed(second)["detail"].startswith("postgresql: silent for ")
        assert 'reward_llm_feed_up{kind="postgresql"} 0.0' in second.http.get("/metrics").text
        assert second.http.get("/readyz").json()["status"] == "degraded"
        databases.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        policy = made(first, 9)
        activate(first, policy)
        assert changed(told)["revision"] == before["revision"] + 1
        assert served(second) == policy
        wait_until(lambda: feed(first)["ok"] and feed(second)["ok"])
        assert 'reward_llm_feed_up{kind="postgresql"} 1.0' in second.http.get("/metrics").text


def test_the_edges_of_a_schedule_are_told_by_the_clock(alone: Service) -> None:
    policy = made(alone, 1)
    begins = datetime.now(UTC) + timedelta(seconds=2)
    window = {"from": begins.isoformat(), "until": (begins + timedelta(seconds=2)).isoformat()}
    with following(alone) as told:
        _, before = next(told)
        alone.http.post(f"/v1/policies/{policy}/activation", json=window).raise_for_status()
        assert changed(told)["etag"] != before["etag"]
        moments = [datetime.fromisoformat(changed(told)["as_of"]) for _ in range(2)]
        assert begins <= moments[0] < begins + timedelta(seconds=2) <= moments[1]
        assert etag(alone) == before["etag"]


def test_who_hangs_up_makes_room(alone: Service) -> None:
    with following(alone) as one, following(alone) as other:
        next(one)
        next(other)
        refused = alone.http.get(PATH)
        assert (refused.status_code, refused.json()["code"]) == (503, "too_many_subscribers")
        assert int(refused.headers["Retry-After"]) > 0
    wait_until(lambda: "reward_llm_subscribers 0.0" in alone.http.get("/metrics").text)
    with following(alone) as told:
        assert next(told)[0] == "heartbeat"


def test_streams_end_whole_when_the_service_is_stopped(tmp_path: Path, unused_tcp_port: int) -> None:
    with service(tmp_path, unused_tcp_port, backend="rules") as running:
        with following(running) as one, following(running) as other:
            next(one)
            next(other)
            running.process.send_signal(signal.SIGTERM)
            for told in (one, other):
                assert {kind for kind, _ in told} <= {"heartbeat"}
        assert running.process.wait(30) == -signal.SIGTERM
        log = running.log.read_text("utf-8")
    assert "Application shutdown complete" in log
    assert "Traceback" not in log
    assert "without completing" not in log
