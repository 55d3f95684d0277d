"""Weights become parameters: the policy hypernetwork.

    theta_w = theta_0 + L w + H(w)

theta_0 is shared by all weights, L is linear (a sum of gains has gains linear in w), H is a perceptron of one
hidden layer. Chen et al. 2023 (arXiv 2306.05118), where a hypernetwork gives the re-ranker's w-sensitive
parameters; the first values follow Chang et al. 2020: theta_0 starts as the layer itself would, and L w + H(w)
starts small beside it.

B batch, K utilities, P parameters, H hidden.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ranker.config import HypernetConfig


def on_simplex(weights_BK: Tensor) -> Tensor:
    """The weights divided by their sum, float32: scaled weights give the same slate.

    Divides in float64, so that the scale doesn't show in the last bits.
    """
    exact_BK = weights_BK.to(torch.float64)
    return (exact_BK / exact_BK.sum(-1, keepdim=True)).to(torch.float32)


class Hypernet(nn.Module):
    """Generates the named parameters of another network.

    Args:
        shapes: Of every parameter; the first dimension is what it is summed over, which sets its first scale.
    """

    def __init__(self, utilities: int, shapes: Mapping[str, tuple[int, ...]], config: HypernetConfig) -> None:
        super().__init__()
        self._shapes = dict(shapes)
        self._sizes = [math.prod(shape) for shape in shapes.values()]
        count = sum(self._sizes)
        self.base_P = nn.Parameter(torch.empty(count))
        self.linear_KP = nn.Parameter(torch.empty(utilities, count))
        self.hidden = nn.Linear(utilities, config.hidden)
        self.out_HP = nn.Parameter(torch.empty(config.hidden, count))
        self._start(config.spread)

    def forward(self, simplex_BK: Tensor) -> dict[str, Tensor]:
        """The parameters by name, each of its shape behind B; the weights lie on the simplex."""
        # Centred and scaled so that a corner of the simplex is as far from the middle as a unit vector is.
        centred_BK = simplex_BK - 1 / simplex_BK.shape[-1]
        theta_BP = self.base_P + centred_BK @ self.linear_KP + torch.relu(self.hidden(centred_BK)) @ self.out_HP
        parts = torch.split(theta_BP, self._sizes, dim=-1)
        return {
            name: part.reshape(-1, *shape) for (name, shape), part in zip(self._shapes.items(), parts, strict=True)
        }

    def _start(self, spread: float) -> None:
        parts = [1 / math.sqrt(shape[0]) for shape in self._shapes.values()]
        std_P = torch.cat([torch.full((size,), std) for size, std in zip(self._sizes, parts, strict=True)])
        with torch.no_grad():
            self.base_P.normal_().mul_(std_P)
            self.linear_KP.normal_().mul_(spread * std_P)
            self.out_HP.normal_().mul_(spread * std_P / math.sqrt(self.out_HP.shape[0]))
