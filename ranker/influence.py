"""What a weight does, beside what it is: the share of the score's variance that each utility causes on real slates.

R_w = sum_k w_k U_k decides between slates of one request, so what counts is how far each term parts these:

    share_k = sum_b Cov_s(w_k U_k, R_w) / sum_b Var_s(R_w)

over the slates s of each request b. The shares add up to 1, since the covariances of the terms with their sum add up
to its variance. A utility that hardly differs between slates has a small share however large its weight; one that
falls where the score rises has a negative one.

The slates are those that a request might as well be shown: the logged list, and lists near it (`nearby_slates`). They
don't depend on the weights, so shares under two weight vectors can be compared.
"""

# B batch, M candidates, S slates a request, N slate, K utilities

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ranker.errors import ShapeMismatch, ValueOutOfRange
from ranker.hypernet import on_simplex
from ranker.masks import closed_slots, filled_slots
from ranker.requests import EMPTY, Requests

CLOSENESS: Final = 3.0
"""How much likelier a nearby list begins with what the logged one does than with what wasn't shown, in nats."""
SMALLEST_VARIANCE: Final = 1e-12
"""Of a score in [0, 1]; what is below it is rounding."""
_SMALLEST_WAIT: Final = 1e-30


def influence_shares(weights_K: Tensor, utility_BSK: Tensor) -> Tensor:
    """Give `share_K`, float64: together 1, or all 0 where the score is the same for all slates of every request.

    Raises:
        ShapeMismatch: If there isn't a weight for each utility, or no request has two slates.
    """
    if utility_BSK.ndim != 3 or weights_K.shape != utility_BSK.shape[-1:]:
        raise ShapeMismatch(f"weights of {tuple(weights_K.shape)} for utilities of {tuple(utility_BSK.shape)}")
    if utility_BSK.shape[1] < 2:
        raise ShapeMismatch("a variance takes two slates of a request", hint="ask `nearby_slates` for more")
    weighed_BSK = utility_BSK.double() * on_simplex(weights_K.double())
    apart_BSK = weighed_BSK - weighed_BSK.mean(1, keepdim=True)
    score_BS1 = apart_BSK.sum(-1, keepdim=True)
    covariance_K = (apart_BSK * score_BS1).mean((0, 1))
    variance = covariance_K.sum()
    return covariance_K / variance if variance > SMALLEST_VARIANCE else torch.zeros_like(covariance_K)


def nearby_slates(requests: Requests, shown_BN: Tensor, count: int, *, generator: torch.Generator) -> Tensor:
    """Give `slate_BSN`: the list that was shown, and `count` - 1 lists near it, which keep the masks.

    A nearby list draws item after item without replacement, with probabilities that fall evenly from `exp(CLOSENESS)`
    for what was shown first to 1 for what wasn't shown (Plackett and Luce's model, drawn by the Gumbel trick).

    Raises:
        ValueOutOfRange: If not even one list is asked for.
    """
    if count < 1:
        raise ValueOutOfRange(f"{count} slates a request; there is at least the logged one")
    size = shown_BN.shape[1]
    closeness_BM = _closeness(shown_BN, requests.M)
    waiting_BSM = torch.empty(requests.B, count - 1, requests.M).exponential_(generator=generator)
    key_BSM = closeness_BM.unsqueeze(1) - waiting_BSM.clamp_min(_SMALLEST_WAIT).log()
    drawn_BSN = _in_order(key_BSM, requests, size)
    return torch.cat([shown_BN.unsqueeze(1), drawn_BSN], dim=1)


def _closeness(shown_BN: Tensor, candidates: int) -> Tensor:
    size = shown_BN.shape[1]
    fall_N = CLOSENESS * (size - torch.arange(size)) / size
    padded_BM = torch.zeros(len(shown_BN), candidates + 1)
    return padded_BM.scatter(1, shown_BN + 1, fall_N.expand_as(shown_BN))[:, 1:]


def _in_order(key_BSM: Tensor, requests: Requests, size: int) -> Tensor:
    """Fill slot after slot with the greatest key that is open there."""
    closed_BNM, filled_BN = closed_slots(requests, size), filled_slots(requests, size)
    left_BSM, chosen = key_BSM, []
    for slot in range(size):
        item_BS1 = left_BSM.masked_fill(closed_BNM[:, None, slot], -torch.inf).argmax(-1, keepdim=True)
        left_BSM = left_BSM.scatter(-1, item_BS1, -torch.inf)
        chosen.append(torch.where(filled_BN[:, None, slot, None], item_BS1, EMPTY))
    return torch.cat(chosen, dim=-1)
