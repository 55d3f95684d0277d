"""The lists by PyTorch, operation by operation: the reference, and the path where nothing can be compiled."""

# B batch, L lists, M candidates, S samples, N slate, K utilities

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ranker.actor import Actor
from ranker.objective import Objective
from ranker.requests import Requests
from ranker.scorer.config import ScorerConfig
from ranker.scorer.lists import Lists, drawn_noise
from ranker.scorer.rivals import alone, dpp_slates, greedy_slates, improved_slates, mmr_slates

Sensitive = dict[str, Tensor]


class EagerEngine:
    """An `Engine` for any actor and objective."""

    def __init__(self, actor: Actor, objective: Objective, config: ScorerConfig) -> None:
        self._actor, self._objective, self._config = actor, objective, config
        self._noise_SNM = drawn_noise(config)

    def prepared(self, sensitive: Sensitive) -> Sensitive:
        """Give them as they are."""
        return sensitive

    def greedy(self, requests: Requests, parameters: Sequence[Any], size: int) -> Tensor:
        """Give the actor's greedy lists."""
        return self._actor.write(requests, _batched(parameters), size)

    def lists(self, requests: Requests, simplex_BK: Tensor, parameters: Sequence[Any], size: int) -> Lists:
        """Give the competing lists."""
        config, objective = self._config, self._objective
        sensitive = _batched(parameters)
        slates = [self._actor.write(requests, sensitive, size), *self._sampled(requests, sensitive, size)]
        alone_BM = alone(objective, requests, simplex_BK)
        if config.greedy:
            slates.append(greedy_slates(objective, requests, simplex_BK, alone_BM, size, config.greedy_positions))
        slates += [mmr_slates(requests, alone_BM, size, trade_off) for trade_off in config.trade_offs]
        slates += [dpp_slates(requests, alone_BM, size, temperature) for temperature in config.temperatures]
        slate_BLN = torch.stack(slates, dim=1)
        if config.sweeps:
            best_B = objective.reward(requests, simplex_BK, slate_BLN).argmax(-1)
            best_BN = slate_BLN[torch.arange(requests.B), best_B]
            last_BN = improved_slates(objective, requests, simplex_BK, best_BN, alone_BM, config)
            slate_BLN = torch.cat([slate_BLN, last_BN.unsqueeze(1)], dim=1)
        utility_BLK = objective.values(requests, slate_BLN)
        return Lists(
            slate_BLN=slate_BLN,
            reward_BL=torch.einsum("bk,blk->bl", simplex_BK, utility_BLK),
            utility_BLK=utility_BLK,
        )

    def _sampled(self, requests: Requests, sensitive: Sensitive, size: int) -> list[Tensor]:
        if not self._config.samples:
            return []
        memory = self._actor.memory(requests, sensitive, size)
        decoder, first = self._actor.decoder, self._actor.decoder.begin(memory)
        unmasked = memory._replace(closed_BNM=~requests.valid_BM.unsqueeze(1).expand(-1, size, -1))
        order_BM = decoder.score(unmasked, first, 0).sort(dim=-1, descending=True, stable=True).indices
        rank_BM = order_BM.argsort(-1)
        slates = []
        for noise_NM in self._noise_SNM:
            state, chosen = first, []
            for slot in range(size):
                score_BM = decoder.score(memory, state, slot)
                chosen.append((score_BM + noise_NM[slot, rank_BM]).argmax(-1))
                state = decoder.take(memory, state, chosen[-1])
            slates.append(torch.stack(chosen, dim=1))
        return slates


def _batched(parameters: Sequence[Sensitive]) -> Sensitive:
    if len(parameters) == 1:
        return parameters[0]
    return {name: torch.cat([one[name] for one in parameters]) for name in parameters[0]}
