from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from ranker.actor import Actor
from ranker.checkpoint import Checkpoint
from ranker.config import EvaluatorConfig, InputConfig
from ranker.errors import ModelInvalid
from ranker.evaluator import Evaluator
from ranker.utilities import UTILITY_NAMES
from tests.ranker.model.cases import SHAPE, SMALL, random_requests, random_weights


@pytest.fixture
def checkpoint() -> Checkpoint:
    torch.manual_seed(2)
    config = EvaluatorConfig(input=InputConfig(hidden=8), channel=8, heads=2, slate=6)
    evaluator = Evaluator(SHAPE, config).frozen()
    evaluator.scale_H.mul_(1.5)
    return Checkpoint(actor=Actor(SHAPE, SMALL), evaluator=evaluator, utilities=UTILITY_NAMES)


def test_a_checkpoint_read_back_ranks_and_predicts_the_same(checkpoint: Checkpoint, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "model.pt")
    read = Checkpoint.load(tmp_path / "model.pt")
    requests, weights_BK = random_requests(2, 8), random_weights(2)
    slate_BN = checkpoint.actor.greedy(requests, weights_BK, 4)
    assert torch.equal(read.actor.greedy(requests, weights_BK, 4), slate_BN)
    one, other = (c.evaluator.predict(requests, slate_BN[:, None]) for c in (checkpoint, read))
    assert torch.equal(one.purchase_BSN, other.purchase_BSN)
    assert (read.utilities, read.actor.config) == (UTILITY_NAMES, SMALL)
    assert [file.name for file in tmp_path.iterdir()] == ["model.pt"]


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_what_is_no_checkpoint_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "model.pt").write_bytes(content)
    with pytest.raises(ModelInvalid):
        Checkpoint.load(tmp_path / "model.pt")
    with pytest.raises(ModelInvalid):
        Checkpoint.load(tmp_path / "missing.pt")


def test_a_checkpoint_of_another_format_or_too_few_names_is_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    checkpoint.save(tmp_path / "model.pt")
    whole = torch.load(tmp_path / "model.pt", weights_only=True)
    torch.save({**whole, "format": 0}, tmp_path / "old.pt")
    with pytest.raises(ModelInvalid):
        Checkpoint.load(tmp_path / "old.pt")
    with pytest.raises(ModelInvalid):
        dataclasses.replace(checkpoint, utilities=("click",)).save(tmp_path / "few.pt")
