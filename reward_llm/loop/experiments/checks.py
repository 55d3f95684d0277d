"""What a plan must be like to be run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from reward_llm.domain.experiments import MAX_GUARDRAILS, MAX_PERCENT, UNIT_METRICS, ExperimentPlan
from reward_llm.domain.metrics import DAY, Metric
from reward_llm.errors import ExperimentInvalid, Violation

_LARGEST_ALPHA: Final = 0.2
_LARGEST_MARGIN: Final = 0.5
_MOST_DAYS: Final = 365
_NOT_OF_UNITS: Final = f"isn't told user by user; these are: {', '.join(UNIT_METRICS)}"


def check(plan: ExperimentPlan, kept: timedelta) -> None:
    """Accept a plan that can be run on events that reach so far back.

    Raises:
        ExperimentInvalid: With every violation.
    """
    violations = tuple(_wrong(plan, kept))
    if violations:
        message = "the experiment can't be run: " + "; ".join(map(str, violations))
        raise ExperimentInvalid(message, violations=violations)


def check_metric(metric: Metric) -> None:
    """Accept a metric that is told user by user.

    Raises:
        ExperimentInvalid: If it isn't.
    """
    if metric not in UNIT_METRICS:
        raise ExperimentInvalid(
            f"{metric.value} {_NOT_OF_UNITS}", violations=[_violation("metric", "not_of_units", _NOT_OF_UNITS)]
        )


def _wrong(plan: ExperimentPlan, kept: timedelta) -> Iterator[Violation]:
    if not 0 < plan.percent <= MAX_PERCENT:
        yield _violation("percent", "range", f"must be over 0 and at most {MAX_PERCENT:g}: others are held out")
    if not 0 < plan.alpha <= _LARGEST_ALPHA:
        yield _violation("alpha", "range", f"must be over 0 and at most {_LARGEST_ALPHA}")
    if not 1 <= plan.min_days <= plan.max_days <= _MOST_DAYS:
        yield _violation("min_days", "range", f"must be 1 to max_days, and these at most {_MOST_DAYS}")
    if plan.holdout_days < 0 or plan.pre_days < 0:
        yield _violation("holdout_days", "range", "holdout_days and pre_days must be 0 or more")
    if plan.reach > kept:
        message = f"needs events of {plan.reach / DAY:.1f} days, and they are kept for {kept / DAY:g}"
        yield _violation("max_days", "not_kept", message)
    yield from _wrong_metrics(plan)


def _wrong_metrics(plan: ExperimentPlan) -> Iterator[Violation]:
    if plan.primary not in UNIT_METRICS:
        yield _violation("primary", "not_of_units", _NOT_OF_UNITS)
    if len(plan.guardrails) > MAX_GUARDRAILS:
        yield _violation("guardrails", "too_many", f"must be {MAX_GUARDRAILS} at most")
    names = [g.metric for g in plan.guardrails]
    for place, guardrail in enumerate(plan.guardrails):
        path = f"guardrails/{place}"
        if guardrail.metric not in UNIT_METRICS:
            yield _violation(f"{path}/metric", "not_of_units", _NOT_OF_UNITS)
        if guardrail.metric == plan.primary or names.index(guardrail.metric) != place:
            yield _violation(f"{path}/metric", "twice", "is the primary metric or another guardrail as well")
        if not 0 <= guardrail.margin <= _LARGEST_MARGIN:
            yield _violation(f"{path}/margin", "range", f"must be 0 to {_LARGEST_MARGIN}")


def _violation(path: str, code: str, message: str) -> Violation:
    return Violation(path=path, code=code, message=message)
