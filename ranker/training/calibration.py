"""Predicted probabilities made to mean what they say.

Platt scaling (Platt 1999; Guo et al. 2017 for networks): of every head, a scale and a shift of its log-odds that
minimise the log loss of lists that it wasn't trained on. A positive scale keeps the order. The examination of the
positions stays as it is.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from ranker.evaluator import Evaluator, Head

ROUNDS: Final = 50
"""Rounds of L-BFGS at most."""
SURE: Final = -1e-6
"""Largest log-probability, so that the other outcome stays possible."""


def log_loss(log_prob: Tensor, outcome: Tensor) -> Tensor:
    """The log loss of every probability given as its logarithm; outcomes lie in [0, 1]."""
    log_prob = log_prob.clamp(max=SURE)
    return -(outcome * log_prob + (1 - outcome) * torch.log1p(-log_prob.exp()))


def calibrate(evaluator: Evaluator, head: Head, logit: Tensor, log_factor: Tensor, outcome: Tensor) -> None:
    """Set a head's calibration so that exp(log_factor) sigmoid(scale logit + shift) fits the outcomes.

    Leaves it as it is where the outcomes are all one: they say nothing of the scale.
    """
    if outcome.numel() == 0 or bool((outcome == outcome[0]).all()):
        return
    log_scale, shift = torch.zeros((), requires_grad=True), torch.zeros((), requires_grad=True)
    optimizer = torch.optim.LBFGS([log_scale, shift], max_iter=ROUNDS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = log_loss(log_factor + logsigmoid(log_scale.exp() * logit + shift), outcome).mean()
        torch.autograd.backward(value)
        return value

    with torch.enable_grad():
        optimizer.step(loss)  # type: ignore[no-untyped-call]
    evaluator.scale_H[head], evaluator.shift_H[head] = log_scale.detach().exp(), shift.detach()


def calibration_error(probability: Tensor, outcome: Tensor, bins: int) -> float:
    """Expected calibration error: mean distance of probability and outcome over bins of equal count."""
    order = probability.argsort()
    parts = zip(probability[order].tensor_split(bins), outcome[order].tensor_split(bins), strict=True)
    gaps = [abs((p.mean() - o.mean()).item()) * len(p) for p, o in parts if len(p)]
    return sum(gaps) / max(1, len(probability))


def area_under_curve(probability: Tensor, outcome: Tensor) -> float:
    """The probability that a positive is ranked above a negative (ties count half); NaN if one kind is missing."""
    positive, negative = probability[outcome > 0.5], probability[outcome <= 0.5].sort().values
    if not len(positive) or not len(negative):
        return float("nan")
    below = torch.searchsorted(negative, positive)
    up_to = torch.searchsorted(negative, positive, right=True)
    return ((below + up_to).double().mean() / (2 * len(negative))).item()
