"""Weights to train with: every request gets its own (Chen et al. 2023, w drawn anew for each sample).

B requests, K utilities.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ranker.errors import WeightsInvalid
from ranker.training.config import WeightRanges


def draw_weights(ranges: WeightRanges, batch: int, utilities: int, generator: torch.Generator) -> Tensor:
    """Weights on the simplex, as `weights_BK`.

    Raises:
        WeightsInvalid: If the ranges aren't one for every utility, or hold no weights.
    """
    _check(ranges, utilities)
    drawn_BK = _dirichlet(ranges.concentration, batch, utilities, generator)
    kind_B1 = torch.rand(batch, 1, generator=generator)
    corner_B = torch.randint(utilities, (batch,), generator=generator)
    drawn_BK = torch.where(kind_B1 < ranges.corner_share, torch.eye(utilities)[corner_B], drawn_BK)
    if ranges.ranges and ranges.range_share:
        low_K, high_K = torch.tensor(ranges.ranges).unbind(-1)
        uniform_BK = low_K + (high_K - low_K) * torch.rand(batch, utilities, generator=generator)
        drawn_BK = torch.where(kind_B1 > 1 - ranges.range_share, uniform_BK, drawn_BK)
    return drawn_BK / drawn_BK.sum(-1, keepdim=True)


def corners(utilities: int) -> Tensor:
    """The corners of the simplex and its middle, as `weights_VK`."""
    return torch.cat([torch.eye(utilities), torch.full((1, utilities), 1 / utilities)])


def _dirichlet(concentration: float, batch: int, utilities: int, generator: torch.Generator) -> Tensor:
    # torch.distributions takes no generator; this kernel, which it calls, does.
    gamma_BK = torch._standard_gamma(torch.full((batch, utilities), concentration), generator=generator)
    # A small concentration gives rows of zeros in float32.
    return gamma_BK.clamp(min=torch.finfo(torch.float32).tiny)


def _check(ranges: WeightRanges, utilities: int) -> None:
    if not ranges.ranges:
        return
    fits = all(0 <= low <= high for low, high in ranges.ranges) and any(low > 0 for low, _ in ranges.ranges)
    if len(ranges.ranges) != utilities or not fits:
        raise WeightsInvalid(
            f"{len(ranges.ranges)} ranges for {utilities} utilities, each 0 <= low <= high, one of them above 0",
            hint="give a lowest and a highest weight for every utility, in their order",
        )
