"""Where goals are taken in and read.

submission ─► on record ─► proposer ─► proposal on record ─► answer
                 │ a crash, or the store away
                 └─► found by the sweep, at the start and then now and again
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import structlog

from reward_llm.api.metrics import Metrics
from reward_llm.api.services import Services
from reward_llm.domain.act import Act
from reward_llm.domain.goal import Goal, GoalState
from reward_llm.domain.interpretation import Notice
from reward_llm.domain.policy import Proposal
from reward_llm.domain.ports import GoalRecord, IdempotencyClaim
from reward_llm.errors import RewardLLMError, StoreUnavailable

T = TypeVar("T")

_SWEEP_PAGE = 100
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A goal as it was taken in, and the work on it; None if that was done before."""

    record: GoalRecord
    reading: asyncio.Task[GoalRecord] | None


class GoalDesk:
    """Takes goals in and has each read once, whether or not anybody still waits for the answer."""

    def __init__(self, services: Services, metrics: Metrics) -> None:
        self._services = services
        self._metrics = metrics
        self._tasks: set[asyncio.Task[Any]] = set()
        self._reading: dict[str, asyncio.Task[GoalRecord]] = {}

    async def receive(self, goal: Goal, claim: IdempotencyClaim | None, removed: int, act: Act) -> Receipt:
        """Put the goal on record and begin to read it, or give the one that the claim stands for.

        Args:
            goal: What was submitted.
            claim: Its idempotency key.
            removed: How many characters were taken out of its text.
            act: The submission.

        Raises:
            IdempotencyConflict: If the key came with another request before.
            StoreUnavailable: If the goal can't be put on record.
        """
        return await asyncio.shield(self._spawn(self._receive(goal, claim, removed, act)))

    async def settled(self, receipt: Receipt) -> GoalRecord:
        """The goal once it was read.

        Raises:
            TimeoutError: If that takes longer than anybody should wait.
            StoreUnavailable: If the proposal can't be put on record.
        """
        if receipt.reading is None:
            return receipt.record
        async with asyncio.timeout(self._services.config.wait_s):
            return await asyncio.shield(receipt.reading)

    async def keep_swept(self) -> None:
        """Read what was left unread, at once and then every `sweep_s`, until cancelled."""
        patience_s = 0.0
        while True:
            try:
                await self._sweep(patience_s)
            except StoreUnavailable as exc:
                _log.warning("goals.sweep_failed", error=exc.message)
            patience_s = self._services.config.wait_s
            await asyncio.sleep(self._services.config.sweep_s)

    async def aclose(self) -> None:
        """Let goals in work finish, for a while; the rest is found by the next start."""
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks, timeout=self._services.config.grace_s)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    async def _receive(self, goal: Goal, claim: IdempotencyClaim | None, removed: int, act: Act) -> Receipt:
        record = await self._services.store.record_goal(goal, claim, act)
        unread = record.state is GoalState.RECEIVED
        return Receipt(record=record, reading=self._read_once(record.goal, removed) if unread else None)

    def _read_once(self, goal: Goal, removed: int = 0) -> asyncio.Task[GoalRecord]:
        if goal.id not in self._reading:
            task = self._spawn(self._read(goal, removed))
            self._reading[goal.id] = task
            task.add_done_callback(partial(self._finished, goal.id))
        return self._reading[goal.id]

    async def _read(self, goal: Goal, removed: int) -> GoalRecord:
        services, now = self._services, self._services.clock()
        active = services.board.lookup(goal.scope, now).policy
        began = time.perf_counter()
        proposal = await services.proposer.propose(goal, services.scenarios[goal.scope.scenario], active)
        self._metrics.read(proposal, time.perf_counter() - began)
        return await services.store.record_proposal(goal.id, _noticed(proposal, removed), now)

    async def _sweep(self, patience_s: float) -> None:
        store, cursor = self._services.store, None
        before = self._services.clock() - timedelta(seconds=patience_s)
        while True:
            page = await store.goals(state=GoalState.RECEIVED, cursor=cursor, limit=_SWEEP_PAGE)
            for record in page.items:
                if record.goal.id not in self._reading and record.goal.submitted_at <= before:
                    _log.info("goals.swept", goal_id=record.goal.id)
                    await asyncio.wait({self._read_once(record.goal)})
            cursor = page.next_cursor
            if cursor is None:
                return

    def _spawn(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _finished(self, goal_id: str, task: asyncio.Task[GoalRecord]) -> None:
        del self._reading[goal_id]
        exc = None if task.cancelled() else task.exception()
        if isinstance(exc, RewardLLMError):
            _log.warning("goal.left_unread", goal_id=goal_id, code=exc.code, error=exc.message)
        elif exc is not None:
            _log.error("goal.crashed", goal_id=goal_id, exc_info=exc)


def _noticed(proposal: Proposal, removed: int) -> Proposal:
    """The proposal, saying that the text isn't quite what was sent."""
    if not removed:
        return proposal
    notice = Notice(
        code="characters_removed",
        message=f"{removed} control or invisible characters were taken out of the text before it was read",
    )
    reading = proposal.interpretation
    return replace(proposal, interpretation=replace(reading, notices=(*reading.notices, notice)))
