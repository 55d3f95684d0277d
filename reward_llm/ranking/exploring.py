"""Slates that are shown to learn from, and with which probability each item came to its place.

With the probability 1 - share the best slate is shown, else one of these, each as likely as the others:

    orders of the open candidates, each one turned by 0, 1, 2, … places and cut to the slate
      └─► those that keep the rules      pinned items stay in their slots in all of them

In all turns of an order every candidate comes to every place once. So what may be shown somewhere is shown there
about equally often, and how likely it was follows from counting: exactly, and whatever the rules leave out.
"""

# L slates, M candidates, N slate

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ranker.requests import UNPINNED, Requests
from ranker.rules import Rules

ORDERS: Final = 4
"""With several, a rule that leaves out an item's place in one of them hardly does in all."""
_SEED: Final = 0
"""The orders are the same for every request: only the choice among them is drawn."""


@dataclass(frozen=True, slots=True)
class Explored:
    """A slate to show, and with which probability each of its items came to its place."""

    slate_N: Tensor
    propensity_N: Tensor
    is_best: bool


def explored(best_N: Tensor, requests: Requests, rules: Rules, share: float, generator: random.Random) -> Explored:
    """The best slate, or with the probability `share` another one that keeps the rules, where there are any.

    Args:
        best_N: What is shown otherwise.
        requests: One request.
        rules: What no slate may break.
        share: How often to explore, 0 to 1.
        generator: Draws.
    """
    slate_LN = exploring_slates(requests, len(best_N), rules)
    if not len(slate_LN):
        return Explored(best_N, torch.ones(len(best_N), dtype=torch.float64), is_best=True)
    is_best = generator.random() >= share
    shown_N = best_N if is_best else slate_LN[generator.randrange(len(slate_LN))]
    return Explored(shown_N, propensities(shown_N, best_N, slate_LN, share), is_best)


def exploring_slates(requests: Requests, size: int, rules: Rules) -> Tensor:
    """The slates of one request that exploring chooses from, as `slate_LN`; none if every place is pinned."""
    pinned_M = requests.pinned_BM[0]
    open_I = (requests.allowed_BM[0] & (pinned_M == UNPINNED)).nonzero()[:, 0]
    is_free_N = torch.ones(size, dtype=torch.bool)
    is_free_N[pinned_M[pinned_M != UNPINNED]] = False
    free = int(is_free_N.sum())
    if not free:
        return torch.empty(0, size, dtype=torch.int64)
    generator = torch.Generator().manual_seed(_SEED)
    turn_IN = (torch.arange(len(open_I))[:, None] + torch.arange(free)) % len(open_I)
    orders = [open_I[torch.randperm(len(open_I), generator=generator)] for _ in range(ORDERS)]
    slate_LN = torch.empty(ORDERS * len(open_I), size, dtype=torch.int64)
    slate_LN[:, is_free_N] = torch.cat([order_I[turn_IN] for order_I in orders])
    for item in (pinned_M != UNPINNED).nonzero()[:, 0].tolist():
        slate_LN[:, pinned_M[item]] = item
    return slate_LN[_keeps(rules, slate_LN, requests)]


def propensities(shown_N: Tensor, best_N: Tensor, slate_LN: Tensor, share: float) -> Tensor:
    """With which probability each item of a slate comes to its place."""
    explored_N = (slate_LN == shown_N).double().mean(0)
    return (1 - share) * (shown_N == best_N).double() + share * explored_N


def _keeps(rules: Rules, slate_LN: Tensor, requests: Requests) -> Tensor:
    """Which of the slates break no rule."""
    count = len(slate_LN)
    alike = {name: value.expand(count, *value.shape[1:]) for name, value in requests.tensors().items()}
    keeps_L = torch.ones(count, dtype=torch.bool)
    for breach in rules.breaches(slate_LN, Requests(**alike)):
        keeps_L[breach.row] = False
    return keeps_L
