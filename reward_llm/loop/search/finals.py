"""The end of a study: its best points again, on fresh seeds, beside what is in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from reward_llm.domain.searching import Finalist, SearchPlan, Stage, StudyResult, Trial
from reward_llm.domain.what_if import Expected
from reward_llm.loop.search.finalists import Contest, Means
from reward_llm.loop.search.hypervolume import contributions, hypervolume
from reward_llm.loop.search.judging import Judge
from reward_llm.loop.search.pareto import front

Measure = Callable[[Mapping[str, float], int], Mapping[str, Expected]]
_CHECKPOINTS = 32
"""After how many evaluations, at most, the hypervolume is reported."""


@dataclass(frozen=True)
class Finals:
    """What is in force, at place 0, and the finalists."""

    plan: SearchPlan
    judge: Judge
    in_force: Trial
    finalists: Sequence[Trial]

    @cached_property
    def contest(self) -> Contest:
        """What is known of each by now."""
        generator = np.random.default_rng([self.plan.seed, len(self.everybody)])
        return Contest(len(self.everybody), self.plan.wanted, generator)

    @property
    def everybody(self) -> list[Trial]:
        """In the order of their places."""
        return [self.in_force, *self.finalists]

    def measure(self, measured: Measure, number: int, first_seed: int) -> Trial:
        """The next trial; the n-th of everybody is on the same seed."""
        place = self.contest.next(self._best)
        chosen = self.everybody[place]
        seed = first_seed + self.contest.evaluations(place)
        metrics = measured(chosen.weights, seed)
        self.contest.tell(place, metrics)
        return Trial(
            number=number,
            stage=Stage.FINAL,
            point=chosen.point,
            weights=chosen.weights,
            metrics=metrics,
            violation=self.judge.violation(metrics),
            seed=seed,
            of=chosen.number,
        )

    def again(self, trial: Trial) -> None:
        """Take a trial of a former run."""
        drawn = self.contest.next(self._best)
        places = {t.number: place for place, t in enumerate(self.everybody)}
        self.contest.tell(places.get(trial.of or 0, drawn), trial.metrics)

    def result(self, found: Sequence[Trial]) -> StudyResult:
        """What came of everything."""
        known = [self.contest.expected(place) for place in range(len(self.everybody))]
        means = [{name: value.mean for name, value in one.items()} for one in known]
        judge = Judge(self.plan, means[0])
        adds = [0.0, *self._adds(means[1:], judge)]
        scored = [
            Finalist(
                trial=trial.number,
                weights=trial.weights,
                evaluations=self.contest.evaluations(place),
                metrics=known[place],
                violation=judge.violation(known[place]),
                contribution=adds[place],
            )
            for place, trial in enumerate(self.everybody)
        ]
        return StudyResult(
            front=tuple(found[place].number for place in self._front(found)),
            hypervolume=self._curve(found),
            reference=self.judge.reference_metrics,
            in_force=scored[0],
            finalists=tuple(scored[1:]),
            chosen=self._chosen(scored[1:]),
        )

    def _best(self, drawn: Sequence[Means]) -> int:
        """Of one draw: which finalist would be chosen; what is in force if none keeps to the constraints."""
        judge = Judge(self.plan, drawn[0])
        others = [{name: Expected(mean=value) for name, value in one.items()} for one in drawn[1:]]
        violations = [judge.violation(one) for one in others]
        if not others:
            return 0
        if min(violations) > 0:
            return 1 + violations.index(min(violations))
        score = self._scores(drawn[1:], judge)
        return 1 + max((p for p, v in enumerate(violations) if v <= 0), key=lambda place: score[place])

    def _chosen(self, scored: Sequence[Finalist]) -> int | None:
        kept = [one for one in scored if one.violation <= 0]
        if not kept:
            return None
        if self.plan.prefer is not None:
            prefer = self.plan.prefer
            return max(kept, key=lambda one: one.metrics[prefer].mean).trial
        return max(kept, key=lambda one: one.contribution).trial

    def _scores(self, means: Sequence[Means], judge: Judge) -> Sequence[float]:
        if self.plan.prefer is not None:
            return [one[self.plan.prefer] for one in means]
        return self._adds(means, judge)

    def _adds(self, means: Sequence[Means], judge: Judge) -> Sequence[float]:
        """What each adds to the hypervolume of those that keep to the constraints; nothing if it doesn't itself."""
        metrics = [{name: Expected(mean=value) for name, value in one.items()} for one in means]
        kept = [place for place, one in enumerate(metrics) if judge.violation(one) <= 0]
        adds = contributions([judge.values(metrics[place]) for place in kept], judge.reference) if kept else []
        found = dict(zip(kept, adds, strict=True))
        return [found.get(place, 0.0) for place in range(len(means))]

    def _front(self, found: Sequence[Trial]) -> list[int]:
        return front([self.judge.values(t.metrics) for t in found], [t.violation for t in found])

    def _curve(self, found: Sequence[Trial]) -> tuple[tuple[int, float], ...]:
        """The hypervolume after some of the evaluations, of which the last is one."""
        ends = sorted({round(end) for end in np.linspace(1, len(found), min(len(found), _CHECKPOINTS))})
        curve, best = [], np.empty((0, len(self.plan.objectives)))
        for start, end in pairwise([0, *ends]):
            new = [self.judge.values(t.metrics) for t in found[start:end] if t.is_feasible]
            best = np.vstack([best, *map(np.asarray, new)]) if new else best
            best = best[front(best, [0.0] * len(best))]
            curve.append((end, hypervolume(best, self.judge.reference)))
        return tuple(curve)
