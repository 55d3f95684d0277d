"""Whether two engines agree, on requests made up for it."""

# B batch, M candidates, L lists, N slate, K utilities

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

from ranker.actor import Actor
from ranker.config import SUPPLY_TYPES, InputShape
from ranker.hypernet import on_simplex
from ranker.objective import Objective
from ranker.requests import UNPINNED, Requests
from ranker.scorer.lists import Engine

REQUESTS: Final = 3
CANDIDATES: Final = 17
SIZE: Final = 5
NEAR: Final = 1e-3
"""Largest difference of a utility or of a slate's log-probability that is put down to rounding."""


@torch.inference_mode()
def disagreement(actor: Actor, objective: Objective, engine: Engine) -> str | None:
    """Say what an engine computes otherwise than PyTorch does, None if nothing."""
    shape = actor.shape
    size = SIZE if objective.evaluator is None else min(SIZE, objective.evaluator.config.slate)
    requests = probe_requests(shape)
    generator = torch.Generator().manual_seed(0)
    weights_BK = on_simplex(0.01 + torch.rand(requests.B, shape.utilities, generator=generator))
    parameters = [engine.prepared(actor.condition(weights_BK[[row]])) for row in range(requests.B)]
    slate_BN = engine.greedy(requests, parameters, size)
    expected_BN = actor.write(requests, actor.condition(weights_BK), size)
    both_BSN = torch.stack([slate_BN, expected_BN], dim=1)
    likely_BS = actor.log_prob(requests, weights_BK, both_BSN).log_prob_BSN.sum(-1)
    if not torch.allclose(likely_BS[:, 0], likely_BS[:, 1], atol=NEAR):
        return "it writes other greedy slates"
    lists = engine.lists(requests, weights_BK, parameters, size)
    if not torch.allclose(objective.values(requests, lists.slate_BLN), lists.utility_BLK, atol=NEAR):
        return "it gives slates other utilities"
    return None


def probe_requests(shape: InputShape) -> Requests:
    """Make up ragged requests with a pin and a ban, the same every time."""
    requests = made_up(shape, batch=REQUESTS, candidates=CANDIDATES, seed=0)
    requests.pinned_BM[0, 3], requests.forbidden_BM[1, 2] = 1, True
    requests.valid_BM[1, -4:] = requests.valid_BM[2, -9:] = False
    return requests


def made_up(shape: InputShape, *, batch: int, candidates: int, seed: int) -> Requests:
    """Make up requests of some shape: what they say means nothing, but they take as long as others."""
    generator = torch.Generator().manual_seed(seed)
    lead = (batch, candidates)

    def number(*size: int) -> Tensor:
        return torch.randn(size, generator=generator)

    def whole(high: int) -> Tensor:
        return torch.randint(high, lead, generator=generator)

    ids = [whole(entries + 1) for entries in shape.vocabularies]
    age_days_BM = 10 * number(*lead).exp()
    return Requests(
        user_BF=number(batch, shape.user),
        item_BMF=number(*lead, shape.item),
        item_id_BMC=torch.stack(ids, dim=-1) if ids else torch.zeros(*lead, 0, dtype=torch.int64),
        valid_BM=torch.ones(lead, dtype=torch.bool),
        price_BM=20 * number(*lead).exp(),
        age_days_BM=age_days_BM,
        seller_BM=whole(max(3, candidates // 3)),
        category_BM=whole(5),
        group_BM=whole(shape.groups + 1),
        supply_type_BM=whole(SUPPLY_TYPES),
        is_new_BM=age_days_BM < 7,
        pinned_BM=torch.full(lead, UNPINNED),
        forbidden_BM=torch.zeros(lead, dtype=torch.bool),
    )
