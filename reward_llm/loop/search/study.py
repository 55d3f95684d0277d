"""A study from its first trial to its result.

    weights in force ─► told to the searcher, and the judge's measure
          │
    ask ─► weights ─► what-if ─► judge ─► tell        `budget` times, each on the study's own seed
          │
    front ─► finalists, with what is in force ─► Thompson sampling on fresh seeds ─► the one to propose

What is done already is gone over again without evaluations: the searcher is asked and told as before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from reward_llm.domain.scenario import Scenario
from reward_llm.domain.searching import SearchPlan, Stage, StudyResult, Trial
from reward_llm.domain.weights import Weights
from reward_llm.domain.what_if import Expected, WhatIf
from reward_llm.errors import SearchInvalid
from reward_llm.loop.search.finals import Finals
from reward_llm.loop.search.hypervolume import contributions
from reward_llm.loop.search.judging import Judge
from reward_llm.loop.search.methods import searcher
from reward_llm.loop.search.pareto import front
from reward_llm.loop.search.searcher import Point, Searcher, Task
from reward_llm.loop.search.space import Space

OnTrial = Callable[[Trial], None]
SEEDS_APART: Final = 100_000
"""Between the seeds of one study and the next, and between those of the search and of the finals."""


@dataclass(frozen=True)
class Study:
    """What a plan asks for, over what can be asked."""

    plan: SearchPlan
    scenario: Scenario
    what_if: WhatIf

    def run(self, on_trial: OnTrial, done: Sequence[Trial] = ()) -> StudyResult:
        """Everything that isn't done yet, and the result.

        Args:
            on_trial: Told each new trial, once it is measured.
            done: The trials of a former run, oldest first.

        Raises:
            SearchInvalid: If something can't be measured, or no weights keep to the bounds.
            SearchUnavailable: If what the method stands on isn't installed.
            WeightsInvalid: If what is asked knows none of the utilities.
        """
        unknown = [name for name in self.plan.wanted if name not in self.what_if.metrics]
        if unknown:
            hint = f"It measures: {', '.join(self.what_if.metrics)}."
            raise SearchInvalid(f"{self.what_if.name} doesn't measure {', '.join(unknown)}", hint=hint)
        trials = list(done)
        if not trials:
            trials.append(self._first())
            on_trial(trials[0])
        judge = Judge.of(self.plan, trials[0].metrics)
        self._search(trials, judge, on_trial)
        found = [trial for trial in trials if trial.stage is not Stage.FINAL]
        finals = Finals(self.plan, judge, found[0], self.chosen_for_finals(found, judge))
        for trial in trials[len(found) :]:
            finals.again(trial)
        while len(trials) < len(found) + self.plan.final_evaluations:
            trial = finals.measure(self.measured, len(trials) + 1, self.seed + SEEDS_APART // 2)
            trials.append(trial)
            on_trial(trial)
        return finals.result(found)

    def _search(self, trials: list[Trial], judge: Judge, on_trial: OnTrial) -> None:
        """Go over the trials that there are, and on to the end of the budget."""
        method = self._searcher()
        self._tell(method, judge, trials[0])
        for number in range(2, self.plan.budget + 2):
            (point,) = method.ask(1)
            if number <= len(trials):
                trial = trials[number - 1]
            else:
                trial = self._trial(number, point, judge)
                trials.append(trial)
                on_trial(trial)
            self._tell(method, judge, trial)

    @cached_property
    def space(self) -> Space:
        """The weights that may be tried."""
        return Space.of(self.scenario, Weights(self.plan.in_force))

    @property
    def seed(self) -> int:
        """The seed of every evaluation of the search: what weights differ in is then what they do."""
        return self.plan.seed * SEEDS_APART

    def measured(self, weights: Mapping[str, float], seed: int) -> Mapping[str, Expected]:
        """The metrics of one set of weights."""
        (metrics,) = self.what_if.expected([weights], seed=seed)
        return {name: value for name, value in metrics.items() if np.isfinite(value.mean)}

    def chosen_for_finals(self, found: Sequence[Trial], judge: Judge) -> list[Trial]:
        """The points of the front that add most to its hypervolume, without what is in force."""
        tried = found[1:]
        if not tried:
            return []
        best = [
            tried[place] for place in front([judge.values(t.metrics) for t in tried], [t.violation for t in tried])
        ]
        adds = contributions([judge.values(t.metrics) for t in best], judge.reference)
        order = sorted(range(len(best)), key=lambda place: (-adds[place], best[place].number))
        return [best[place] for place in order[: self.plan.finalists]]

    def _searcher(self) -> Searcher:
        task = Task(
            dimensions=self.space.dimensions,
            objectives=len(self.plan.objectives),
            budget=self.plan.budget,
            seed=self.plan.seed,
        )
        return searcher(self.plan.method, task)

    def _first(self) -> Trial:
        weights = dict(self.plan.in_force)
        metrics = self.measured(weights, self.seed)
        violation = Judge.of(self.plan, metrics).violation(metrics)
        return Trial(
            number=1,
            stage=Stage.IN_FORCE,
            point=self.space.point(weights),
            weights=weights,
            metrics=metrics,
            violation=violation,
            seed=self.seed,
        )

    def _trial(self, number: int, point: Point, judge: Judge) -> Trial:
        weights = dict(self.space.weights(point))
        metrics = self.measured(weights, self.seed)
        return Trial(
            number=number,
            stage=Stage.SEARCH,
            point=point,
            weights=weights,
            metrics=metrics,
            violation=judge.violation(metrics),
            seed=self.seed,
        )

    @staticmethod
    def _tell(method: Searcher, judge: Judge, trial: Trial) -> None:
        method.tell([trial.point], [judge.values(trial.metrics)], [trial.violation])
