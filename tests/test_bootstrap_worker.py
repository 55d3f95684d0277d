from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from reward_llm.bootstrap import build_app, load_settings, run_duties_once, upgrade_store
from reward_llm.bootstrap.basics import load_all_scenarios
from reward_llm.bootstrap.experiments import build_experiments
from reward_llm.bootstrap.feeds import build_feed
from reward_llm.bootstrap.lookups import build_board
from reward_llm.bootstrap.metrics import build_metrics
from reward_llm.bootstrap.worker import Bench, build_duties
from reward_llm.settings import Settings
from reward_llm.store.database import Database

SOON_S = 60.0


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    found = load_settings(database_url=f"sqlite:///{tmp_path}/store.db", backend="rules")
    upgrade_store(found)
    return found


async def told(app: Any, line: str) -> bool:
    """Whether `/metrics` comes to say so."""
    transport = httpx.ASGITransport(app)
    async with (
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8300") as client,
        asyncio.timeout(SOON_S),
    ):
        while True:
            text = (await client.get("/metrics")).text
            if "reward_llm_worker_leads" not in text:
                return False
            if line in text.splitlines():
                return True
            await asyncio.sleep(0.05)


async def test_a_service_does_the_duties_unless_they_are_done_apart(settings: Settings) -> None:
    inside, apart = build_app(settings), build_app(settings.model_copy(update={"worker": "apart"}))
    async with inside.router.lifespan_context(inside), apart.router.lifespan_context(apart):
        assert await told(inside, "reward_llm_worker_leads 1.0")
        assert await told(inside, 'reward_llm_duty_runs{duty="schedule",outcome="done"} 1.0')
        assert not await told(apart, "reward_llm_worker_leads 1.0")


async def test_of_two_services_on_one_database_one_leads(settings: Settings) -> None:
    one, other = build_app(settings), build_app(settings)
    async with other.router.lifespan_context(other), one.router.lifespan_context(one):
        assert await told(other, "reward_llm_worker_leads 1.0")
        assert await told(one, "reward_llm_worker_leads 0.0")


def test_a_worker_apart_does_every_duty(settings: Settings) -> None:
    records = asyncio.run(run_duties_once(settings))
    assert {"schedule", "memory"} <= set(records)
    assert {name: r.error for name, r in records.items() if r.error} == {}


async def test_experiments_are_a_duty_of_who_has_the_log_of_events(settings: Settings) -> None:
    database, scenarios = Database.open(settings.database_url), load_all_scenarios(settings)
    metrics = build_metrics(settings)
    assert metrics.online is not None
    board = build_board(settings, database, scenarios)
    experiments = build_experiments(database, board, scenarios, build_feed(settings), metrics)
    inside = Bench(database=database, scenarios=scenarios, online=metrics.online, experiments=experiments)
    apart = Bench(database=database, scenarios=scenarios)
    names = [[d.name for d in build_duties(settings, bench)] for bench in (inside, apart)]
    assert names[0] == [*names[1], "experiments"]
    await metrics.online.aclose()
    await database.aclose()
