from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from ranker.actor import Actor
from ranker.checkpoint import FEATURES, NETWORKS, Checkpoint, input_shape
from ranker.config import EvaluatorConfig, InputConfig, InputShape
from ranker.data import check_log
from ranker.errors import ModelInvalid, UtilityUnknown
from ranker.evaluator import Evaluator
from ranker.features import FeatureEncoder, FeatureSpec
from ranker.requests import Requests
from ranker.utilities import UTILITY_NAMES, ColdStart, UtilityRegistry
from tests.ranker.data.logs import log, row
from tests.ranker.model.cases import SMALL, random_weights

SPEC = """
version: 1
user: [{name: visits, kind: numeric}, {name: device, kind: categorical, vocabulary: 4}]
item:
  shared: [{name: price, kind: numeric, transform: log1p}, {name: seller, kind: categorical, vocabulary: 6}]
  live: [{name: viewers, kind: numeric}]
"""
EVALUATOR = EvaluatorConfig(input=InputConfig(hidden=8), channel=8, heads=2, slate=6)
TABLE = check_log(log(row(), row(request_id="r2", price=[3.0, 40.0, 7.0]), row(request_id="r3", shown=[1, 0])))


def made(utilities: tuple[str, ...] = UTILITY_NAMES, seed: int = 2) -> Checkpoint:
    torch.manual_seed(seed)
    features = FeatureEncoder.fit(FeatureSpec.parse(SPEC), TABLE)
    shape = input_shape(features, utilities)
    evaluator = Evaluator(shape, EVALUATOR).frozen()
    evaluator.scale_H.mul_(1.5)
    return Checkpoint(actor=Actor(shape, SMALL), evaluator=evaluator, utilities=utilities, features=features)


def greedy(checkpoint: Checkpoint, requests: Requests) -> torch.Tensor:
    return checkpoint.actor.greedy(requests, random_weights(requests.B), 2)


def test_a_checkpoint_read_back_ranks_and_predicts_the_same(tmp_path: Path) -> None:
    checkpoint = made()
    checkpoint.save(tmp_path / "new")
    read = Checkpoint.load(tmp_path / "new")
    requests = read.features.requests(TABLE)
    slate_BN = greedy(checkpoint, requests)
    assert torch.equal(greedy(read, requests), slate_BN)
    one, other = (c.evaluator.predict(requests, slate_BN[:, None]) for c in (checkpoint, read))
    assert torch.equal(one.purchase_BSN, other.purchase_BSN)
    assert (read.utilities, read.actor.config, read.features) == (UTILITY_NAMES, SMALL, checkpoint.features)
    assert {file.name for file in (tmp_path / "new").iterdir()} == {NETWORKS, FEATURES}
    assert FeatureEncoder.parse((tmp_path / "new" / FEATURES).read_text()) == checkpoint.features


@pytest.mark.parametrize("left", [f"{NETWORKS}.new", FEATURES])
def test_a_crash_while_a_checkpoint_is_written_leaves_the_older_one_whole(left: str, tmp_path: Path) -> None:
    old = made()
    old.save(tmp_path)
    (tmp_path / left).write_text("half of what was to be wri")
    read = Checkpoint.load(tmp_path)
    requests = read.features.requests(TABLE)
    assert torch.equal(greedy(read, requests), greedy(old, requests))
    made(seed=5).save(tmp_path)
    assert not torch.equal(greedy(Checkpoint.load(tmp_path), requests), greedy(old, requests))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_what_is_no_checkpoint_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / NETWORKS).write_bytes(content)
    with pytest.raises(ModelInvalid):
        Checkpoint.load(tmp_path)
    with pytest.raises(ModelInvalid):
        Checkpoint.load(tmp_path / "missing")


def test_a_checkpoint_of_another_format_is_refused(tmp_path: Path) -> None:
    made().save(tmp_path)
    whole = torch.load(tmp_path / NETWORKS, weights_only=True)
    torch.save({**whole, "format": 0}, tmp_path / NETWORKS)
    with pytest.raises(ModelInvalid, match="format 0"):
        Checkpoint.load(tmp_path)
    torch.save({**whole, "features": "{}"}, tmp_path / NETWORKS)
    with pytest.raises(ModelInvalid, match="features"):
        Checkpoint.load(tmp_path)


def test_too_few_names_and_features_of_another_width_are_refused(tmp_path: Path) -> None:
    checkpoint = made()
    with pytest.raises(ModelInvalid, match="1 utilities"):
        dataclasses.replace(checkpoint, utilities=("click",)).save(tmp_path)
    wider = Actor(InputShape(user=50, item=2, vocabularies=(6,)), SMALL)
    with pytest.raises(ModelInvalid, match="another input"):
        dataclasses.replace(checkpoint, actor=wider).save(tmp_path)
    assert not list(tmp_path.iterdir())


def test_the_objective_is_over_the_checkpoint_s_utilities_with_its_evaluator() -> None:
    checkpoint = made(("gmv", "cold_start"))
    objective = checkpoint.objective()
    assert (objective.utilities.names, objective.evaluator) == (("gmv", "cold_start"), checkpoint.evaluator)
    with pytest.raises(UtilityUnknown):
        checkpoint.objective(UtilityRegistry((ColdStart(),)))
