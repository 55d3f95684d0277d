"""Random requests of which the reward is known in closed form, for benchmarks against the proven best."""

# M candidates, S slates, N slate, K utilities

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ranker.references.space import Objective, SlateSpace, request_objective
from ranker.requests import Requests, SlatePredictions
from ranker.utilities import UtilityRegistry, default_utilities
from ranker.utilities.shown import filled, of_items

_EXAMINATION: Final = 0.85
_FEATURES: Final = 6
_GROUPS: Final = 3
_NEW_SHARE: Final = 0.25
_NEW_DAYS: Final = 7.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparableCase:
    """One request, and what its users do: each item on its own, at a slot that is examined with a known probability.

    Clicks are a_i e_p, purchases a_i b_i e_p, satisfaction sum_p e_p s_i / sum_p e_p and retention the mean of r_i.
    The other utilities are those of `default_utilities`. Every part can be written with linear constraints, which
    is what `cp_sat` does; the searches see only the reward.
    """

    requests: Requests
    size: int
    attraction_M: Tensor
    conversion_M: Tensor
    satisfaction_M: Tensor
    retention_M: Tensor
    examination_N: Tensor

    @property
    def space(self) -> SlateSpace:
        """All slates that the request allows."""
        return SlateSpace.of_request(self.requests, 0, self.size)

    @property
    def utilities(self) -> UtilityRegistry:
        """The seven."""
        return default_utilities()

    def objective(self, weights_K: Tensor) -> Objective:
        """Give the reward of slates under some weights."""
        return request_objective(self.requests, 0, self.utilities, weights_K, self.predict)

    def predict(self, requests: Requests, slate_BSN: Tensor) -> SlatePredictions:
        """Say what is expected of slates of the request, in the evaluator's place."""
        del requests
        filled_BSN = filled(slate_BSN)
        examined_BSN = self.examination_N * filled_BSN
        click_BSN = self._at(self.attraction_M, slate_BSN) * examined_BSN
        satisfied_BSN = self._at(self.satisfaction_M, slate_BSN) * examined_BSN
        retained_BSN = self._at(self.retention_M, slate_BSN) * filled_BSN
        return SlatePredictions(
            click_BSN=click_BSN,
            purchase_BSN=self._at(self.conversion_M, slate_BSN) * click_BSN,
            satisfaction_BS=satisfied_BSN.sum(-1) / examined_BSN.sum(-1).clamp_min(1e-9),
            retention_BS=retained_BSN.sum(-1) / filled_BSN.sum(-1).clamp_min(1),
        )

    def gain(self, weights_K: Tensor) -> Tensor:
        """Give what item i at slot p adds to click, gmv, satisfaction and retention of a full slate, of (M, N)."""
        click, gmv, satisfaction, retention = weights_K[:4].double()
        price_M = self.requests.price_BM[0].double()
        share_M = (price_M / price_M[self.requests.allowed_BM[0]].max().clamp_min(1e-9)).clamp_max(1)
        shown_M = self.attraction_M * (click + gmv * self.conversion_M * share_M) / self.size
        shown_M = shown_M + satisfaction * self.satisfaction_M / self.examination_N.sum()
        gain_MN: Tensor = shown_M[:, None] * self.examination_N[None, :]
        gain_MN += retention * self.retention_M[:, None] / self.size
        return gain_MN

    def _at(self, value_M: Tensor, slate_BSN: Tensor) -> Tensor:
        return of_items(value_M[None], slate_BSN)


def random_case(m: int, n: int, seed: int) -> SeparableCase:
    """Draw a request of m candidates and slates of n, the same for the same seed.

    What users like, what sells and what is new are different items, so that every weight asks for another slate.
    """
    generator = torch.Generator().manual_seed(seed)

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=generator)

    def integers(count: int) -> Tensor:
        return torch.randint(count, (1, m), generator=generator)

    is_new_BM = uniform(0, 1, 1, m) < _NEW_SHARE
    attraction_M = uniform(0.02, 0.5, m) * torch.where(is_new_BM[0], 0.8, 1.0)
    satisfaction_M = (0.3 * attraction_M + uniform(0.1, 0.7, m)).clamp(0, 1)
    return SeparableCase(
        requests=_requests(
            item_BMF=torch.randn(1, m, _FEATURES, generator=generator),
            user_BF=torch.randn(1, _FEATURES, generator=generator),
            price_BM=torch.exp(1.0 + 0.8 * torch.randn(1, m, generator=generator)),
            age_days_BM=torch.where(is_new_BM, uniform(0, _NEW_DAYS, 1, m), uniform(_NEW_DAYS, 100, 1, m)),
            seller_BM=1 + integers(max(3, m // 4)),
            category_BM=1 + integers(max(2, m // 6)),
            group_BM=integers(_GROUPS),
            supply_type_BM=integers(4),
            is_new_BM=is_new_BM,
        ),
        size=n,
        attraction_M=attraction_M,
        conversion_M=uniform(0.05, 0.9, m),
        satisfaction_M=satisfaction_M,
        retention_M=uniform(0.2, 0.8, m),
        examination_N=torch.pow(_EXAMINATION, torch.arange(n)),
    )


def _requests(**drawn: Tensor) -> Requests:
    shape = drawn["price_BM"].shape
    return Requests(
        **drawn,
        item_id_BMC=torch.zeros(*shape, 0, dtype=torch.int64),
        valid_BM=torch.ones(shape, dtype=torch.bool),
        pinned_BM=torch.full(shape, -1),
        forbidden_BM=torch.zeros(shape, dtype=torch.bool),
    )
