"""The lists that compete for a request, and what computes them."""

# B batch, L lists, M candidates, S samples, N slate, K utilities

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ranker.config import MAX_CANDIDATES, MAX_SLATE
from ranker.requests import Requests
from ranker.scorer.config import ScorerConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """The competing lists of every request, in the order of `ScorerConfig.names`."""

    slate_BLN: Tensor
    reward_BL: Tensor
    utility_BLK: Tensor


class Engine(Protocol):
    """One way to compute the lists; what it is given was checked."""

    def prepared(self, sensitive: dict[str, Tensor]) -> Any:
        """Give the parameters that one weight vector makes, in the form that the engine reads."""

    def greedy(self, requests: Requests, parameters: Sequence[Any], size: int) -> Tensor:
        """Give the actor's greedy lists as `slate_BN`, for the parameters of every request."""

    def lists(self, requests: Requests, simplex_BK: Tensor, parameters: Sequence[Any], size: int) -> Lists:
        """Give the competing lists."""


def drawn_noise(config: ScorerConfig) -> Tensor:
    """Gumbel noise for every sample, slot and rank of a candidate, `noise_SNM`: drawn once.

    The largest of scores with it is a draw by their softmax (Gumbel 1954). A candidate gets the noise of its rank by
    the actor's score for the first slot: so neither the candidates' order nor padding changes what is drawn, and the
    same request and weights give the same slate.
    """
    generator = torch.Generator().manual_seed(config.seed)
    exponential_SNM = torch.empty(config.samples, MAX_SLATE, MAX_CANDIDATES).exponential_(generator=generator)
    return -exponential_SNM.log() * config.temperature
