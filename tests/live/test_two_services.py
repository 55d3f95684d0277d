from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from tests import databases
from tests.service import Service, service
from tests.strategies import HOME_FEED

DEFAULTS = dict(HOME_FEED.defaults)
PASSWORD = "s3cret"


@pytest.fixture
def start(
    tmp_path: Path, postgres_url: str, unused_tcp_port_factory: Callable[[], int]
) -> Callable[[str], AbstractContextManager[Service]]:
    """Starts services on one PostgreSQL database, each with a folder of its own."""
    url = postgres_url.replace("postgres@", f"postgres:{PASSWORD}@")

    @contextmanager
    def started(name: str) -> Iterator[Service]:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        with service(folder, unused_tcp_port_factory(), backend="rules", database_url=url) as running:
            yield running

    return started


@pytest.fixture
def pair(start) -> Iterator[tuple[Service, Service]]:
    """Two services that came up at once, on a database that had no tables."""
    with ThreadPoolExecutor(2) as pool, ExitStack() as stack:
        first, second = pool.map(lambda name: stack.enter_context(start(name)), ["first", "second"])
        yield first, second


def edit(running: Service, step: int, key: str | None = None) -> httpx.Response:
    """A policy that differs a little from the defaults and from every other step's."""
    weights = DEFAULTS | {"click": DEFAULTS["click"] + step / 1000, "gmv": DEFAULTS["gmv"] - step / 1000}
    headers = {"Idempotency-Key": key} if key else {}
    body = {"scenario": "home_feed", "weights": weights, "reason": f"step {step}"}
    return running.http.post("/v1/policies", json=body, headers=headers)


def made(running: Service, step: int) -> str:
    return edit(running, step).raise_for_status().json()["policy_id"]


def activate(running: Service, policy_id: str) -> httpx.Response:
    return running.http.post(f"/v1/policies/{policy_id}/activation", json={}).raise_for_status()


def served(running: Service) -> str:
    return running.http.get("/v1/weights/home_feed").raise_for_status().json()["policy_id"]


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_one_service_activates_the_other_serves(pair):
    first, second = pair
    policy = made(first, 1)
    activate(first, policy)
    assert served(first) == policy
    wait_until(lambda: served(second) == policy)
    everywhere = [s.http.get("/v1/weights/home_feed") for s in pair]
    assert len({r.headers["ETag"] for r in everywhere}) == 1


def test_activations_through_both_at_once_leave_one_active_and_all_on_record(pair):
    with ThreadPoolExecutor(8) as pool:
        policies = list(pool.map(lambda i: made(pair[i % 2], i + 1), range(8)))
        list(pool.map(lambda i: activate(pair[(i + 1) % 2], policies[i]), range(8)))
    wait_until(lambda: served(pair[0]) == served(pair[1]))

    listed = pair[0].http.get("/v1/policies", params={"scenario": "home_feed"}).json()["items"]
    assert sorted(p["version"] for p in listed) == list(range(1, 9))
    records = pair[1].http.get("/v1/audit", params={"limit": 200}).json()["items"]
    assert [r["sequence"] for r in records] == list(range(len(records), 0, -1))
    activations = [r["subject"] for r in records if r["action"] == "policy.activated"]
    assert sorted(activations) == sorted(policies)
    began = pair[0].http.get("/v1/activations").json()["items"]
    latest = max(began, key=lambda a: (datetime.fromisoformat(a["start"]), a["sequence"]))
    assert served(pair[0]) == latest["policy"]["policy_id"]


def test_one_key_sent_through_both_at_once_is_one_policy(pair):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda i: edit(pair[i % 2], 1, key="one"), range(8)))
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["policy_id"] for a in answers}) == 1
    assert len(pair[0].http.get("/v1/policies").json()["items"]) == 1


def test_a_killed_service_loses_nothing_that_it_answered_and_its_neighbour_goes_on(pair):
    first, second = pair
    answered: list[str] = []

    def write(running: Service, offset: int) -> None:
        with suppress(httpx.TransportError):
            for i in range(20):
                answered.append(made(running, offset + i))  # noqa: PERF401 - one by one, because it is watched

    with ThreadPoolExecutor(4) as pool:
        for number in range(4):
            pool.submit(write, pair[number % 2], number * 20)
        wait_until(lambda: len(answered) >= 12)
        first.kill()
    assert len(answered) < 80
    listed = second.http.get("/v1/policies", params={"limit": 200}).json()["items"]
    assert set(answered) <= {p["policy_id"] for p in listed}
    assert sorted(p["version"] for p in listed) == list(range(1, len(listed) + 1))
    records = second.http.get("/v1/audit", params={"limit": 200}).json()["items"]
    assert sorted(r["subject"] for r in records) == sorted(p["policy_id"] for p in listed)
    activate(second, made(second, 90))


def test_a_database_that_goes_away_is_told_without_its_password(start, postgres_url):
    with start("only") as running:
        policy = made(running, 1)
        activate(running, policy)
        name = postgres_url.rpartition("/")[2]
        databases.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        databases.execute("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1", name)
        health = running.http.get("/readyz")
        refused = edit(running, 2)
        assert not health.json()["checks"]["store"]["ok"]
        assert (refused.status_code, refused.json()["code"]) == (503, "store_unavailable")
        assert served(running) == policy
        databases.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        wait_until(lambda: running.http.get("/readyz").json()["checks"]["store"]["ok"])
        edit(running, 2).raise_for_status()
    assert PASSWORD not in health.text + refused.text + running.log.read_text("utf-8")
