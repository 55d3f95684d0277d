"""From simulated months to a report: a row an outcome, a column an arm, everything over seeds."""

# S seeds, D days

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from reward_llm.agents.simulation.intervals import CONFIDENCE, mean_interval
from reward_llm.domain.preview import Interval
from reward_llm.domain.simulation import MIN_SEEDS, ArmOutcome, DailyCurve, Outcome, OutcomeRow, SimulationReport

_SMALLEST: Final = 1e-12
"""Below it, a mean is 0 and gives no ratio."""

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What one run gave: each outcome over all days and by day, NaN where there was nothing to measure."""

    whole: Mapping[Outcome, float]
    by_day: Mapping[Outcome, FloatArray]


def report_of(months: Mapping[str, Sequence[Month]], duration_s: float) -> SimulationReport:
    """The months of each arm as a report; those of the first arm are what the others are compared with.

    Months of the same place in their sequences are of the same seed, and are compared as pairs.
    """
    return SimulationReport(
        confidence=CONFIDENCE,
        rows=tuple(_row(outcome, months) for outcome in Outcome),
        curves=tuple(_curve(outcome, arm, months[arm]) for outcome in Outcome for arm in months),
        duration_s=duration_s,
    )


def _row(outcome: Outcome, months: Mapping[str, Sequence[Month]]) -> OutcomeRow:
    value_S = {arm: np.array([m.whole[outcome] for m in lived], dtype=np.float64) for arm, lived in months.items()}
    first = next(iter(months))
    arms = (_arm(arm, value_S[arm], None if arm == first else value_S[first]) for arm in months)
    return OutcomeRow(outcome=outcome, arms=tuple(arms))


def _arm(arm: str, value_S: FloatArray, first_S: FloatArray | None) -> ArmOutcome:
    difference = ratio = None
    interval = _interval(value_S)
    if first_S is not None and interval is not None:
        difference = _interval(value_S - first_S)
        base = float(first_S.mean())
        ratio = interval.mean / base if abs(base) > _SMALLEST else None
    return ArmOutcome(
        arm=arm,
        interval=interval,
        by_seed=tuple(float(value) if np.isfinite(value) else None for value in value_S),
        difference=difference,
        ratio=None if difference is None else ratio,
    )


def _interval(value_S: FloatArray) -> Interval | None:
    return mean_interval(value_S) if np.isfinite(value_S).all() else None


def _curve(outcome: Outcome, arm: str, lived: Sequence[Month]) -> DailyCurve:
    value_DS = np.array([month.by_day[outcome] for month in lived], dtype=np.float64).T
    return DailyCurve(arm=arm, outcome=outcome, days=tuple(map(_day, value_DS)))


def _day(value_S: FloatArray) -> Interval | None:
    known = value_S[np.isfinite(value_S)]
    return mean_interval(known) if len(known) >= MIN_SEEDS else None
