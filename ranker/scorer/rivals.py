"""Lists that compete with the actor's, computed plainly: what the compiled path has to agree with."""

# B batch, M candidates, V slates tried, N slate

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ranker.masks import closed_slots
from ranker.objective import Objective
from ranker.references import SlateSpace, group_similarity
from ranker.references.dpp import dpp_slate
from ranker.references.mmr import mmr_slate
from ranker.requests import UNPINNED, Requests
from ranker.scorer.config import ScorerConfig

LEAST_GAIN: Final = 1e-6
"""A gain below it is rounding."""


def alone(objective: Objective, requests: Requests, weights_BK: Tensor) -> Tensor:
    """R_w of every candidate as a slate of its own, as `alone_BM`; 0 where one may not be shown."""
    every_BM1 = torch.arange(requests.M).expand(requests.B, -1).unsqueeze(-1)
    return objective.reward(requests, weights_BK, every_BM1) * requests.allowed_BM


def greedy_slates(
    objective: Objective, requests: Requests, weights_BK: Tensor, alone_BM: Tensor, size: int, positions: int
) -> Tensor:
    """The marginal-gain greedy list of every request; of equals, the item that is worth more on its own.

    Args:
        objective: What a prefix is worth.
        requests: The requests.
        weights_BK: The weights.
        alone_BM: R_w of the items on their own.
        size: Slots.
        positions: Over n (n + 1) / 2 it is how many of the most valued unshown items a slot is offered.
    """
    breadth = max(1, positions // (size * (size + 1) // 2))
    order_BM = alone_BM.sort(dim=-1, descending=True, stable=True).indices
    closed_BNM = closed_slots(requests, size)
    slate_BN = torch.empty(requests.B, 0, dtype=torch.int64)
    taken_BM = torch.zeros_like(requests.valid_BM)
    for slot in range(size):
        open_BM = (~(closed_BNM[:, slot] | taken_BM)).gather(1, order_BM)
        offered_BM = open_BM & (open_BM.cumsum(-1) <= breadth)
        tried_BMN = torch.cat([slate_BN.unsqueeze(1).expand(-1, requests.M, -1), order_BM.unsqueeze(-1)], dim=-1)
        reward_BM = objective.reward(requests, weights_BK, tried_BMN).masked_fill(~offered_BM, -torch.inf)
        item_B1 = order_BM.gather(1, reward_BM.argmax(-1, keepdim=True))
        taken_BM = taken_BM.scatter(1, item_B1, value=True)
        slate_BN = torch.cat([slate_BN, item_B1], dim=1)
    return slate_BN


def mmr_slates(requests: Requests, alone_BM: Tensor, size: int, trade_off: float) -> Tensor:
    """The MMR list of every request, by what the items are worth alone, brought to [0, 1]."""
    slates = []
    for row in range(requests.B):
        known_I = alone_BM[row, requests.allowed_BM[row]].double()
        spread = float(known_I.max() - known_I.min()) or 1.0
        score_M = (alone_BM[row].double() - known_I.min()) / spread
        space = SlateSpace.of_request(requests, row, size)
        slates.append(mmr_slate(space, score_M, group_similarity(requests, row), trade_off))
    return torch.tensor(slates)


def dpp_slates(requests: Requests, alone_BM: Tensor, size: int, temperature: float) -> Tensor:
    """The greedy MAP list of a determinantal point process of every request."""
    slates = [
        dpp_slate(
            SlateSpace.of_request(requests, row, size),
            alone_BM[row],
            group_similarity(requests, row),
            temperature,
        )
        for row in range(requests.B)
    ]
    return torch.tensor(slates)


def improved_slates(
    objective: Objective,
    requests: Requests,
    weights_BK: Tensor,
    slate_BN: Tensor,
    alone_BM: Tensor,
    config: ScorerConfig,
) -> Tensor:
    """The slates after sweeps over their free slots, each by itself."""
    rows = []
    for row in range(requests.B):
        local = _LocalSearch(objective, requests.select([row]), weights_BK[[row]], alone_BM[row], config)
        rows.append(local.improved(slate_BN[row].tolist()))
    return torch.tensor(rows)


class _LocalSearch:
    """Takes, slot by slot, the best change: one of the most valued unshown items, or a swap with a later slot."""

    def __init__(
        self, objective: Objective, request: Requests, weights_1K: Tensor, alone_M: Tensor, config: ScorerConfig
    ) -> None:
        self._objective, self._request, self._weights_1K = objective, request, weights_1K
        self._config, self._left = config, config.sweep_positions
        open_M = request.allowed_BM[0] & (request.pinned_BM[0] == UNPINNED)
        order = alone_M.sort(descending=True, stable=True).indices.tolist()
        self._order = [item for item in order if open_M[item]]
        pinned_BM = request.pinned_BM
        self._pins = set(pinned_BM[pinned_BM != UNPINNED].tolist())

    def improved(self, slate: list[int]) -> list[int]:
        reward = self._rewards([slate])[0]
        for _ in range(self._config.sweeps):
            before = reward
            for slot in range(len(slate)):
                if slot not in self._pins and self._left > 0:
                    slate, reward = self._changed(slate, reward, slot)
            if reward <= before:
                break
        return slate

    def _changed(self, slate: list[int], reward: float, slot: int) -> tuple[list[int], float]:
        unshown = [item for item in self._order if item not in slate][: self._config.neighbours]
        tries = [[*slate[:slot], item, *slate[slot + 1 :]] for item in unshown]
        tries += [_swapped(slate, slot, other) for other in range(slot + 1, len(slate)) if other not in self._pins]
        self._left -= len(tries) * len(slate)
        if not tries:
            return slate, reward
        rewards = self._rewards(tries)
        best = max(range(len(tries)), key=rewards.__getitem__)
        return (tries[best], rewards[best]) if rewards[best] > reward + LEAST_GAIN else (slate, reward)

    def _rewards(self, slates: list[list[int]]) -> list[float]:
        slate_1VN = torch.tensor([slates])
        rewards: list[float] = self._objective.reward(self._request, self._weights_1K, slate_1VN)[0].tolist()
        return rewards


def _swapped(slate: list[int], one: int, other: int) -> list[int]:
    swapped = list(slate)
    swapped[one], swapped[other] = slate[other], slate[one]
    return swapped
