"""Looks that are due: what the log tells of each day, and what becomes of the experiment by it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from reward_llm.domain.act import EXPERIMENTER, Act
from reward_llm.domain.experiments import (
    LOOK_AFTER,
    RECENT_DAYS,
    Decision,
    Experiment,
    ExperimentState,
    Look,
    SumsQuestion,
)
from reward_llm.domain.metrics import DAY
from reward_llm.domain.ports import LoopStore
from reward_llm.domain.ports.experiments import ExperimentData
from reward_llm.loop.experiments.codec import look_document
from reward_llm.loop.experiments.decisions import look_at, tunings

_STATES: Final[Mapping[Decision, ExperimentState]] = MappingProxyType(
    {
        Decision.HOLD_OUT: ExperimentState.HOLDOUT,
        Decision.CONCLUDE_BETTER: ExperimentState.CONCLUDED,
        Decision.CONCLUDE_UNCLEAR: ExperimentState.CONCLUDED,
        Decision.ROLL_BACK: ExperimentState.ROLLED_BACK,
    }
)


class Looking:
    """Takes looks and keeps them."""

    def __init__(self, data: ExperimentData, loop: LoopStore) -> None:
        self._data, self._loop = data, loop

    async def due(
        self, experiment: Experiment, now: datetime, after: int
    ) -> AsyncIterator[tuple[Look, Experiment | None]]:
        """The looks that are due, each with the experiment as it is from then on, None if that changes nothing.

        What the last look came to is given again as long as the experiment isn't like that, and none is due after a
        look that ends it.

        Args:
            experiment: Which is live, with its last look.
            now: The moment up to which days have ended.
            after: The number of the entry that has its last look, 0 if there is none.

        Raises:
            MetricsUnavailable: If the log can't be read now.
            PreconditionFailed: If somebody else has looked since.
            StoreUnavailable: If a look can't be kept.
        """
        last = experiment.looks[-1] if experiment.looks else None
        if last is not None and (then := _after(experiment, last)) is not None:
            yield last, then
            experiment = then
        while experiment.ended_at is None:
            day = last.day + 1 if last is not None else 1
            until = _start(experiment) + day * DAY
            if now < until + LOOK_AFTER:
                return
            last = await self._taken(experiment, day, until, last)
            act = Act(actor=EXPERIMENTER, at=now)
            await self._loop.gather(experiment.id, [look_document(last)], act, after=after)
            after += 1
            then = _after(experiment, last)
            yield last, then
            experiment = then or experiment

    async def _taken(self, experiment: Experiment, day: int, until: datetime, before: Look | None) -> Look:
        plan, start = experiment.plan, _start(experiment)
        question = SumsQuestion(
            scope=plan.scope,
            control=experiment.control or "",
            treatment=plan.treatment,
            metrics=plan.metrics,
            start=start,
            since=start,
            until=until,
            pre=plan.pre_days * DAY,
        )
        is_guarded = bool(plan.guardrails) and day > RECENT_DAYS
        last_days = replace(question, since=until - RECENT_DAYS * DAY)
        sums = await self._data.sums(question)
        recent = await self._data.sums(last_days) if is_guarded else None
        return look_at(experiment, day, until, sums, recent, tunings(before))


def _start(experiment: Experiment) -> datetime:
    """Live ones have one."""
    return experiment.started_at or experiment.changed_at


def _after(experiment: Experiment, look: Look) -> Experiment | None:
    """The experiment as the look makes it; None if it stays as it is."""
    state = _STATES.get(look.decision)
    if state is None or state is experiment.state:
        return None
    if state is ExperimentState.HOLDOUT:
        return replace(experiment, state=state, held_out_since=look.day)
    return replace(experiment, state=state, ended_at=look.until, outcome=look.reason)
