"""Random requests, small enough to enumerate."""

from __future__ import annotations

import torch
from torch import Tensor

from ranker.config import ActorConfig, HypernetConfig, InputConfig, InputShape
from ranker.requests import LoggedLists, Requests

SHAPE = InputShape(user=4, item=5, vocabularies=(12, 7))
SMALL = ActorConfig(input=InputConfig(id_width=3, hidden=8), hidden=8, attention=8, hypernet=HypernetConfig(hidden=8))


def random_requests(batch: int, candidates: int, seed: int = 0) -> Requests:
    """Requests with repeated sellers, some unknown ids, some new items and no pins."""
    generator = torch.Generator().manual_seed(seed)

    def whole(high: int, *shape: int) -> Tensor:
        return torch.randint(high, shape, generator=generator)

    def number(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator)

    age_BM = number(batch, candidates).exp() * 10
    return Requests(
        user_BF=number(batch, SHAPE.user),
        item_BMF=number(batch, candidates, SHAPE.item),
        item_id_BMC=torch.stack([whole(12, batch, candidates), whole(7, batch, candidates)], dim=-1),
        valid_BM=torch.ones(batch, candidates, dtype=torch.bool),
        price_BM=number(batch, candidates).exp() * 20,
        age_days_BM=age_BM,
        seller_BM=whole(max(3, candidates // 3), batch, candidates),
        category_BM=whole(5, batch, candidates),
        group_BM=whole(3, batch, candidates),
        supply_type_BM=whole(4, batch, candidates),
        is_new_BM=age_BM < 5,
        pinned_BM=torch.full((batch, candidates), -1),
        forbidden_BM=torch.zeros(batch, candidates, dtype=torch.bool),
    )


def random_weights(batch: int, seed: int = 0) -> Tensor:
    """Weights drawn uniformly from the simplex."""
    exponential_BK = torch.empty(batch, SHAPE.utilities).exponential_(generator=torch.Generator().manual_seed(seed))
    return exponential_BK / exponential_BK.sum(-1, keepdim=True)


def replaced(requests: Requests, **changes: Tensor) -> Requests:
    """The requests with other tensors in some fields."""
    return Requests(**{**requests.tensors(), **changes})


EXAMINATION = (1.0, 0.8, 0.65, 0.5, 0.4, 0.3)
"""Of the positions of `logged_lists`."""


def attraction(requests: Requests) -> Tensor:
    """The true log-odds that an examined item of `logged_lists` is clicked: what the user and the item share."""
    return 1.5 * requests.item_BMF[..., 0] + requests.user_BF[:, :1] * requests.item_BMF[..., 1] - 1


def logged_lists(count: int, candidates: int, size: int, seed: int = 0) -> LoggedLists:
    """Lists of a noisy ranker that puts attractive items first, and users who tire of one seller.

    Clicks follow the examination hypothesis; half of the clicks on cheap items end in a purchase.
    """
    generator = torch.Generator().manual_seed(seed)
    requests = random_requests(count, candidates, seed)
    noise_BM = torch.randn(count, candidates, generator=generator)
    shown_BN = (attraction(requests) + noise_BM).topk(size).indices
    seller_BN = requests.seller_BM.gather(1, shown_BN)
    repeats_BN = (seller_BN.unsqueeze(2) == seller_BN.unsqueeze(1)).tril(-1).sum(-1)
    attracted_BN = (attraction(requests).gather(1, shown_BN) - 0.7 * repeats_BN).sigmoid()
    click_BN = torch.rand(count, size, generator=generator) < attracted_BN * torch.tensor(EXAMINATION[:size])
    cheap_BN = requests.price_BM.gather(1, shown_BN) < 20
    purchase_BN = click_BN & cheap_BN & (torch.rand(count, size, generator=generator) < 0.5)
    dwell_BN = click_BN * torch.empty(count, size).exponential_(1 / 60, generator=generator)
    returned_B = torch.rand(count, generator=generator) < 0.2 + 0.12 * click_BN.sum(-1)
    return LoggedLists(
        requests=requests,
        shown_BN=shown_BN,
        click_BN=click_BN,
        purchase_BN=purchase_BN,
        dwell_BN=dwell_BN,
        returned_B=returned_B,
        timestamp_B=torch.arange(count),
    )
