"""Every choice beside others that could have been made in its place.

One slate is drawn from the actor, and in each slot K candidates are tried: what was chosen, and the next of the same
draw without replacement (Gumbel top-k, Kool et al. 2019, "Stochastic Beams"). A candidate that is tried takes the
slot; where it stands in another already, the two change places. With R_tk the reward of the slate after that,

    gradient = sum_t sum_k grad p_tk (R_tk - sum_j p_tj R_tj) / scale,    p_t the actor's probabilities among the K

which is the expectation over a slot's choices in full, as in the local expectation gradient (Titsias and
Lázaro-Gredilla 2015), in place of the one sample of REINFORCE. It is exact where later choices don't depend on this
one, and holds them fixed where they do. K N rewards a request say more than as many slates of their own would.

The scale is the request's own spread of rewards: a utility that moves by hundredths then teaches as much as one that
moves by tenths.

B batch, M candidates, N slate, K tried, V = N K.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor

from ranker.masks import REFUSED, filled_slots
from ranker.requests import Requests

LEAST_SPREAD: Final = 1e-5
"""Rewards that differ less than this are alike, and aren't scaled up."""
LEAST_CHANCE: Final = 1e-12
"""Keeps the logarithms of random numbers finite."""


@dataclass(slots=True)
class Trial:
    """Chooses slot by slot, and remembers what else could be tried there."""

    count: int
    """Candidates tried in a slot, at most."""
    generator: torch.Generator
    item: list[Tensor] = field(default_factory=list)
    log_prob: list[Tensor] = field(default_factory=list)

    def choose(self, slot: int, log_prob_BM: Tensor) -> Tensor:
        """Give the first of the draw, which is a sample of the actor."""
        del slot
        chance_BM = torch.rand(log_prob_BM.shape, generator=self.generator).clamp(min=LEAST_CHANCE)
        key_BM = log_prob_BM.detach() - (-chance_BM.log()).clamp(min=LEAST_CHANCE).log()
        tried_BK = key_BM.topk(min(self.count, key_BM.shape[1]), dim=-1).indices
        self.item.append(tried_BK)
        self.log_prob.append(log_prob_BM.gather(1, tried_BK))
        return tried_BK[:, 0]

    @property
    def item_BNK(self) -> Tensor:  # noqa: N802
        """What was tried."""
        return torch.stack(self.item, dim=1)

    @property
    def log_prob_BNK(self) -> Tensor:  # noqa: N802
        """The actor's log-probabilities of it, with gradients."""
        return torch.stack(self.log_prob, dim=1)


def exchanged(slate_BN: Tensor, item_BNK: Tensor) -> Tensor:
    """Give the slates with each item in its slot, as `slate_BVN`; what stood there goes where the item came from."""
    slot_NN = torch.eye(slate_BN.shape[1], dtype=torch.bool)[:, None]
    item_BNK1, slate_B11N = item_BNK.unsqueeze(-1), slate_BN[:, None, None]
    moved_BNKN = torch.where(slate_B11N == item_BNK1, slate_BN[:, :, None, None], slate_B11N)
    return torch.where(slot_NN, item_BNK1, moved_BNKN).flatten(1, 2)


def tried_slates(requests: Requests, slate_BN: Tensor, item_BNK: Tensor) -> Tensor:
    """Give the slates to be valued, as `slate_BVN`: the one drawn in place of what would fill a slot left empty."""
    slate_BVN = exchanged(slate_BN, item_BNK)
    filled_BN1 = filled_slots(requests, slate_BN.shape[1]).unsqueeze(-1)
    filled_BV1 = filled_BN1.expand_as(item_BNK).flatten(1).unsqueeze(-1)
    return torch.where(filled_BV1, slate_BVN, slate_BN.unsqueeze(1))


def exchange_loss(log_prob_BNK: Tensor, reward_BNK: Tensor) -> Tensor:
    """What training descends; a candidate that the slot isn't open to has no part in it."""
    open_BNK = log_prob_BNK.detach() > REFUSED / 2
    share_BNK = log_prob_BNK.softmax(-1)
    better_BNK = reward_BNK - (share_BNK.detach() * reward_BNK).sum(-1, keepdim=True)
    better_BNK = torch.where(open_BNK, better_BNK, 0.0)
    count_B11 = open_BNK.sum((1, 2), keepdim=True).clamp(min=1)
    spread_B11 = (better_BNK.square().sum((1, 2), keepdim=True) / count_B11).sqrt()
    advantage_BNK = better_BNK / spread_B11.clamp(min=LEAST_SPREAD)
    return -(share_BNK * advantage_BNK).sum((1, 2)).mean()
