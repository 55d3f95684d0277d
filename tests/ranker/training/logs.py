"""A generated log and a recipe, small enough to train in a second."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pyarrow as pa

from ranker.config import EvaluatorConfig, InputConfig
from ranker.data import GeneratorConfig, generated_log
from ranker.training.assessment import AssessmentConfig
from ranker.training.config import ActorTraining, EvaluatorTraining, Schedule
from ranker.training.recipe import PipelineConfig
from tests.ranker.model.cases import SMALL


@cache
def small_log(seed: int = 0, lists: int = 150) -> pa.Table:
    return generated_log(
        GeneratorConfig(lists=lists, size=4, fewest_candidates=7, most_candidates=9, days=20, seed=seed)
    )


def small_recipe(evaluator_steps: int = 6, actor_steps: int = 4) -> PipelineConfig:
    schedule = Schedule(batch=8, report_every=2, warmup_steps=2)
    return PipelineConfig(
        sample=12,
        evaluator=EvaluatorConfig(input=InputConfig(hidden=8), channel=8, heads=2, slate=6),
        actor=SMALL,
        evaluator_training=EvaluatorTraining(schedule=replace(schedule, steps=evaluator_steps)),
        actor_training=ActorTraining(
            schedule=replace(schedule, steps=actor_steps),
            samples=3,
            warm_start_steps=1,
            teacher_lists=8,
            probes=4,
        ),
        assessment=AssessmentConfig(lists=6),
    )
