"""A scope with a policy in force, and what runs controllers there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reward_llm.domain.act import Act
from reward_llm.domain.admission import Admission
from reward_llm.domain.control import (
    Approval,
    BasePolicy,
    Controller,
    ControllerPlan,
    ControllerState,
    Reading,
    Start,
)
from reward_llm.domain.control_documents import content_hash, controller_document, reading_of
from reward_llm.domain.goal import Window
from reward_llm.domain.loop import LoopKind, LoopRecord
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weights import Weights
from reward_llm.loop.control.controllers import Controllers
from reward_llm.store import SqlStore
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.controlling import SqlMoves
from reward_llm.store.database import Database
from reward_llm.store.governance import SqlGovernance
from reward_llm.store.loop import SqlLoop
from reward_llm.validation import gate
from tests.api.harness import Clock
from tests.loop.control.plans import PLAN, Told
from tests.strategies import HOME_FEED

SCOPE = Scope("home_feed")
RULES = Admission(scenario=HOME_FEED, gate=gate.check)


@dataclass(slots=True)
class Room:
    """Real stores, a clock that is moved on, and metrics that say what they are told to."""

    database: Database
    clock: Clock
    told: Told
    base: RewardPolicy

    @classmethod
    async def open(cls, database: Database) -> Room:
        clock = Clock()
        room = cls(database, clock, Told(clock), base=None)  # type: ignore[arg-type]
        room.base = await room.put_into_force(HOME_FEED.defaults)
        return room

    @property
    def store(self) -> SqlStore:
        return SqlStore(self.database)

    @property
    def governance(self) -> SqlGovernance:
        return SqlGovernance(self.database)

    @property
    def records(self) -> SqlLoop:
        return SqlLoop(self.database)

    @property
    def moves(self) -> SqlMoves:
        return SqlMoves(self.database)

    def controllers(self, rules: Admission = RULES) -> Controllers:
        """As a process that has just started has them."""
        return Controllers(
            records=self.records,
            governance=self.governance,
            moves=self.moves,
            online=self.told,
            admissions={"home_feed": rules},
            clock=self.clock,
        )

    def act(self, actor: str = "ann") -> Act:
        return Act(actor=actor, at=self.clock(), reason="because")

    async def put_into_force(self, weights: Weights, scope: Scope = SCOPE, **window: Any) -> RewardPolicy:
        policy = await self.store.record_edit(scope, weights, self.act())
        percent = window.pop("percent", 100.0)
        await self.governance.activate(policy.policy_id, Window(**window), self.act(), RULES, percent=percent)
        return policy

    async def running(
        self, plan: ControllerPlan = PLAN, *, state: str = ControllerState.RUNNING, needed: int = 0, **changes: Any
    ) -> LoopRecord:
        held = self.base
        base = BasePolicy(policy_id=held.policy_id, content_hash=held.content_hash, weights=held.weights)
        approval = Approval(actor="li", at=self.clock(), content_hash=content_hash(plan, base))
        start = Start(at=self.clock(), policy_id=base.policy_id, weight=base.weights[plan.utility])
        given = {"name": "", "plan": plan, "base": base, "needed": needed, "self_approval": False, "start": start}
        controller = Controller(**{**given, "approvals": (approval,), **changes})
        document = controller_document(controller)
        return await self.records.create(LoopKind.CONTROLLER, held.scope, state, document, self.act())

    async def minute(self, value: float | None, minutes: float = 1.0) -> None:
        """Let a minute go by in which the metric is that."""
        self.clock.advance(60 * minutes)
        self.told.value = value
        await self.controllers().run()

    async def in_force(self) -> RewardPolicy:
        return (await self.governance.scope(SCOPE, self.clock())).stack[0].policy

    async def readings(self, record: LoopRecord) -> list[Reading]:
        return [reading_of(e.document, e.at) for e in await self.records.entries(record.id)]

    async def state(self, record: LoopRecord) -> str:
        return (await self.records.record(LoopKind.CONTROLLER, record.id)).state

    async def audited(self) -> list[tuple[str, str, str]]:
        """What is on record, oldest first: action, actor and subject."""
        records = await SqlAuditLog(self.database).stretch(1, 1_000)
        return [(r.action, r.actor, r.subject) for r in records]
