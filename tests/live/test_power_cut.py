from __future__ import annotations

import threading
import time
from contextlib import suppress

import httpx
import pytest

from tests.generation.servers import hang, model_server
from tests.service import Service, service

SALE = {"scenario": "home_feed", "text": "今天是618大促，GMV目标1亿，用户留存目标是65%"}


@pytest.fixture
def port(unused_tcp_port_factory):
    return unused_tcp_port_factory()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    """The setting that names a database, if it isn't the folder's own."""
    return {} if request.param == "sqlite" else {"database_url": request.getfixturevalue("postgres_url")}


def submit(running: Service, key: str) -> httpx.Response:
    return running.http.post("/v1/goals", json=SALE, headers={"Idempotency-Key": key})


def in_background(running: Service, keys: list[str]) -> None:
    def post(key: str) -> None:
        with suppress(httpx.TransportError):
            submit(running, key)

    for key in keys:
        threading.Thread(target=post, args=(key,), daemon=True).start()


def goals_in(running: Service, state: str, count: int, seconds: float = 60.0) -> list[dict]:
    """All goals, as soon as there are so many and all of them are in that state."""
    deadline = time.monotonic() + seconds
    while True:
        goals = listed(running)
        if len(goals) == count and {g["state"] for g in goals} == {state}:
            return goals
        assert time.monotonic() < deadline, goals
        time.sleep(0.05)


def test_goals_that_a_power_cut_interrupts_are_settled_once_by_the_next_start(tmp_path, port, database):
    with (
        model_server(hang) as url,
        service(tmp_path, port, backend="vllm", vllm_url=url, deadline_s="600", **database) as running,
    ):
        in_background(running, ["a", "b"])
        waiting = goals_in(running, "received", 2)
        running.kill()

    with service(tmp_path, port, backend="rules", **database) as running:
        settled = goals_in(running, "proposed", 2)
        assert {g["id"] for g in settled} == {g["id"] for g in waiting}
        again = [submit(running, key).json()["id"] for key in ("a", "b")]
        assert sorted(again) == sorted(g["id"] for g in settled)
        assert len(listed(running)) == 2
        policies = running.http.get("/v1/policies").json()["items"]
        assert sorted(p["version"] for p in policies) == [1, 2]


def test_what_was_activated_is_served_after_a_power_cut(tmp_path, port, database):
    with service(tmp_path, port, backend="rules", **database) as running:
        proposal = submit(running, "a").json()["proposal"]
        policy, decision = proposal["policy_id"], {"decision": "approve", "content_hash": proposal["content_hash"]}
        reviewer = {"X-Actor": "li"}
        running.http.post(f"/v1/policies/{policy}/review", json=decision, headers=reviewer).raise_for_status()
        running.http.post(f"/v1/policies/{policy}/activation", json={}).raise_for_status()
        before = running.http.get("/v1/weights/home_feed")
        running.kill()
    with service(tmp_path, port, backend="rules", **database) as running:
        after = running.http.get("/v1/weights/home_feed", headers={"If-None-Match": before.headers["ETag"]})
        assert after.status_code == httpx.codes.NOT_MODIFIED


def listed(running: Service) -> list[dict]:
    return running.http.get("/v1/goals").json()["items"]
