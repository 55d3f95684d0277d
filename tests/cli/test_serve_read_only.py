"""`reward-llm serve --read-only` as a process of its own."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from reward_llm.domain.act import Act
from reward_llm.domain.goal import Window
from reward_llm.store import SqlStore, newest_revision, revision, upgrade
from reward_llm.store.database import Database
from reward_llm.store.governance import SqlGovernance
from reward_llm.store.schema import packaged_revision, stored_revision
from tests.activations import ALL, NOON
from tests.cli.conftest import Program
from tests.contracts.governance.acts import FREE
from tests.service import Service, environment, service
from tests.strategies import HOME_FEED

HEAVY = ("torch", "ranker", "transformers", "llguidance", "alembic", "cryptography", "joserfc")
OURS = (
    "generation",
    "tuning",
    "ranking",
    "reading",
    "api.app",
    "api.goal_desk",
    "api.sign_in",
    "api.webhook_desk",
    "bootstrap.app",
    "bootstrap.models",
    "bootstrap.prompting",
    "bootstrap.reading",
    "domain.ports.prompts",
    "domain.ports.store",
    "domain.prompts",
    "store.notary",
    "store.prompts",
    "store.sql_store",
)


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/service.db"


@pytest.fixture
def upgraded(tmp_path: Path) -> Path:
    asyncio.run(upgrade(url(tmp_path)))
    return tmp_path


@pytest.fixture
def running(upgraded: Path, unused_tcp_port: int) -> Iterator[Service]:
    with service(upgraded, unused_tcp_port, "--read-only", refresh_s="0.1") as started:
        yield started


async def _activate(folder: Path) -> str:
    database = Database.open(url(folder))
    act = Act(actor="wang", at=NOON)
    edited = await SqlStore(database).record_edit(ALL, HOME_FEED.defaults, act)
    await SqlGovernance(database).activate(edited.policy_id, Window(), act, FREE)
    await database.aclose()
    return edited.policy_id


def until(met: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_serves_what_another_process_activates(running: Service, upgraded: Path) -> None:
    assert running.http.get("/readyz").json()["status"] == "ready"
    before = running.http.get("/v1/weights/home_feed")
    assert before.json()["version"] == 0
    policy_id = asyncio.run(_activate(upgraded))
    until(lambda: running.http.get("/v1/weights/home_feed").json()["policy_id"] == policy_id)
    snapshot = running.http.get("/v1/weights").json()
    assert (snapshot["revision"], snapshot["items"][0]["policy_id"]) == (1, policy_id)
    assert "reward_llm_lookups_total" in running.http.get("/metrics").text


def test_requests_that_nobody_waits_for_are_all_answered_in_the_end(running: Service) -> None:
    asked, url = 5_000, running.http.base_url
    request = f"GET /v1/weights/home_feed HTTP/1.1\r\nHost: {url.host}:{url.port}\r\n".encode()
    with socket.create_connection((url.host, url.port)) as connection:
        connection.settimeout(60)
        flood = (request + b"\r\n") * asked + request + b"Connection: close\r\n\r\n"
        sending = threading.Thread(target=connection.sendall, args=(flood,))
        sending.start()
        time.sleep(0.5)
        with connection.makefile("rb") as answers:
            assert answers.read().count(b"HTTP/1.1 200 OK\r\n") == asked + 1
        sending.join()


def test_there_is_nothing_else(running: Service) -> None:
    paths = set(running.http.get("/openapi.json").json()["paths"])
    assert {"/v1/weights", "/v1/weights/{scenario}", "/livez", "/readyz", "/metrics"} <= paths
    assert all(p.startswith(("/v1/weights", "/ofrep/", "/livez", "/readyz", "/metrics")) for p in paths)
    for path in ("/v1/goals", "/v1/policies", "/v1/tokens", "/v1/sign-in", "/"):
        assert running.http.get(path).status_code == 404
        assert running.http.post(path, json={}).status_code == 404
    for method in ("POST", "PUT", "DELETE"):
        assert running.http.request(method, "/v1/weights/home_feed").status_code == 405


def test_it_writes_nothing(upgraded: Path, unused_tcp_port: int) -> None:
    with service(upgraded, unused_tcp_port, "--read-only") as started:
        for path in ("/v1/weights", "/v1/weights/home_feed?unit=a", "/readyz"):
            started.http.get(path)
        before = _dump(upgraded)
        for path in ("/v1/weights?scenario=home_feed", "/metrics", "/v1/goals"):
            started.http.get(path)
    assert _dump(upgraded) == before


def _dump(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / "service.db")
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def test_tokens_are_asked_for_where_access_takes_them(upgraded: Path, unused_tcp_port: int, program: Program) -> None:
    settings = {"access": "tokens"}
    env = {f"REWARD_LLM_{k.upper()}": v for k, v in settings.items()} | {"REWARD_LLM_DATABASE_URL": url(upgraded)}
    token = program("tokens", "create", "re-ranker", "--role", "viewer", "--scenario", "home_feed", **env).out.strip()
    shown = {"Authorization": f"Bearer {token}"}
    with service(upgraded, unused_tcp_port, "--read-only", **settings) as started:
        assert started.http.get("/v1/weights/home_feed").status_code == 401
        for _ in range(2):
            assert started.http.get("/v1/weights/home_feed", headers=shown).status_code == 200
        assert started.http.get("/v1/weights/video_feed", headers=shown).status_code == 403
        items = started.http.get("/v1/weights", headers=shown).json()["items"]
        assert {i["scenario"] for i in items} == {"home_feed"}


def test_without_its_database_it_comes_up_and_is_unready_until_it_was_read(
    tmp_path: Path, unused_tcp_port_factory: Callable[[], int]
) -> None:
    port, nobody = unused_tcp_port_factory(), unused_tcp_port_factory()
    away = f"postgresql://nobody@127.0.0.1:{nobody}/none"
    with service(tmp_path, port, "--read-only", database_url=away) as started:
        assert started.http.get("/livez").status_code == 200
        ready = started.http.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (503, "unready")
        weights = started.http.get("/v1/weights/home_feed")
        assert (weights.status_code, weights.json()["stale"], weights.json()["source"]) == (200, True, "default")
    assert "the database is away" in started.log.read_text("utf-8")


def test_a_database_that_is_behind_is_not_served(program: Program, tmp_path: Path) -> None:
    result = program("serve", "--read-only", "--database-url", f"sqlite:///{tmp_path}/new.db")
    assert result.code == 2
    assert "reward-llm db upgrade" in result.err


def test_it_ends_when_it_is_told_to(running: Service) -> None:
    running.http.get("/v1/weights")
    running.process.send_signal(signal.SIGTERM)
    running.process.wait(30)
    assert "Finished server process" in running.log.read_text("utf-8")


def test_no_model_is_loaded_and_nothing_that_others_need(upgraded: Path, unused_tcp_port: int) -> None:
    loaded = _loaded(upgraded, unused_tcp_port)
    assert {"reward_llm.api.lookups", "reward_llm.cli.serve", "reward_llm.bootstrap.lookups"} <= loaded
    assert [m for m in sorted(loaded) if m.split(".")[0] in HEAVY] == []
    ours = re.compile(rf"reward_llm\.({'|'.join(map(re.escape, OURS))})(\.|$)")
    assert [m for m in sorted(loaded) if ours.match(m)] == []


def test_of_the_command_line_no_other_command_is_loaded(upgraded: Path, unused_tcp_port: int) -> None:
    loaded = {m for m in _loaded(upgraded, unused_tcp_port) if m.startswith("reward_llm.cli.")}
    assert loaded == {
        f"reward_llm.cli.{m}" for m in ("express_protocol", "groups", "http_protocol", "program", "serve")
    }


def _loaded(folder: Path, port: int) -> set[str]:
    """The modules that a server has loaded by the time that it has answered and ended."""
    names = folder / "modules.txt"
    write = f"pathlib.Path({str(names)!r}).write_text(' '.join(sys.modules))"
    tell = f"import atexit, pathlib, sys; atexit.register(lambda: {write})"
    heed = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    program = f"{tell}; {heed}; from reward_llm.cli import main; main()"
    command = [sys.executable, "-c", program, "serve", "--read-only", "--port", str(port)]
    with (folder / "server.log").open("wb") as out:
        process = subprocess.Popen(command, env=environment(folder), stderr=out, cwd=folder)
    try:
        until(lambda: _answers(port))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
    return set(names.read_text("utf-8").split())


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/v1/weights/home_feed", trust_env=False).is_success
    except httpx.TransportError:
        return False


async def test_the_schema_is_told_without_what_changes_it(tmp_path: Path) -> None:
    assert packaged_revision() == newest_revision()
    await upgrade(url(tmp_path))
    assert await stored_revision(url(tmp_path)) == await revision(url(tmp_path)) == packaged_revision()


async def test_the_schema_of_a_postgresql_database_is_told_as_well(postgres_url: str) -> None:
    assert await stored_revision(postgres_url) is None
    await upgrade(postgres_url)
    assert await stored_revision(postgres_url) == packaged_revision()
