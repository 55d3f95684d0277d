"""A store, a board, a log of events and users who behave as told, around experiments with a clock of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np

from reward_llm.delivery.board import Board, BoardConfig
from reward_llm.domain.act import Act
from reward_llm.domain.admission import Admission
from reward_llm.domain.events import Event, EventType
from reward_llm.domain.experiments import Experiment, ExperimentPlan
from reward_llm.domain.metrics import DAY, Metric
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weights import Weights
from reward_llm.feedback.metrics.online import MetricsStore, open_logs
from reward_llm.feedback.metrics.units import UnitLog
from reward_llm.loop.experiments.running import Laboratory, Room
from reward_llm.store import SqlStore, upgrade
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.database import Database
from reward_llm.store.experimenting import SqlTrials
from reward_llm.store.governance import SqlGovernance
from reward_llm.store.loop import SqlLoop
from reward_llm.validation import gate
from tests.strategies import HOME_FEED

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
FEED = Scope("home_feed")
MOVED = {**dict(HOME_FEED.defaults), "click": 0.3, "diversity": 0.05}
Behaviour = Callable[[str, int], tuple[float, float]]
"""The probabilities of a click and of coming back, of an arm on a day."""


class Clock:
    """Time that stands still until it is moved on."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that experiments work with, for real."""

    clock: Clock
    database: Database
    store: SqlStore
    governance: SqlGovernance
    board: Board
    metrics: MetricsStore
    laboratory: Laboratory

    async def policy(self, scope: Scope = FEED) -> RewardPolicy:
        """A policy that a person wrote."""
        return await self.store.record_edit(scope, Weights(MOVED), self.act("try it"))

    def act(self, reason: str = "") -> Act:
        return Act(actor="ann", at=self.clock(), reason=reason)

    async def started(self, **changes: object) -> Experiment:
        """An experiment that runs."""
        plan = replace(PLAN, treatment=(await self.policy()).policy_id, **changes)  # type: ignore[arg-type]
        planned = await self.laboratory.create(plan, self.act())
        return await self.laboratory.start(planned.id, self.act("go"))

    async def live(self, days: int, behaviour: Behaviour, *, users: int = 400, seed: int = 1) -> None:
        """Let users come for so many days from now on, get what is served to them, and look at the end of each."""
        draw = np.random.default_rng(seed)
        comes = np.ones(users, dtype=bool)
        for day in range(1, days + 1):
            events = list(self._day(day, behaviour, comes, draw))
            self.clock.now += DAY
            await self.metrics.publish(events)
            self.clock.now += timedelta(hours=1)
            await self.laboratory.look()
            self.clock.now -= timedelta(hours=1)

    def _day(self, day: int, behaviour: Behaviour, comes: np.ndarray, draw: np.random.Generator) -> Iterator[Event]:
        now, number = self.clock(), int((self.clock() - NOON) / DAY)
        for user in np.flatnonzero(comes):
            name = f"u{user}"
            policy = self.board.lookup(FEED, now, name).policy.policy_id
            clicks, back = behaviour(policy, day)
            about = {"scenario": "home_feed", "user": name, "policy_id": policy}
            at = now + timedelta(seconds=float(draw.uniform(60, 80_000)))
            yield Event(event_id=f"s{number}-{user}", type=EventType.SESSION, at=at, **about)
            for slot, clicked in enumerate(draw.random(5) < clicks):
                shown = {**about, "item": f"i{slot}"}
                yield Event(event_id=f"i{number}-{user}-{slot}", type=EventType.IMPRESSION, at=at, **shown)
                if clicked:
                    yield Event(event_id=f"c{number}-{user}-{slot}", type=EventType.CLICK, at=at, **shown)
            comes[user] = draw.random() < back
        comes |= draw.random(len(comes)) < 0.3


PLAN = ExperimentPlan(
    name="less variety",
    scope=FEED,
    treatment="",
    primary=Metric.CTR,
    min_days=3,
    max_days=5,
    holdout_days=2,
    pre_days=2,
)


@asynccontextmanager
async def world(url: str) -> AsyncIterator[World]:
    """A world with an empty database, whose audit log must replay in the end to what it holds."""
    clock = Clock()
    await upgrade(url)
    database = Database.open(url)
    store, governance = SqlStore(database), SqlGovernance(database)
    scenarios = {HOME_FEED.name: HOME_FEED}
    board = Board(scenarios=scenarios, store=governance, clock=clock, config=BoardConfig())
    metrics = MetricsStore(open_logs(None, 2), clock)

    async def served() -> None:
        await board.refresh()

    room = Room(
        loop=SqlLoop(database),
        trials=SqlTrials(database),
        store=store,
        governance=governance,
        board=board,
        scenarios=scenarios,
        admission=lambda scenario: Admission(scenario=scenario, gate=gate.check),
        data=UnitLog(metrics),
        clock=clock,
        served=served,
    )
    yield World(
        clock=clock,
        database=database,
        store=store,
        governance=governance,
        board=board,
        metrics=metrics,
        laboratory=Laboratory(room),
    )
    assert (await SqlAuditLog(database).verification()).flaw is None
    await metrics.aclose()
    await store.aclose()
