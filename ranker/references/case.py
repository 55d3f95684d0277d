"""Random requests of which the reward is known in closed form, for benchmarks against the proven best."""

# B batch, M candidates, S slates, N slate, K utilities

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ranker.references.space import Objective, SlateSpace, request_objective
from ranker.requests import Requests, SlatePredictions
from ranker.utilities import UtilityRegistry, default_utilities
from ranker.utilities.shown import filled, of_items

TRAITS: Final = ("attraction", "conversion", "satisfaction", "retention")
"""What `item_BMF` says of an item, in this order."""

_EXAMINATION: Final = 0.85
_USER: Final = 2
_GROUPS: Final = 3
_NEW_SHARE: Final = 0.25
_NEW_DAYS: Final = 7.0
_MIDDLE: Final = (0.25, 0.475, 0.47, 0.5)
_SPREAD: Final = (0.14, 0.245, 0.18, 0.17)
"""Of the traits: with them `item_BMF` is about standardised."""


class SeparableUsers:
    """What users do who take each item on its own, at a slot that is examined with a known probability.

    Clicks are a_i e_p, purchases a_i b_i e_p, satisfaction sum_p e_p s_i / sum_p e_p and retention the mean of r_i,
    e_p = 0.85^p. The traits a, b, s and r are what the features of the items say, so that an actor can know them.
    """

    def predict(self, requests: Requests, slate_BSN: Tensor) -> SlatePredictions:
        """Say what is expected of slates, in the evaluator's place."""
        attraction_BM, conversion_BM, satisfaction_BM, retention_BM = traits(requests).unbind(-1)
        filled_BSN = filled(slate_BSN)
        examined_BSN = examination(slate_BSN.shape[-1]) * filled_BSN
        click_BSN = of_items(attraction_BM, slate_BSN) * examined_BSN
        satisfied_BSN = of_items(satisfaction_BM, slate_BSN) * examined_BSN
        retained_BSN = of_items(retention_BM, slate_BSN) * filled_BSN
        return SlatePredictions(
            click_BSN=click_BSN,
            purchase_BSN=of_items(conversion_BM, slate_BSN) * click_BSN,
            satisfaction_BS=satisfied_BSN.sum(-1) / examined_BSN.sum(-1).clamp_min(1e-9),
            retention_BS=retained_BSN.sum(-1) / filled_BSN.sum(-1).clamp_min(1),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparableCase:
    """One request to `SeparableUsers`, for slates of one size.

    The utilities are those of `default_utilities`. Every part can be written with linear constraints, which is what
    `cp_sat` does; the searches see only the reward.
    """

    requests: Requests
    size: int

    @property
    def space(self) -> SlateSpace:
        """All slates that the request allows."""
        return SlateSpace.of_request(self.requests, 0, self.size)

    @property
    def utilities(self) -> UtilityRegistry:
        """The seven."""
        return default_utilities()

    @property
    def attraction_M(self) -> Tensor:  # noqa: N802
        """The probability of a click on every candidate, where it is examined."""
        return traits(self.requests)[0, :, 0]

    def objective(self, weights_K: Tensor) -> Objective:
        """Give the reward of slates under some weights."""
        return request_objective(self.requests, 0, self.utilities, weights_K, SeparableUsers().predict)

    def gain(self, weights_K: Tensor) -> Tensor:
        """Give what item i at slot p adds to click, gmv, satisfaction and retention of a full slate, of (M, N)."""
        click, gmv, satisfaction, retention = weights_K[:4].double()
        attraction_M, conversion_M, satisfaction_M, retention_M = traits(self.requests)[0].double().unbind(-1)
        price_M, examination_N = self.requests.price_BM[0].double(), examination(self.size).double()
        share_M = (price_M / price_M[self.requests.allowed_BM[0]].max().clamp_min(1e-9)).clamp_max(1)
        shown_M = attraction_M * (click + gmv * conversion_M * share_M) / self.size
        shown_M = shown_M + satisfaction * satisfaction_M / examination_N.sum()
        gain_MN: Tensor = shown_M[:, None] * examination_N[None, :]
        gain_MN += retention * retention_M[:, None] / self.size
        return gain_MN


def examination(size: int) -> Tensor:
    """Give the probability that each slot is looked at."""
    return torch.pow(_EXAMINATION, torch.arange(size))


def traits(requests: Requests) -> Tensor:
    """Give the `TRAITS` of the candidates, (B, M, 4) in [0, 1], out of their features."""
    return requests.item_BMF * torch.tensor(_SPREAD) + torch.tensor(_MIDDLE)


def random_case(m: int, n: int, seed: int) -> SeparableCase:
    """Draw a request of m candidates and slates of n, the same for the same seed."""
    return SeparableCase(requests=random_requests(1, m, torch.Generator().manual_seed(seed)), size=n)


def ragged_requests(batch: int, fewest: int, most: int, generator: torch.Generator) -> Requests:
    """Draw requests of `fewest` to `most` candidates, about as many of each, in random order."""
    counts = most + 1 - fewest
    parts = [
        random_requests(-(-batch // counts), m, generator).padded_to(most).tensors() for m in range(fewest, most + 1)
    ]
    together = Requests(**{name: torch.cat([part[name] for part in parts]) for name in parts[0]})
    return together.select(torch.randperm(together.B, generator=generator)[:batch])


def random_requests(batch: int, m: int, generator: torch.Generator) -> Requests:
    """Draw requests of m candidates to `SeparableUsers`.

    What users like, what sells and what is new are different items, so that every weight asks for another slate.
    """
    shape = (batch, m)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(shape, generator=generator)

    def integers(count: int) -> Tensor:
        return torch.randint(count, shape, generator=generator)

    is_new_BM = uniform(0, 1) < _NEW_SHARE
    attraction_BM = uniform(0.02, 0.5) * torch.where(is_new_BM, 0.8, 1.0)
    satisfaction_BM = (0.3 * attraction_BM + uniform(0.1, 0.7)).clamp(0, 1)
    trait_BMF = torch.stack([attraction_BM, uniform(0.05, 0.9), satisfaction_BM, uniform(0.2, 0.8)], dim=-1)
    return Requests(
        user_BF=torch.randn(batch, _USER, generator=generator),
        item_BMF=(trait_BMF - torch.tensor(_MIDDLE)) / torch.tensor(_SPREAD),
        item_id_BMC=torch.zeros(*shape, 0, dtype=torch.int64),
        valid_BM=torch.ones(shape, dtype=torch.bool),
        price_BM=torch.exp(1.0 + 0.8 * torch.randn(shape, generator=generator)),
        age_days_BM=torch.where(is_new_BM, uniform(0, _NEW_DAYS), uniform(_NEW_DAYS, 100)),
        seller_BM=1 + integers(max(3, m // 4)),
        category_BM=1 + integers(max(2, m // 6)),
        group_BM=integers(_GROUPS),
        supply_type_BM=integers(4),
        is_new_BM=is_new_BM,
        pinned_BM=torch.full(shape, -1),
        forbidden_BM=torch.zeros(shape, dtype=torch.bool),
    )
