"""Estimates of the other policy's mean reward, with intervals.

With weights w_i = pi(a_i | x_i) / p_i:

    IPS    mean of w_i r_i                                                        Horvitz and Thompson 1952
    SNIPS  sum of w_i r_i / sum of w_i                                            Swaminathan and Joachims 2015
    DR     mean of sum_a pi(a | x_i) q(x_i, a) + w_i (r_i - q(x_i, a_i))          Dudík, Langford and Li 2011, eq. 2

IPS is unbiased if every choice that the other policy makes was possible; DR is as well, whatever q is, as long as q
wasn't fitted to the same decisions, and varies the less the better q is. SNIPS is biased by O(1/N), and never leaves
the range of the rewards that were seen.

Intervals are normal, with the variance of the mean's terms; those of SNIPS are w_i (r_i - v) / mean(w) (the delta
method, Owen 2013, section 9.2). With few effective decisions, (sum w)^2 / sum w^2 (Kish 1965), all of them are too
narrow, since the largest weights may be missing from the log.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from reward_llm.errors import LogUnusable
from reward_llm.feedback.offpolicy.decisions import Floats, LoggedDecisions

CONFIDENCE: Final = 0.95
Z: Final = 1.959963985
"""The normal quantile at 0.975."""
ENOUGH: Final = 100
"""Effective decisions below which an estimate isn't to be relied on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OffPolicyEstimate:
    """A mean reward with its interval; `effective` is how many decisions of the other policy's own it is worth."""

    value: float
    low: float
    high: float
    effective: float
    decisions: int

    @property
    def is_reliable(self) -> bool:
        """Whether it rests on `ENOUGH` effective decisions."""
        return self.effective >= ENOUGH

    def covers(self, value: float) -> bool:
        """Whether the interval has the value."""
        return self.low <= value <= self.high


def ips(log: LoggedDecisions) -> OffPolicyEstimate:
    """The estimate by inverse propensity scores."""
    return _mean(log.weight_N * log.reward_N, log)


def snips(log: LoggedDecisions) -> OffPolicyEstimate:
    """The estimate by self-normalised inverse propensity scores.

    Raises:
        LogUnusable: If the other policy makes none of the decisions.
    """
    weight_N = log.weight_N
    if not weight_N.any():
        raise LogUnusable(
            "the other policy makes none of the logged decisions", hint="Log one that explores what it chooses."
        )
    value = float(weight_N @ log.reward_N / weight_N.sum())
    found = _mean(weight_N * (log.reward_N - value) / weight_N.mean(), log)
    return OffPolicyEstimate(
        value=value,
        low=value + found.low,
        high=value + found.high,
        effective=found.effective,
        decisions=found.decisions,
    )


def doubly_robust(log: LoggedDecisions, predicted_N: Floats, expected_N: Floats) -> OffPolicyEstimate:
    """The doubly robust estimate.

    Args:
        log: The decisions.
        predicted_N: What was to be expected of what was chosen, q(x_i, a_i), by a model of other decisions.
        expected_N: The same of what the other policy chooses, sum_a pi(a | x_i) q(x_i, a).

    Raises:
        LogUnusable: If predictions are not as many as decisions.
    """
    if predicted_N.shape != log.reward_N.shape or expected_N.shape != log.reward_N.shape:
        raise LogUnusable("there must be as many predictions as decisions")
    return _mean(expected_N + log.weight_N * (log.reward_N - predicted_N), log)


def _mean(term_N: Floats, log: LoggedDecisions) -> OffPolicyEstimate:
    count, weight_N = len(log), log.weight_N
    value = float(term_N.mean())
    half = Z * float(term_N.std(ddof=1)) / math.sqrt(count) if count > 1 else math.inf
    squares = float(weight_N @ weight_N)
    effective = float(weight_N.sum()) ** 2 / squares if squares else 0.0
    return OffPolicyEstimate(value=value, low=value - half, high=value + half, effective=effective, decisions=count)
