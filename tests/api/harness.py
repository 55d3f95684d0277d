"""The application over a real database, a real proposer and a scripted model."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from fastapi import FastAPI

from reward_llm.api import ApiConfig, Services, create_app
from reward_llm.delivery import Board, BoardConfig
from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.completion import Completion, CompletionRequest
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.generation.clients.scripted import Line, ScriptedModel
from reward_llm.generation.prompts import PromptBundle, load_bundle
from reward_llm.generation.proposer import Proposer, ProposerConfig
from reward_llm.reading.rules import RuleReader
from reward_llm.store import SqlStore
from reward_llm.validation import gate
from tests.strategies import HOME_FEED, VIDEO_FEED

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
SCENARIOS = {s.name: s for s in (HOME_FEED, VIDEO_FEED)}
READERS = {name: RuleReader(s) for name, s in SCENARIOS.items()}
BUNDLE = load_bundle("goal_to_intents")
RAISE_GMV = canonical_answer([("gmv", Direction.RAISE, Emphasis.CLEAR)])
NOTHING = canonical_answer([])
GOAL = {"scenario": "home_feed", "text": "Raise GMV by 15% this weekend"}
EDITED = {
    "click": 0.25,
    "gmv": 0.3,
    "satisfaction": 0.15,
    "retention": 0.15,
    "diversity": 0.05,
    "cold_start": 0.05,
    "group_order": 0.05,
}
EDIT = {"scenario": "home_feed", "weights": EDITED, "reason": "weekend sale"}


class Clock:
    """Real time from a fixed start, which can be moved on."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class PausedModel(ScriptedModel):
    """A scripted model that answers once it may."""

    def __init__(self, lines: Iterable[Line]) -> None:
        super().__init__(lines)
        self.may_answer = asyncio.Event()
        self.asked = asyncio.Event()

    async def complete(self, request: CompletionRequest) -> Completion:
        self.asked.set()
        await self.may_answer.wait()
        return await super().complete(request)


@dataclass(slots=True)
class Desk:
    """One running application, and what it stands on."""

    client: httpx.AsyncClient
    store: SqlStore
    model: ScriptedModel
    clock: Clock
    board: Board
    app: FastAPI

    async def submit(self, **changes: Any) -> dict[str, Any]:
        response = await self.client.post("/v1/goals", content=json.dumps({**GOAL, **changes}))
        assert response.status_code == 201, response.text
        answer: dict[str, Any] = response.json()
        return answer

    async def edit(self, **changes: Any) -> dict[str, Any]:
        response = await self.client.post("/v1/policies", json={**EDIT, **changes})
        assert response.status_code == 201, response.text
        policy: dict[str, Any] = response.json()
        return policy

    async def activate(self, policy_id: str, **window: Any) -> httpx.Response:
        return await self.client.post(f"/v1/policies/{policy_id}/activation", json=window)

    async def weights(self, segment: str | None = None) -> dict[str, Any]:
        query = {"segment": segment} if segment else {}
        body: dict[str, Any] = (await self.client.get("/v1/weights/home_feed", params=query)).json()
        return body

    async def actions(self) -> list[str]:
        return [r["action"] for r in (await self.client.get("/v1/audit")).json()["items"]]


@dataclass(slots=True)
class Setup:
    """Starts applications on one database file."""

    path: Path
    clock: Clock = field(default_factory=Clock)

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    @asynccontextmanager
    async def start(
        self,
        *,
        model: ScriptedModel | None = None,
        bundle: PromptBundle = BUNDLE,
        config: ApiConfig | None = None,
        board: BoardConfig | None = None,
    ) -> AsyncIterator[Desk]:
        model = model or ScriptedModel([RAISE_GMV])
        store = SqlStore.open(self.url)
        served = Board(
            scenarios=SCENARIOS, store=store, clock=self.clock, config=board or BoardConfig(refresh_s=0.05)
        )
        services = Services(
            store=store,
            proposer=Proposer(
                model=model,
                bundle=bundle,
                readers=READERS,
                config=ProposerConfig(),
            ),
            board=served,
            scenarios=SCENARIOS,
            clock=self.clock,
            gate=gate.check,
            model=model,
            config=config or ApiConfig(),
            closers=(model.aclose, store.aclose),
        )
        app = create_app(services)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://test") as client,
        ):
            yield Desk(client=client, store=store, model=model, clock=self.clock, board=served, app=app)

    def take_the_store_away(self) -> None:
        """Rename every table, which is what a lost volume looks like to a query."""
        self._rename("{0}", "{0}_away")

    def bring_the_store_back(self) -> None:
        self._rename("{0}_away", "{0}")

    def _rename(self, before: str, after: str) -> None:
        with sqlite3.connect(self.path, isolation_level=None) as connection:
            connection.execute("PRAGMA legacy_alter_table = ON")
            for table in ("goals", "policies", "proposals", "activations", "audit", "idempotency"):
                connection.execute(f"ALTER TABLE {before.format(table)} RENAME TO {after.format(table)}")
        connection.close()


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is a problem document of that status and code, and give it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "instance", "code"} <= set(problem)
    assert set(problem) <= {"type", "title", "status", "detail", "instance", "code", "hint", "violations"}
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:reward-llm:problem:{code}"
    assert problem["instance"] == f"urn:uuid:{response.headers['x-request-id']}"
    for violation in problem.get("violations", []):
        assert set(violation) == {"path", "code", "message"}
    return problem
