"""Slates to imitate at first: the greedy list by marginal gain, then better neighbours of it.

B batch, M candidates, N slate, V slates tried.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ranker.masks import closed_slots, filled_slots
from ranker.objective import Objective
from ranker.requests import EMPTY, Requests

REQUESTS_AT_ONCE: Final = 256


def marginal_greedy(objective: Objective, requests: Requests, weights_BK: Tensor, size: int) -> Tensor:
    """In every slot the candidate that makes the slate so far worth most, as `slate_BN`; keeps pins and bans."""
    closed_BNM, filled_BN = closed_slots(requests, size), filled_slots(requests, size)
    slate_BN = torch.full((requests.B, 0), EMPTY)
    taken_BM = torch.zeros_like(requests.valid_BM)
    every_BM1 = torch.arange(requests.M).expand(requests.B, -1).unsqueeze(-1)
    for slot in range(size):
        tried_BVN = torch.cat([slate_BN.unsqueeze(1).expand(-1, requests.M, -1), every_BM1], dim=-1)
        closed_BM = closed_BNM[:, slot] | taken_BM
        reward_BM = objective.reward(requests, weights_BK, tried_BVN).masked_fill(closed_BM, -torch.inf)
        item_B1 = reward_BM.argmax(-1, keepdim=True)
        taken_BM = taken_BM.scatter(1, item_B1, value=True)
        slate_BN = torch.cat([slate_BN, torch.where(filled_BN[:, slot : slot + 1], item_B1, EMPTY)], dim=1)
    return slate_BN


def marginal_greedy_in_parts(objective: Objective, requests: Requests, weights_BK: Tensor, size: int) -> Tensor:
    """The same, a few requests at a time, which bounds memory."""
    parts = torch.split(torch.arange(requests.B), REQUESTS_AT_ONCE)
    slates = [marginal_greedy(objective, requests.select(part), weights_BK[part], size) for part in parts]
    return torch.cat(slates)


def improved(objective: Objective, requests: Requests, weights_BK: Tensor, slate_BN: Tensor, rounds: int) -> Tensor:
    """The slates after rounds of the best change: another candidate in a slot, or a swap of two slots."""
    rows_B = torch.arange(requests.B)
    for _ in range(rounds):
        tried_BVN = torch.cat([slate_BN.unsqueeze(1), _neighbours(requests, slate_BN)], dim=1)
        reward_BV = objective.reward(requests, weights_BK, tried_BVN)
        allowed_BV = _keeps_pins(requests, tried_BVN)
        slate_BN = tried_BVN[rows_B, reward_BV.masked_fill(~allowed_BV, -torch.inf).argmax(-1)]
    return slate_BN


def _neighbours(requests: Requests, slate_BN: Tensor) -> Tensor:
    """Every slate with candidate m put into slot n; where m stands elsewhere, what stood in n goes there."""
    size, count = slate_BN.shape[1], requests.M
    put_V = torch.arange(count).repeat(size)
    into_VN = torch.eye(size, dtype=torch.bool).repeat_interleave(count, dim=0)
    old_BV1 = slate_BN.repeat_interleave(count, dim=1).unsqueeze(-1)
    was_there_BVN = slate_BN.unsqueeze(1) == put_V[:, None]
    moved_BVN = torch.where(was_there_BVN, old_BV1, slate_BN.unsqueeze(1))
    may_BV1 = (requests.allowed_BM[:, put_V] & (old_BV1.squeeze(-1) != EMPTY)).unsqueeze(-1)
    return torch.where(into_VN & may_BV1, put_V[:, None], torch.where(may_BV1, moved_BVN, slate_BN.unsqueeze(1)))


def _keeps_pins(requests: Requests, slate_BVN: Tensor) -> Tensor:
    size = slate_BVN.shape[-1]
    closed_BNM = closed_slots(requests, size).unsqueeze(1).expand(-1, slate_BVN.shape[1], -1, -1)
    closed_BVN = closed_BNM.gather(-1, slate_BVN.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return ~(closed_BVN & (slate_BVN != EMPTY)).any(-1)
