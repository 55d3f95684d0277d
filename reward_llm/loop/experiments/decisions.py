"""What a look comes to, from its measurements alone.

the arms' shares are wrong ──► nothing is decided, and in the end it is unclear
a guardrail is violated, or the primary metric is worse ──► roll back
the primary metric is better, from `min_days` on ──► hold out ──► `holdout_days` later, still better ──► better
`max_days` are over, or it isn't better after the holdout ──► unclear
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from reward_llm.domain.experiments import Decision, Experiment, Look, Measurement, Sums
from reward_llm.domain.metrics import Metric
from reward_llm.loop.experiments.statistics.measuring import measured
from reward_llm.loop.experiments.statistics.shares import MISMATCH, ratio_p


def look_at(
    experiment: Experiment, day: int, until: datetime, sums: Sums, recent: Sums | None, tuned: Mapping[Metric, float]
) -> Look:
    """The look at the end of a day.

    Args:
        experiment: Which is live; of its looks only what `tuned` says matters.
        day: Which day ended, from 1.
        until: When that was.
        sums: What the units did since the start.
        recent: And in the last days; None as long as these are all.
        tuned: What the sequences of the looks before were tuned by.
    """
    plan = experiment.plan
    measurements = measured(plan, day, sums, recent, tuned)
    sizes = sums.control.units, sums.treatment.units
    ratio = ratio_p(*sizes, plan.percent / 100)
    decision, reason = _decided(experiment, day, measurements, ratio)
    return Look(
        day=day,
        until=until,
        control_units=sizes[0],
        treatment_units=sizes[1],
        switched=sums.switched,
        ratio_p=ratio,
        measurements=measurements,
        decision=decision,
        reason=reason,
    )


def tunings(look: Look | None) -> dict[Metric, float]:
    """What the sequences of a look were tuned by, which stays as it is."""
    found = look.measurements if look is not None else ()
    return {m.metric: m.tuning for m in found if m.tuning is not None}


def _decided(
    experiment: Experiment, day: int, measurements: tuple[Measurement, ...], ratio: float
) -> tuple[Decision, str]:
    primary = measurements[0]
    if ratio < MISMATCH:
        decision = Decision.SAMPLE_RATIO_MISMATCH if day < _last_day(experiment) else Decision.CONCLUDE_UNCLEAR
        return decision, "sample_ratio_mismatch"
    violated = next((m for m in measurements if m.standing == "violated"), None)
    if violated is not None:
        return Decision.ROLL_BACK, f"guardrail_{violated.metric}_{violated.span}"
    if primary.standing == "worse":
        return Decision.ROLL_BACK, "primary_worse"
    return _unharmed(experiment, day, is_better=primary.standing == "better")


def _unharmed(experiment: Experiment, day: int, *, is_better: bool) -> tuple[Decision, str]:
    """What is decided where nothing does harm."""
    plan = experiment.plan
    if experiment.held_out_since is None and is_better and day >= plan.min_days:
        return (Decision.HOLD_OUT if plan.holdout_days else Decision.CONCLUDE_BETTER), "better"
    if day < _last_day(experiment):
        return Decision.WAIT, ""
    return (Decision.CONCLUDE_BETTER, "better") if is_better else (Decision.CONCLUDE_UNCLEAR, "unclear")


def _last_day(experiment: Experiment) -> int:
    """When it is over at the latest, as it stands."""
    plan, since = experiment.plan, experiment.held_out_since
    return plan.max_days if since is None else since + plan.holdout_days
