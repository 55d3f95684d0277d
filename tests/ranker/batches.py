"""Random batches of requests, slates and predictions."""

# B batch, M candidates, S slates a request, N slate

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import Tensor

from ranker.requests import EMPTY, Requests, SlatePredictions


def random_requests(seed: int, batch: int = 3, candidates: int = 7, *, fewest: int = 1) -> Requests:
    """Ragged requests of few sellers, categories and groups, so that items repeat them."""
    generator = torch.Generator().manual_seed(seed)
    shape = (batch, candidates)

    def uniform(*size: int) -> Tensor:
        return torch.rand(*size, generator=generator)

    def integers(high: int) -> Tensor:
        return torch.randint(high, shape, generator=generator) * valid_BM

    count_B = torch.randint(fewest, candidates + 1, (batch,), generator=generator)
    valid_BM = torch.arange(candidates) < count_B[:, None]
    return Requests(
        user_BF=uniform(batch, 3),
        item_BMF=uniform(*shape, 4) * valid_BM[..., None],
        item_id_BMC=integers(5)[..., None].expand(-1, -1, 2).contiguous(),
        valid_BM=valid_BM,
        price_BM=uniform(*shape) * 50 * valid_BM,
        age_days_BM=uniform(*shape) * 30 * valid_BM,
        seller_BM=integers(4),
        category_BM=integers(3),
        group_BM=integers(3),
        supply_type_BM=integers(4),
        is_new_BM=(uniform(*shape) < 0.4) & valid_BM,
        pinned_BM=torch.full(shape, -1),
        forbidden_BM=torch.zeros(shape, dtype=torch.bool),
    )


def random_slates(seed: int, requests: Requests, slates: int = 4, size: int = 5) -> Tensor:
    """Slates of some of each request's candidates, of different lengths, some empty."""
    generator = torch.Generator().manual_seed(seed)
    rank_BSM = torch.rand(requests.B, slates, requests.M, generator=generator) + requests.valid_BM[:, None]
    order_BSM = rank_BSM.argsort(descending=True)[..., :size]
    slate_BSN = torch.nn.functional.pad(order_BSM, (0, max(size - requests.M, 0)), value=EMPTY)
    length_BS1 = torch.randint(size + 1, (requests.B, slates, 1), generator=generator)
    most_B11 = torch.minimum(requests.valid_BM.sum(1), torch.tensor(size))[:, None, None]
    return torch.where(torch.arange(size) < torch.minimum(length_BS1, most_B11), slate_BSN, EMPTY)


def random_predictions(seed: int, slate_BSN: Tensor) -> SlatePredictions:
    generator = torch.Generator().manual_seed(seed)
    click_BSN, purchase_BSN = torch.rand(2, *slate_BSN.shape, generator=generator)
    satisfaction_BS, retention_BS = torch.rand(2, *slate_BSN.shape[:2], generator=generator)
    return SlatePredictions(
        click_BSN=click_BSN, purchase_BSN=purchase_BSN, satisfaction_BS=satisfaction_BS, retention_BS=retention_BS
    )


seeds = st.integers(0, 2**32 - 1)
