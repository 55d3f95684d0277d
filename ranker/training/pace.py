"""Steps from minutes: a few steps of each network are timed, and the rest is arithmetic.

Learning rates fall by the share of the steps done, so their number has to be known before the first. A run keeps the
number that its first start found; one that is resumed takes as many steps, however fast the machine is by then.
"""

from __future__ import annotations

import math
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Final

from ranker.config import ActorConfig, EvaluatorConfig, InputShape
from ranker.errors import ValueOutOfRange
from ranker.evaluator import Evaluator
from ranker.objective import Objective
from ranker.requests import LoggedLists
from ranker.training.actor import train_actor
from ranker.training.config import ActorTraining, EvaluatorTraining, Schedule
from ranker.training.evaluator import train_evaluator
from ranker.training.journal import TrainingProgress
from ranker.training.lessons import Lessons
from ranker.utilities import UtilityRegistry

Clock = Callable[[], float]

EVALUATOR_SHARE: Final = 0.25
"""Of the time, at most."""
ACTOR_SHARE: Final = 0.65
"""Of the time, and what the evaluator leaves of its own; the rest goes into scores."""
MOST_EPOCHS: Final = 12
"""Passes of the evaluator over the lists at most: more fit noise."""
TIMED_STEPS: Final = 8
TIMED_LISTS: Final = 256
TEACHER_LISTS: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long a run takes."""

    start_s: float
    """Before the first ordinary step."""
    step_s: float

    def steps(self, time_s: float) -> int:
        """The steps that fit into a time; one at least."""
        return max(1, math.floor((time_s - self.start_s) / self.step_s))

    def time_s(self, steps: int) -> float:
        """How long so many steps take."""
        return self.start_s + steps * self.step_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """Batches of each network."""

    evaluator: int
    actor: int


def steps_in(minutes: float, evaluator: Pace, actor: Pace, *, most_evaluator: int) -> Steps:
    """What fits into a time, for networks of these paces.

    Raises:
        ValueOutOfRange: Unless the time is positive.
    """
    if not (minutes > 0 and math.isfinite(minutes)):
        raise ValueOutOfRange(f"training for {minutes} minutes", hint="give a positive number")
    total_s = 60 * minutes
    first = min(most_evaluator, evaluator.steps(EVALUATOR_SHARE * total_s))
    left_s = max(0.0, EVALUATOR_SHARE * total_s - evaluator.time_s(first))
    return Steps(evaluator=first, actor=actor.steps(ACTOR_SHARE * total_s + left_s))


def most_evaluator_steps(lists: int, training: EvaluatorTraining) -> int:
    """Steps in which the evaluator sees every list `MOST_EPOCHS` times."""
    return max(1, math.ceil(MOST_EPOCHS * lists * (1 - training.hold_back) / training.schedule.batch))


def evaluator_pace(
    lists: LoggedLists, shape: InputShape, config: EvaluatorConfig, training: EvaluatorTraining, clock: Clock
) -> Pace:
    """Time a few steps of an evaluator that is thrown away."""
    short = replace(training, schedule=_short(training.schedule))
    few = lists.select(slice(0, TIMED_LISTS))
    with tempfile.TemporaryDirectory() as folder:
        watch = _Watch(clock)
        train_evaluator(few, shape, config, short, Path(folder), watch)
    return watch.pace(warm=1)


def actor_pace(
    lists: LoggedLists,
    shape: InputShape,
    configs: tuple[ActorConfig, EvaluatorConfig],
    training: ActorTraining,
    utilities: UtilityRegistry,
    clock: Clock,
) -> Pace:
    """Time a few steps of an actor that is thrown away, against an evaluator that knows nothing."""
    taught = min(training.teacher_lists, TEACHER_LISTS)
    warm = min(1, training.warm_start_steps)
    short = replace(
        training, schedule=_short(training.schedule), warm_start_steps=warm, teacher_lists=taught, probes=4
    )
    few = lists.select(slice(0, TIMED_LISTS))
    objective = Objective(utilities=utilities, evaluator=Evaluator(shape, configs[1]).frozen())
    lessons = Lessons(requests=few.requests, shown_BN=few.shown_BN)
    with tempfile.TemporaryDirectory() as folder:
        watch = _Watch(clock)
        train_actor(lessons, shape, configs[0], short, objective, Path(folder), watch)
    return watch.pace(warm=1, stretched=warm * training.teacher_lists / max(1, taught))


def _short(schedule: Schedule) -> Schedule:
    return replace(schedule, steps=TIMED_STEPS, report_every=10 * TIMED_STEPS)


class _Watch:
    """Notes when each step ended; the last one, which reports, isn't counted."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._ends = clock, [clock()]

    def __call__(self, progress: TrainingProgress) -> None:
        del progress
        self._ends.append(self._clock())

    def pace(self, *, warm: int, stretched: float = 1.0) -> Pace:
        """The pace after `warm` steps, which are longer in the whole run by a factor."""
        step_s = [later - earlier for earlier, later in pairwise(self._ends)]
        return Pace(
            start_s=sum(step_s[:warm]) * max(1.0, stretched), step_s=max(1e-6, statistics.fmean(step_s[warm:-1]))
        )
