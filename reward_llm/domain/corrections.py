"""How far predictions were off, and what they are multiplied with to be less so.

For each goal j whose metric was predicted as p ± e and then observed as o ± s, both standard errors:

    d_j = ln(o / p)        v_j = (s / o)² + (e / p)²                                    (delta method)
    τ²  = max(τ₀², (Σ d_j² w_j − (Σ d_j w_j)² / Σ w_j − (n − 1)) / (Σ w_j − Σ w_j² / Σ w_j)),  w_j = 1 / v_j
    b   = Σ u_j d_j / (Σ u_j + 1 / σ²),  u_j = 1 / (v_j + τ²)      error of b = (Σ u_j + 1 / σ²)^(−1/2)

which is the random-effects estimate of DerSimonian and Laird (1986) under a normal prior of mean 0, so that few goals
move little (Lindley and Smith 1972). The factor is exp(b). τ₀ says that goals differ by a tenth even if their numbers
agree by chance, and σ = τ₀ makes the prior, that predictions are right, worth as much as one goal.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reward_llm.domain.memory import GoalMemory, Predicted
from reward_llm.domain.metrics import TOTALS, Estimate

BETWEEN: Final = 0.1
"""τ₀ and σ: the standard deviation of logarithms, at least, from goal to goal, and of the prior."""
_INTERVAL: Final = 2 * 1.96
"""How many standard errors an interval of 95 % is wide."""
_LEAST_VARIANCE: Final = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a metric's prediction is multiplied with, and of how many goals that was learnt.

    `error` is the standard error of the factor's logarithm.
    """

    metric: str
    factor: float
    error: float
    goals: int


def corrections(memories: Iterable[GoalMemory]) -> dict[str, Correction]:
    """The corrections of all metrics that were predicted and observed, by their names.

    Totals are left out: they grow with the traffic and the time, of which predictions know nothing.
    """
    found = defaultdict(list)
    for memory in memories:
        for metric, predicted, observed in _pairs(memory):
            found[metric].append((predicted, observed))
    return {metric: correction(metric, pairs) for metric, pairs in found.items()}


def correction(metric: str, pairs: Sequence[tuple[Predicted, Estimate]]) -> Correction:
    """The correction that predictions and what was observed then come to; 1 where there are none to compare."""
    logs = [log for predicted, observed in pairs if (log := _log_ratio(predicted, observed)) is not None]
    between = max(BETWEEN**2, _between([d for d, _ in logs], [1 / v for _, v in logs])) if logs else 0.0
    weights = [1 / (variance + between) for _, variance in logs]
    precision = math.fsum(weights) + 1 / BETWEEN**2
    mean = math.fsum(u * d for u, (d, _) in zip(weights, logs, strict=True)) / precision
    return Correction(metric=metric, factor=math.exp(mean), error=precision**-0.5, goals=len(logs))


def _pairs(memory: GoalMemory) -> Iterator[tuple[str, Predicted, Estimate]]:
    """What was predicted of each of a goal's policies, beside its longest observation."""
    for tried in memory.tried:
        observed: Mapping[str, Estimate] = o.metrics if (o := memory.last(tried.policy_id)) else {}
        for metric, predicted in (tried.predicted.metrics if tried.predicted else {}).items():
            if metric in observed and metric not in TOTALS:
                yield metric, predicted, observed[metric]


def _log_ratio(predicted: Predicted, observed: Estimate) -> tuple[float, float] | None:
    """D and v of one goal, against what was predicted without its correction."""
    said = predicted.mean / predicted.factor
    if observed.value is None or observed.low is None or observed.high is None or min(observed.value, said) <= 0:
        return None
    error = (observed.high - observed.low) / _INTERVAL / observed.value
    variance = error**2 + (predicted.error / predicted.mean) ** 2
    return math.log(observed.value / said), max(variance, _LEAST_VARIANCE)


def _between(logs: Sequence[float], weights: Sequence[float]) -> float:
    """τ² before it is held above τ₀²; 0 for one goal, which can't tell it."""
    if len(logs) < 2:
        return 0.0
    total = math.fsum(weights)
    mean = math.fsum(w * d for w, d in zip(weights, logs, strict=True)) / total
    spread = math.fsum(w * (d - mean) ** 2 for w, d in zip(weights, logs, strict=True))
    return (spread - (len(logs) - 1)) / (total - math.fsum(w * w for w in weights) / total)
