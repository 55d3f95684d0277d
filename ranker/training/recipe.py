"""What a whole run is told, and what it makes of it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from ranker.config import MAX_SLATE, ActorConfig, EvaluatorConfig
from ranker.errors import ValueOutOfRange
from ranker.training.assessment import AssessmentConfig
from ranker.training.config import ActorTraining, EvaluatorTraining, Schedule
from ranker.training.pace import Steps
from ranker.utilities import UTILITY_NAMES

FEWEST_REPORTS: Final = 10
"""Of a run, unless it has fewer steps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineConfig:
    """What a run is told.

    Raises:
        ValueOutOfRange: If a number is out of range.
    """

    seed: int = 0
    """Of both networks."""
    minutes: float | None = None
    """Time for the whole run, about; without it, the steps of the schedules."""
    size: int | None = None
    """Slots of the slates; without it, the median length of the logged lists."""
    utilities: tuple[str, ...] = UTILITY_NAMES
    range_requests: int = 64
    """Requests that the ranges of predicted utilities are fitted on (`ranker.training.ranges`); 0 keeps them raw."""
    test_share: float = 0.15
    """Share of the lists, the latest, that nothing is fitted to."""
    gap_s: int | None = None
    """Seconds dropped before them; without it, a day where the log knows who returned, and none elsewhere."""
    sample: int = 300
    """Lists of the test part that go into `sample.parquet`, at most."""
    evaluator: EvaluatorConfig = field(default_factory=EvaluatorConfig)
    actor: ActorConfig = field(default_factory=ActorConfig)
    evaluator_training: EvaluatorTraining = field(default_factory=EvaluatorTraining)
    actor_training: ActorTraining = field(default_factory=ActorTraining)
    assessment: AssessmentConfig = field(default_factory=AssessmentConfig)

    def __post_init__(self) -> None:
        if not 0 < self.test_share < 1:
            raise ValueOutOfRange(f"a test share of {self.test_share}", hint="give a share between 0 and 1")
        if self.range_requests < 0:
            raise ValueOutOfRange(f"ranges fitted on {self.range_requests} requests", hint="0 fits none")
        if self.sample < 1 or (self.gap_s or 0) < 0:
            raise ValueOutOfRange(f"a sample of {self.sample} lists, after a gap of {self.gap_s} s")
        if self.size is not None and not 1 <= self.size <= MAX_SLATE:
            raise ValueOutOfRange(f"slates of {self.size} slots", hint=f"they have 1 to {MAX_SLATE}")

    def for_size(self, size: int) -> PipelineConfig:
        """The same for slates of a size, with the seed of the run everywhere."""
        return replace(
            self,
            size=size,
            evaluator=replace(self.evaluator, usual_slate=size),
            evaluator_training=replace(
                self.evaluator_training, schedule=replace(self.evaluator_training.schedule, seed=self.seed)
            ),
            actor_training=replace(
                self.actor_training, size=size, schedule=replace(self.actor_training.schedule, seed=self.seed)
            ),
            assessment=replace(self.assessment, size=self.assessment.size or size),
        )

    def for_steps(self, steps: Steps) -> PipelineConfig:
        """The same with other numbers of steps; warm starts keep their share, and short runs report as often."""
        actor = self.actor_training
        warm = round(actor.warm_start_steps * min(1.0, steps.actor / actor.schedule.steps))
        return replace(
            self,
            evaluator_training=replace(
                self.evaluator_training, schedule=_for_steps(self.evaluator_training.schedule, steps.evaluator)
            ),
            actor_training=replace(
                actor,
                schedule=_for_steps(actor.schedule, steps.actor),
                warm_start_steps=warm,
                teacher_lists=min(actor.teacher_lists, max(1, warm * actor.schedule.batch))
                if warm
                else actor.teacher_lists,
            ),
        )


def _for_steps(schedule: Schedule, steps: int) -> Schedule:
    every = min(schedule.report_every, max(1, steps // FEWEST_REPORTS))
    return replace(schedule, steps=steps, report_every=every)
