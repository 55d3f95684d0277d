"""Whether a position is looked at.

    P(click at n) = P(examined at n) P(click | examined, slate)

The examination hypothesis (Richardson et al. 2007); that both factors are learned together is PAL (Guo et al. 2019).
The first position is the unit: its examination is 1.

N positions, L positions known.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

FIRST_FALL: Final = 0.1
"""Of the log-probability, a position, before anything is learned."""
PACE: Final = 10.0
"""Scales the parameters, so that these few learn faster than the many of the heads do."""
LEAST: Final = 1e-3
"""Smallest examination that is taken over from a log."""


class Examination(nn.Module):
    """A probability for every position, none above that of the first."""

    def __init__(self, positions: int) -> None:
        super().__init__()
        self.fall_L = nn.Parameter(_inverse_softplus(FIRST_FALL * torch.arange(1, positions)) / PACE)

    def log_prob(self, size: int) -> Tensor:
        """The log-probabilities of the first positions, as `log_prob_N`."""
        return torch.cat([self.fall_L.new_zeros(1), -softplus(PACE * self.fall_L)])[:size]

    def take_over(self, prob_N: Tensor) -> None:
        """Use what a log knows; positions beyond it keep the fall of its last one."""
        log_N = (prob_N / prob_N[0]).clamp(LEAST, 1 - 1e-6).log()
        beyond_L = torch.arange(len(self.fall_L) - len(log_N) + 1, device=log_N.device)
        known_L = torch.cat([log_N[1:], log_N[-1] * (1 + (beyond_L + 1) / len(log_N))])
        with torch.no_grad():
            self.fall_L.copy_(_inverse_softplus(-known_L[: len(self.fall_L)]) / PACE)
        self.fall_L.requires_grad_(False)


def _inverse_softplus(value: Tensor) -> Tensor:
    return value.expm1().log()
