"""A look's measurements: every metric's difference, its interval, and what that says.

The error that an experiment may make is split once, before it starts: half for the primary metric, half for the
guardrails in equal parts (Bonferroni), and each guardrail's in halves for all days and for the last week.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from reward_llm.domain.experiments import (
    MIN_UNITS,
    RECENT_DAYS,
    ExperimentPlan,
    Guardrail,
    Measurement,
    Standing,
    Sums,
)
from reward_llm.domain.metrics import Metric
from reward_llm.loop.experiments.statistics.comparison import Comparison, compare
from reward_llm.loop.experiments.statistics.sequences import one_of_many, one_sided, tuning, two_sided

Tunings = Mapping[Metric, float]
"""What each metric's sequence was tuned by at its first look."""
_HALF: Final = 0.5


def primary_alpha(plan: ExperimentPlan) -> float:
    """The error that the primary metric may make: all of it if there are no guardrails."""
    return plan.alpha * (_HALF if plan.guardrails else 1.0)


def guardrail_alpha(plan: ExperimentPlan) -> float:
    """The error that a guardrail may make in one of its spans."""
    return plan.alpha * _HALF / len(plan.guardrails) * _HALF


def measured(
    plan: ExperimentPlan, day: int, sums: Sums, recent: Sums | None, tuned: Tunings
) -> tuple[Measurement, ...]:
    """All measurements of a look.

    Args:
        plan: What is measured.
        day: Which day's end it is, from 1.
        sums: Since the start.
        recent: Of the last days; None as long as these are all.
        tuned: What the sequences were tuned by before; those that have no tuning yet get one.
    """
    return tuple(_measured(plan, day, sums, recent, tuned))


def _measured(
    plan: ExperimentPlan, day: int, sums: Sums, recent: Sums | None, tuned: Tunings
) -> Iterator[Measurement]:
    yield _primary(plan, day, sums, tuned)
    for guardrail in plan.guardrails:
        yield _guardrail(plan, guardrail, day, sums, tuned)
        if recent is not None:
            yield _recently(plan, guardrail, recent)


def _primary(plan: ExperimentPlan, day: int, sums: Sums, tuned: Tunings) -> Measurement:
    found = _compared(sums, plan.primary)
    blank = Measurement(metric=plan.primary, role="primary", span="all", standing="unknown")
    if found is None:
        return blank
    alpha = primary_alpha(plan)
    by = tuned.get(plan.primary) or _tuned(plan, day, found.variance, alpha)
    half = two_sided(found.variance, by, alpha)
    low, high = found.difference - half, found.difference + half
    standing: Standing = "better" if low > 0 else "worse" if high < 0 else "unclear"
    return replace(_filled(blank, found), standing=standing, low=low, high=high, tuning=by)


def _guardrail(plan: ExperimentPlan, guardrail: Guardrail, day: int, sums: Sums, tuned: Tunings) -> Measurement:
    found = _compared(sums, guardrail.metric, guardrail.margin)
    blank = Measurement(metric=guardrail.metric, role="guardrail", span="all", standing="unknown")
    if found is None:
        return blank
    alpha = guardrail_alpha(plan)
    by = tuned.get(guardrail.metric) or _tuned(plan, day, found.variance, 2 * alpha)
    reach = one_sided(found.variance, by, alpha)
    return replace(_guarded(_filled(blank, found, guardrail.margin), reach), tuning=by)


def _recently(plan: ExperimentPlan, guardrail: Guardrail, recent: Sums) -> Measurement:
    found = _compared(recent, guardrail.metric, guardrail.margin)
    blank = Measurement(metric=guardrail.metric, role="guardrail", span="recent", standing="unknown")
    if found is None:
        return blank
    looks = max(1, plan.most_days - RECENT_DAYS)
    reach = one_of_many(found.variance, looks, guardrail_alpha(plan))
    return _guarded(_filled(blank, found, guardrail.margin), reach)


def _guarded(measurement: Measurement, reach: float) -> Measurement:
    """The measurement with an end to either side, each of which holds by itself."""
    difference = measurement.difference or 0.0
    low, high = difference - reach, difference + reach
    standing: Standing = "violated" if high < measurement.limit else "safe" if low > measurement.limit else "unclear"
    return replace(measurement, standing=standing, low=low, high=high)


def _filled(blank: Measurement, found: Comparison, margin: float = 0.0) -> Measurement:
    """The difference as it is, beside the limit that the margin sets for it."""
    lost = margin * found.control
    return replace(
        blank,
        control=found.control,
        treatment=found.treatment,
        difference=found.difference - lost,
        limit=-lost,
        deviation=found.variance**0.5,
        variance_kept=found.kept,
    )


def _compared(sums: Sums, metric: Metric, margin: float = 0.0) -> Comparison | None:
    if min(sums.control.units, sums.treatment.units) < MIN_UNITS:
        return None
    return compare(sums.control.moments[metric], sums.treatment.moments[metric], factor=1 - margin)


def _tuned(plan: ExperimentPlan, day: int, variance: float, alpha: float) -> float:
    """Tuned for the information that there will be when a winner may be decided on, if it comes in evenly."""
    return tuning(max(1.0, plan.min_days / day) / variance, alpha)
