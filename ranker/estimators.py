r"""What another order of logged lists would have been clicked, estimated from the clicks of the log.

Under the examination hypothesis (Richardson et al. 2007) item i at position p is clicked with probability e_p a_i.
Of lists l whose items stood at p and would stand at q (nowhere: e_q = 0), with clicks c,

    V   = 1/L sum_l sum_i c_li e_q / e_p                      clicks a list, by inverse propensity
    S   = sum_l sum_i c_li e_q / e_p / sum_l sum_i c_li / e_p   self-normalised: of the clicks that there would be if
                                                              every position were examined, those that the order gets
    V / V_0 = S / S_0                                         the lift over another order, such as the logged one

V is unbiased for position-based clicks: E[c_li] = e_p a_i (Joachims et al. 2017; Li et al. 2018 for lists, the
item-position click model). It varies with 1 / e_p, so that e_p below `least_examination` count as that (clipping,
Strehl et al. 2010), in V and V_0 alike: a click from far down then counts for less than it should, and orders that
bring such items up for less than they are worth. Intervals are percentiles over lists drawn with replacement
(Efron 1979), the same lists for V and V_0.

**What it can't see.** It is as good as its examination, which here is estimated and not randomised: what makes
earlier positions truly better, beyond what features say, counts as examination, and hides in 1 / e_p; `lift` at
another examination says how much hangs on it. An item's attraction is taken to be the same beside other neighbours
and at any position: no list-level effect shows, which is what the evaluator is for. Nothing is said of items that
weren't shown, of outcomes after the click, or of lists that the log left out (such as those without a click).

L lists, N positions, E positions known, R resamples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ranker.errors import LogInvalid, ShapeMismatch, ValueOutOfRange
from ranker.requests import LoggedLists, check_slates

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatorConfig:
    """How clicks under another order are estimated.

    Raises:
        ValueOutOfRange: If there is no resample, or the confidence isn't in (0, 1).
    """

    least_examination: float = 0.05
    """Lower ones count as it; 0 to clip nothing."""
    resamples: int = 1_000
    """Of the lists, for the intervals."""
    confidence: float = 0.95
    seed: int = 0

    def __post_init__(self) -> None:
        if self.resamples < 1 or not 0 < self.confidence < 1:
            raise ValueOutOfRange(f"{self.resamples} resamples at a confidence of {self.confidence}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickEstimate:
    """What is expected of an order, and how sure that is."""

    clicks: float
    """V, a list."""
    share: float
    """S, in [0, 1]."""
    lift: float
    """V / V_0 - 1; NaN where V_0 is 0."""
    clicks_interval: Interval
    """NaN, as the others, where no resample had a click."""
    share_interval: Interval
    lift_interval: Interval
    effective_clicks: float
    """(sum w)^2 / sum w^2 of the weights 1 / e_p of the clicks: as many equal ones would say as much."""
    clipped: float
    """Share of the clicks whose examination was below the least one."""


def estimate_clicks(
    lists: LoggedLists,
    slate_BN: Tensor,
    examination_E: Tensor,
    config: EstimatorConfig | None = None,
    *,
    against_BN: Tensor | None = None,
) -> ClickEstimate:
    """Estimate the clicks that one new order of each list would get.

    Args:
        lists: What was shown and clicked.
        slate_BN: The new orders, index into the candidates; items that weren't shown count for nothing.
        examination_E: Probability that each position is examined, up to a factor.
        config: Clipping and intervals.
        against_BN: What the lift is over; the logged lists, without it.

    Raises:
        ShapeMismatch: If there isn't one order a list, or there are more positions than the examination's.
        SlateInvalid: If an order shows an item twice, or what isn't a candidate.
        ValueOutOfRange: If an examination isn't in (0, 1].
        LogInvalid: If nothing was clicked.
    """
    config = config or EstimatorConfig()
    against_BN = lists.shown_BN if against_BN is None else against_BN
    for order_BN in (slate_BN, against_BN):
        check_slates(order_BN.unsqueeze(1), lists.requests)
    before_BN = inverse_examination(examination_E, lists.N, config.least_examination)
    weight_BN = torch.where(lists.click_BN, before_BN, 0.0)
    if not bool((weight_BN > 0).any()):
        raise LogInvalid("nothing was clicked in these lists")
    logged_BN = known_examination(examination_E, lists.N).expand_as(weight_BN)
    new_BN = examination_after(lists, slate_BN, examination_E)
    old_BN = examination_after(lists, against_BN, examination_E)
    # Columns: sum of clicks as weighed, under the new order and under the one that it is held against.
    sum_L3 = torch.stack([weight_BN, weight_BN * new_BN, weight_BN * old_BN], dim=-1).double().sum(1)
    drawn_R3 = _resampled(sum_L3, config)
    clicked = weight_BN[lists.click_BN].double()
    weighed, new, old = sum_L3.sum(0).tolist()
    return ClickEstimate(
        clicks=new / lists.B,
        share=new / weighed,
        lift=new / old - 1 if old else math.nan,
        clicks_interval=_interval(drawn_R3[:, 1] / lists.B, config),
        share_interval=_interval(drawn_R3[:, 1] / drawn_R3[:, 0], config),
        lift_interval=_interval((drawn_R3[:, 1] / drawn_R3[:, 2] - 1)[drawn_R3[:, 2] > 0], config),
        effective_clicks=(clicked.sum().square() / clicked.square().sum()).item(),
        clipped=(lists.click_BN & (logged_BN < config.least_examination)).sum().item() / len(clicked),
    )


def known_examination(examination_E: Tensor, size: int) -> Tensor:
    """The examination of the first positions, checked.

    Raises:
        ShapeMismatch: If there are more positions than the examination's.
        ValueOutOfRange: If one isn't in (0, 1].
    """
    if examination_E.ndim != 1 or size > len(examination_E):
        raise ShapeMismatch(f"{size} positions, and the examination is of {tuple(examination_E.shape)}")
    if not bool(((examination_E > 0) & (examination_E <= 1)).all()):
        raise ValueOutOfRange("an examination lies outside (0, 1]", hint="divide by that of the first position")
    return examination_E[:size]


def inverse_examination(examination_E: Tensor, size: int, least: float) -> Tensor:
    """What a click at each position weighs, as `weight_N`: 1 / max(e_p, least).

    Raises:
        ShapeMismatch, ValueOutOfRange: As `known_examination`, and if the least one isn't in [0, 1].
    """
    if not 0 <= least <= 1:
        raise ValueOutOfRange(f"the least examination is {least}, not in [0, 1]")
    return 1 / known_examination(examination_E, size).clamp(min=least)


def examination_after(lists: LoggedLists, slate_BN: Tensor, examination_E: Tensor) -> Tensor:
    """The examination that each logged position's item gets in the new order, 0 where it isn't shown."""
    size = slate_BN.shape[1]
    at_BM = slate_BN.new_zeros((lists.B, lists.requests.M + 1), dtype=examination_E.dtype)
    # Index 0 takes what empty slots write.
    at_BM = at_BM.scatter(1, slate_BN + 1, known_examination(examination_E, size).expand_as(slate_BN))
    at_BM[:, 0] = 0
    return at_BM.gather(1, lists.shown_BN + 1)


def _resampled(sum_L3: Tensor, config: EstimatorConfig) -> Tensor:
    """Sums over lists drawn with replacement, as `drawn_R3`, among those that weigh something."""
    generator = torch.Generator().manual_seed(config.seed)
    drawn = [
        sum_L3[torch.randint(len(sum_L3), (len(sum_L3),), generator=generator)].sum(0)
        for _ in range(config.resamples)
    ]
    drawn_R3 = torch.stack(drawn)
    return drawn_R3[drawn_R3[:, 0] > 0]


def _interval(value_R: Tensor, config: EstimatorConfig) -> Interval:
    if not len(value_R):
        return math.nan, math.nan
    tail = (1 - config.confidence) / 2
    low, high = torch.quantile(value_R, torch.tensor([tail, 1 - tail], dtype=value_R.dtype)).tolist()
    return low, high
