"""Running controllers: each looks once a period, and moves its weight if that is due.

record, last entry ─► in force? ─► frozen or a rollout? ─► measured ─► regulate ─► move (checked in the store)
  │ a quota's time is   │ not what it left                    │ can't be trusted       │ nothing to do
  └─► over: ended       └─► overtaken                         └───────► an entry that says why ◄┘
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from reward_llm.domain.act import Act
from reward_llm.domain.admission import Admission
from reward_llm.domain.control import (
    CONTROLLER,
    ControllerState,
    Hold,
)
from reward_llm.domain.control_documents import controller_document, controller_of, reading_document, reading_of
from reward_llm.domain.control_grant import moved
from reward_llm.domain.loop import LoopKind, LoopRecord
from reward_llm.domain.ports import Clock, Governance
from reward_llm.domain.ports.control import Move, Moves
from reward_llm.domain.ports.loop import LoopStore
from reward_llm.domain.ports.metrics import OnlineMetrics
from reward_llm.errors import Conflict, GateRefused, PreconditionFailed, RewardLLMError, WeightsInvalid
from reward_llm.loop.control.measuring import Sight, look
from reward_llm.loop.control.regulator import Decision, regulate
from reward_llm.loop.control.turns import Turn, first_reading, reading_after, why

_PAGE: Final = 200
OFTEN: Final = timedelta(seconds=10)
"""How often it is looked whose period is over."""
_log = structlog.get_logger(__name__)


class Controllers:
    """Runs the controllers that people approved.

    Args:
        records: Where controllers are kept.
        governance: Says what is in force.
        moves: Puts weights into force.
        online: Measures; None where nobody does.
        admissions: The rules of each scenario.
        clock: The time.
    """

    def __init__(
        self,
        *,
        records: LoopStore,
        governance: Governance,
        moves: Moves,
        online: OnlineMetrics | None,
        admissions: Mapping[str, Admission],
        clock: Clock,
    ) -> None:
        self._records = records
        self._governance = governance
        self._moves = moves
        self._online = online
        self._admissions = admissions
        self._clock = clock

    async def run(self) -> None:
        """Let every running controller whose period is over take its turn; one that fails doesn't stop others."""
        for record in await self._running():
            try:
                await self._take_turn(record)
            except RewardLLMError as exc:
                _log.warning("controller.failed", controller=record.id, code=exc.code, error=exc.message)
            except Exception:  # noqa: BLE001 - others go on, and this one at its next turn
                _log.exception("controller.crashed", controller=record.id)

    async def _running(self) -> list[LoopRecord]:
        found: list[LoopRecord] = []
        cursor = None
        while True:
            page = await self._records.records(
                LoopKind.CONTROLLER, states={ControllerState.RUNNING}, cursor=cursor, limit=_PAGE
            )
            found += page.items
            cursor = page.next_cursor
            if cursor is None:
                return found

    async def _take_turn(self, record: LoopRecord) -> None:
        turn = await self._turn(record)
        if turn is None:
            return
        if turn.is_over:
            await self._leave(turn, ControllerState.ENDED, "ended", "the quota's time is over")
            return
        in_the_way = await self._standing_in_the_way(turn)
        if isinstance(in_the_way, Hold):
            await self._note(turn, Sight(held=in_the_way))
        elif in_the_way is not None:
            await self._leave(turn, ControllerState.OVERTAKEN, "overtaken", in_the_way)
        else:
            await self._regulate(turn)

    async def _turn(self, record: LoopRecord) -> Turn | None:
        """The controller with its last reading, None if its period isn't over."""
        controller, now = controller_of(record.document), self._clock()
        start = controller.start
        if start is None or record.scope.scenario not in self._admissions:
            return None
        entries = await self._records.last_entries(record.id)
        after = entries[-1].number if entries else 0
        before = reading_of(entries[-1].document, entries[-1].at) if entries else None
        if before is None or before.at < start.at:
            before = first_reading(start)
        if now - before.at < controller.plan.period:
            return None
        return Turn(record=record, controller=controller, before=before, after=after, now=now)

    async def _standing_in_the_way(self, turn: Turn) -> Hold | str | None:
        """Why nothing may move, in words if somebody else has put something into force."""
        state = await self._governance.scope(turn.record.scope, turn.now)
        winning = next(iter(state.stack), None)
        if winning is not None and winning.partial:
            return Hold.ROLLOUT
        holds = winning.policy_id if winning else None
        if holds != turn.before.policy_id:
            return f"{holds or 'nothing that was activated'} is in force, and it left {turn.before.policy_id}"
        return Hold.FROZEN if state.frozen_by else None

    async def _regulate(self, turn: Turn) -> None:
        plan, before = turn.controller.plan, turn.before
        sight = await look(plan, turn.record.scope, self._online, turn.now)
        if sight.held is not None or sight.measured is None or sight.setpoint is None:
            await self._note(turn, sight)
            return
        decision = regulate(
            plan,
            before.memory,
            before.weight,
            setpoint=sight.setpoint,
            measured=sight.measured,
            elapsed_s=turn.elapsed_s,
        )
        if decision.held is not None:
            await self._note(turn, replace(sight, held=decision.held), decision)
        else:
            await self._move(turn, sight, decision)

    async def _move(self, turn: Turn, sight: Sight, decision: Decision) -> None:
        record, plan, before = turn.record, turn.controller.plan, turn.before
        admission = self._admissions[record.scope.scenario]
        reading = reading_after(turn, sight, decision)
        try:
            weights = moved(turn.controller.base.weights, plan.utility, decision.weight, admission.scenario)
            move = Move(
                controller_id=record.id,
                over=before.policy_id,
                after=turn.after,
                weights=weights,
                reading=replace(reading, weight=weights[plan.utility]),
            )
            act = Act(actor=CONTROLLER, at=turn.now, reason=why(turn, sight, decision))
            policy = await self._moves.move(move, act, admission)
        except (Conflict, GateRefused, WeightsInvalid) as exc:
            await self._note(turn, replace(sight, held=Hold.REFUSED, note=exc.message))
            return
        _log.info("controller.moved", controller=record.id, policy=policy.policy_id, reason=act.reason)

    async def _note(self, turn: Turn, sight: Sight, decision: Decision | None = None) -> None:
        """Put down a look after which the weight stays, unless somebody else has looked meanwhile."""
        document = reading_document(reading_after(turn, sight, decision))
        act = Act(actor=CONTROLLER, at=turn.now)
        with suppress(PreconditionFailed):
            await self._records.gather(turn.record.id, [document], act, after=turn.after)

    async def _leave(self, turn: Turn, state: ControllerState, action: str, note: str) -> None:
        """Stop by itself, unless somebody has changed the controller meanwhile."""
        document = controller_document(replace(turn.controller, note=note))
        act = Act(actor=CONTROLLER, at=turn.now, reason=note)
        try:
            await self._records.change(turn.record, action, act, state=state, document=document)
        except PreconditionFailed:
            return
        _log.info(f"controller.{action}", controller=turn.record.id, reason=note)
