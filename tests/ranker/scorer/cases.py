"""Small untrained networks, and requests with everything that a request may have."""

from __future__ import annotations

import torch
from hypothesis import strategies as st
from torch import Tensor

from ranker.actor import Actor
from ranker.checkpoint import Checkpoint, input_shape
from ranker.config import ActorConfig, EvaluatorConfig, InputConfig
from ranker.evaluator import Evaluator
from ranker.features import FeatureEncoder, FeatureSpec
from ranker.objective import Objective
from ranker.requests import Requests
from ranker.utilities import UTILITY_NAMES, default_utilities
from tests.ranker.data.logs import log, row
from tests.ranker.model.cases import SHAPE, SMALL, random_requests, random_weights, replaced

SMALL_EVALUATOR = EvaluatorConfig(input=InputConfig(id_width=3, hidden=8), channel=8, heads=2, slate=9)
SEEDS = st.integers(0, 100_000)

LOG = log(row(), row(request_id="r2", price=[3.0, 40.0, 7.0]), row(request_id="r3", shown=[1, 0]))
SPEC = """
version: 1
user: [{name: visits, kind: numeric}, {name: device, kind: categorical, vocabulary: 4}]
item:
  shared: [{name: price, kind: numeric, transform: log1p}, {name: seller, kind: categorical, vocabulary: 6}]
  live: [{name: viewers, kind: numeric}]
"""


def checkpoint() -> Checkpoint:
    """An untrained checkpoint for logs like `LOG`."""
    torch.manual_seed(0)
    features = FeatureEncoder.fit(FeatureSpec.parse(SPEC), LOG)
    shape = input_shape(features, UTILITY_NAMES)
    evaluator = Evaluator(shape, SMALL_EVALUATOR).frozen()
    return Checkpoint(actor=Actor(shape, SMALL), evaluator=evaluator, utilities=UTILITY_NAMES, features=features)


def networks(
    actor: ActorConfig = SMALL, evaluator: EvaluatorConfig = SMALL_EVALUATOR, seed: int = 0
) -> tuple[Actor, Objective]:
    """An actor and what it is to maximise, with scores that differ enough to rank by."""
    torch.manual_seed(seed)
    made = Evaluator(SHAPE, evaluator)
    made.scale_H.mul_(torch.tensor([3.0, 4.0, 2.0, 5.0]))
    made.shift_H.add_(torch.tensor([-0.3, 0.2, 0.1, -0.1]))
    return Actor(SHAPE, actor).eval(), Objective(utilities=default_utilities(), evaluator=made.frozen())


def ragged_requests(batch: int, candidates: int, size: int, seed: int) -> Requests:
    """Requests with padding between the candidates, pins and bans, each with enough candidates for `size`."""
    generator = torch.Generator().manual_seed(seed)
    rank_BM = torch.rand(batch, candidates, generator=generator).argsort(-1)
    extra_B1 = torch.randint(candidates - size + 1, (batch, 1), generator=generator)
    valid_BM = rank_BM < size + extra_B1
    # What isn't among the first `size` may be forbidden, what is may be pinned.
    forbidden_BM = (rank_BM >= size) & (torch.rand(batch, candidates, generator=generator) < 0.2)
    slot_BM = torch.rand(batch, size, generator=generator).argsort(-1).gather(1, rank_BM.clamp(max=size - 1))
    may_BM = (rank_BM < size) & (torch.rand(batch, candidates, generator=generator) < 0.2)
    return replaced(
        random_requests(batch, candidates, seed),
        valid_BM=valid_BM,
        forbidden_BM=forbidden_BM & valid_BM,
        pinned_BM=torch.where(may_BM, slot_BM, -1),
    )


def mixed_weights(batch: int, seed: int) -> Tensor:
    """Weights from the inside of the simplex and from its corners."""
    corner_BK = torch.eye(SHAPE.utilities)[torch.arange(batch) % SHAPE.utilities]
    inside_BK = random_weights(batch, seed)
    return torch.where(torch.arange(batch)[:, None] % 3 == seed % 3, corner_BK, inside_BK)
