"""A controller's turn: what it knows when its period is over, and what it puts down after that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reward_llm.domain.control import Controller, Exposure, Hold, Memory, Quota, Reading, Start
from reward_llm.domain.loop import LoopRecord
from reward_llm.loop.control.measuring import Sight
from reward_llm.loop.control.regulator import Decision

_BLIND: Final = frozenset(Hold) - {Hold.DEAD_BAND, Hold.SETTLED}
"""Holds in which nothing was regulated: time doesn't count for the integral then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A controller whose time has come: what it knows, and the number of its last entry."""

    record: LoopRecord
    controller: Controller
    before: Reading
    after: int
    now: datetime

    @property
    def is_over(self) -> bool:
        """Whether a quota's time is."""
        target = self.controller.plan.target
        return isinstance(target, Quota) and self.now >= target.until

    @property
    def elapsed_s(self) -> float:
        """How long the error has lasted, as far as is known; while nothing could be measured, no time passes."""
        if self.before.held in _BLIND:
            return self.controller.plan.period.total_seconds()
        return (self.now - self.before.at).total_seconds()


def first_reading(start: Start) -> Reading:
    """What a controller knows that has just begun: the weight that holds."""
    memory = Memory(integral=start.weight)
    return Reading(at=start.at, policy_id=start.policy_id, weight=start.weight, memory=memory)


def reading_after(turn: Turn, sight: Sight, decision: Decision | None) -> Reading:
    """What is put down of a look; without a decision, the weight stays and the measurement isn't remembered."""
    before = turn.before
    return Reading(
        at=turn.now,
        policy_id=before.policy_id,
        weight=decision.weight if decision else before.weight,
        memory=decision.memory if decision else Memory(integral=before.memory.integral),
        setpoint=sight.setpoint,
        measured=sight.measured,
        output=decision.output if decision else None,
        events=sight.events,
        held=sight.held,
        note=sight.note,
    )


def why(turn: Turn, sight: Sight, decision: Decision) -> str:
    """The reason of a move, for the audit log."""
    plan, before = turn.controller.plan, turn.before
    assert sight.measured is not None  # noqa: S101 - who regulates has measured
    assert sight.setpoint is not None  # noqa: S101
    of = f"in {plan.target.window}" if isinstance(plan.target, Exposure) else "of the quota"
    error = sight.setpoint - sight.measured
    return (
        f"{plan.target.metric.value} {sight.measured:.4g} {of}, set-point {sight.setpoint:.4g}, error {error:+.4g}: "
        f"{plan.utility} {before.weight:.4f} → {decision.weight:.4f} (wanted {decision.output:.4f})"
    )
