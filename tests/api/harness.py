"""The application over a real database, a real proposer and a scripted model."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
from fastapi import FastAPI

from reward_llm.agents.simulation.jobs import Jobs, JobsConfig
from reward_llm.api import ApiConfig, Services, create_app
from reward_llm.api.sign_in.config import SignInConfig
from reward_llm.api.sign_in.desk import SignIn
from reward_llm.api.sign_in.provider import OpenIdProvider
from reward_llm.delivery.board import Board, BoardConfig
from reward_llm.delivery.feeds.polling import Polling
from reward_llm.delivery.hub import Hub, HubConfig
from reward_llm.delivery.snapshot import SnapshotBook
from reward_llm.delivery.webhooks import PublicAddresses
from reward_llm.domain.admission import Admission
from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.completion import Completion, CompletionRequest
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.domain.ports import Reranker
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.solving import GoalSolver
from reward_llm.feedback.intake.intake import Intake
from reward_llm.feedback.metrics.online import MetricsStore
from reward_llm.feedback.metrics.units import UnitLog
from reward_llm.generation.clients.scripted import Line, ScriptedModel
from reward_llm.generation.prompt_book import BookConfig
from reward_llm.generation.prompt_files import packaged_prompts
from reward_llm.generation.prompt_workshop import Backend
from reward_llm.generation.prompting import Prompting, prompting
from reward_llm.generation.prompts import PromptBundle, load_bundle
from reward_llm.generation.proposer import ProposerConfig
from reward_llm.loop.experiments.running import Laboratory, Room
from reward_llm.loop.memory.ledger import Ledger
from reward_llm.loop.search.jobs import SearchJobs, SearchJobsConfig
from reward_llm.resources import golden_dir
from reward_llm.store import SqlStore
from reward_llm.store.access import SqlAccess
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.database import Database
from reward_llm.store.experimenting import SqlTrials
from reward_llm.store.governance import SqlGovernance
from reward_llm.store.loop import SqlLoop
from reward_llm.store.prompts import SqlPrompts
from reward_llm.store.sealing import Sealer
from reward_llm.store.sessions import SqlSessions
from reward_llm.store.webhooks import SqlWebhooks
from reward_llm.tuning.evaluation.golden import GoldenSets
from reward_llm.validation import gate
from tests.agents.simulation.scripted import COMMAND as SIMULATING
from tests.events import EventRoom
from tests.loop.search.scripted import COMMAND as SEARCHING
from tests.strategies import HOME_FEED, VIDEO_FEED

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
SCENARIOS = {s.name: s for s in (HOME_FEED, VIDEO_FEED)}
PACKAGED = packaged_prompts()
NO_STREAMS = HubConfig(max_subscribers=0)
"""The client here gives an answer once it has ended, which a stream never does."""
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

    async def approve(self, policy: Mapping[str, Any], by: str = "li") -> httpx.Response:
        return await self.decide(policy, "approve", by)

    async def decide(self, policy: Mapping[str, Any], decision: str, by: str, **changes: Any) -> httpx.Response:
        sent = {"decision": decision, "content_hash": policy["content_hash"], "comment": "looked at it", **changes}
        path = f"/v1/policies/{policy['policy_id']}/review"
        return await self.client.post(path, json=sent, headers={"X-Actor": by})

    async def weights(self, segment: str | None = None, unit: str | None = None) -> dict[str, Any]:
        query = {k: v for k, v in (("segment", segment), ("unit", unit)) if v}
        body: dict[str, Any] = (await self.client.get("/v1/weights/home_feed", params=query)).json()
        return body

    async def actions(self) -> list[str]:
        return [r["action"] for r in (await self.client.get("/v1/audit")).json()["items"]]


@dataclass(slots=True)
class Setup:
    """Starts applications on one database file."""

    path: Path
    clock: Clock = field(default_factory=Clock)
    reranker: Reranker | None = None
    online: MetricsStore | None = None
    solver: GoalSolver | None = None

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
        sign_in: SignInConfig | None = None,
        scenarios: Mapping[str, Scenario] = SCENARIOS,
        streams: HubConfig = NO_STREAMS,
        base_url: str = "http://test",
    ) -> AsyncIterator[Desk]:
        model = model or ScriptedModel([RAISE_GMV])
        database = Database.open(self.url)
        store, governance = SqlStore(database), SqlGovernance(database)
        served = Board(
            scenarios=scenarios, store=governance, clock=self.clock, config=board or BoardConfig(refresh_s=0.05)
        )
        snapshots = SnapshotBook(served)
        prompts = SqlPrompts(database, PACKAGED)
        room = self._prompting(prompts, model, bundle)
        signing_in = sign_in and SignIn(
            config=sign_in, provider=OpenIdProvider(sign_in, self.clock), sessions=SqlSessions(database)
        )
        simulator = Jobs(self.clock, JobsConfig(command=SIMULATING))
        searches = SearchJobs(SqlLoop(database), self.clock, SearchJobsConfig(command=SEARCHING))
        events = EventRoom.open()
        services = Services(
            store=store,
            governance=governance,
            proposer=room.proposer,
            prompts=prompts,
            workshop=room.workshop,
            background=(room.book.keep_fresh, events.work),
            board=served,
            snapshots=snapshots,
            notices=Hub(board=served, snapshots=snapshots, clock=self.clock, config=streams),
            feed=Polling(every_s=0.05),
            scenarios=scenarios,
            clock=self.clock,
            gate=gate.check,
            audit_log=SqlAuditLog(database),
            auditor=SqlAuditLog(database),
            tokens=SqlAccess(database),
            webhooks=SqlWebhooks(database, Sealer()),
            addresses=PublicAddresses(allow_private=True),
            model=model,
            sign_in=signing_in,
            reranker=self.reranker,
            simulator=simulator,
            searches=searches,
            intake=events.intake if self.online is None else Intake([self.online]),
            online=self.online,
            solver=self.solver,
            experiments=self._experiments(database, governance, store, served),
            allocator=events.agents,
            controllers=SqlLoop(database),
            memories=Ledger(SqlLoop(database)),
            config=config or ApiConfig(),
            closers=(simulator.aclose, searches.aclose, model.aclose, *_closers_of(signing_in), store.aclose),
        )
        app = create_app(services)
        async with _asked(app, base_url) as client:
            yield Desk(client=client, store=store, model=model, clock=self.clock, board=served, app=app)

    def _experiments(
        self, database: Database, governance: SqlGovernance, store: SqlStore, board: Board
    ) -> Laboratory | None:
        if self.online is None:
            return None
        return Laboratory(
            Room(
                loop=SqlLoop(database),
                trials=SqlTrials(database),
                store=store,
                governance=governance,
                board=board,
                scenarios=SCENARIOS,
                admission=lambda scenario: Admission(scenario=scenario, gate=gate.check),
                data=UnitLog(self.online),
                clock=self.clock,
                served=board.refresh,
            )
        )

    def _prompting(self, prompts: SqlPrompts, model: ScriptedModel, bundle: PromptBundle) -> Prompting:
        return prompting(
            name=bundle.content.name,
            store=prompts,
            packaged=PACKAGED,
            backends=[
                Backend(name="scripted", model=model, prompt_use="whole"),
                Backend(name="rules", model=None, prompt_use="none"),
            ],
            scenarios=SCENARIOS,
            evaluator=GoldenSets(folders=[golden_dir(), self.path.parent], scenario=HOME_FEED, monotonic=monotonic),
            config=ProposerConfig(),
            book=BookConfig(refresh_s=0.05),
        )

    def take_the_store_away(self) -> None:
        """Rename every table, which is what a lost volume looks like to a query."""
        self._rename("{0}", "{0}_away")

    def bring_the_store_back(self) -> None:
        self._rename("{0}_away", "{0}")

    def _rename(self, before: str, after: str) -> None:
        with sqlite3.connect(self.path, isolation_level=None) as connection:
            connection.execute("PRAGMA legacy_alter_table = ON")
            for table in ("goals", "policies", "proposals", "activations", "tokens", "audit", "idempotency"):
                connection.execute(f"ALTER TABLE {before.format(table)} RENAME TO {after.format(table)}")
        connection.close()


def _closers_of(sign_in: SignIn | None) -> list[Callable[[], Awaitable[None]]]:
    return [sign_in.provider.aclose] if sign_in else []


@asynccontextmanager
async def _asked(app: FastAPI, base_url: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url=base_url) as client:
        yield client


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is a problem document of that status and code, and give it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert {"type", "title", "status", "detail", "instance", "code"} <= set(problem)
    told = {"hint", "violations", "current", "differences", "evidence"}
    assert set(problem) <= {"type", "title", "status", "detail", "instance", "code", *told}
    assert (problem["status"], problem["code"]) == (status, code)
    assert problem["type"] == f"urn:reward-llm:problem:{code}"
    assert problem["instance"] == f"urn:uuid:{response.headers['x-request-id']}"
    for violation in problem.get("violations", []):
        assert set(violation) == {"path", "code", "message"}
    return problem
