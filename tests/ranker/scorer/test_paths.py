"""Which path ranks, and that it says so."""

from __future__ import annotations

import logging
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ranker.errors import DependencyMissing
from ranker.objective import Objective
from ranker.scorer import Scorer, ScorerConfig
from ranker.scorer.conditions import Conditions
from ranker.scorer.library import load_library
from ranker.scorer.probe import disagreement
from ranker.utilities import Diversity, default_utilities, mean_of_shown, of_items
from tests.ranker.model.cases import random_requests, random_weights
from tests.ranker.scorer.cases import networks


class Cheapness:
    """A utility that no kernel knows."""

    name = "gmv"

    def value(self, slate_BSN: Tensor, requests: object, predictions: object) -> Tensor:
        del predictions
        return mean_of_shown(1 / (1 + of_items(requests.price_BM, slate_BSN)), slate_BSN)  # type: ignore[attr-defined]


@pytest.mark.parametrize("utility", [Cheapness(), Diversity(measure="alpha_ndcg")])
def test_a_utility_of_ones_own_is_ranked_by_on_the_eager_path(
    utility: Diversity, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    actor, objective = networks()
    objective = replace(objective, utilities=default_utilities().replacing(utility))
    with caplog.at_level(logging.WARNING):
        scorer = Scorer(actor, objective, config=ScorerConfig(cache=tmp_path))
    assert scorer.path == "eager"
    assert utility.name in str(scorer.eager_reason)
    assert "eager path" in caplog.text
    assert scorer.rank(random_requests(1, 8), random_weights(1), 4).slate_BN.shape == (1, 4)


def test_without_an_evaluator_the_eager_path_ranks() -> None:
    actor, objective = networks()
    kept = ("diversity", "cold_start", "group_order")
    shape = replace(actor.shape, utilities=len(kept))
    torch.manual_seed(0)
    actor = type(actor)(shape, actor.config)
    scorer = Scorer(actor, Objective(utilities=objective.utilities.only(kept)))
    assert scorer.path == "eager"
    ranked = scorer.rank(random_requests(2, 8), torch.tensor([[0.2, 0.5, 0.3]] * 2), 4)
    assert ranked.utility_BK.shape == (2, 3)


def test_without_a_compiler_the_eager_path_ranks_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with caplog.at_level(logging.WARNING):
        scorer = Scorer(*networks(), config=ScorerConfig(cache=tmp_path))
    assert (scorer.path, scorer.eager_reason) == ("eager", "there is no C++ compiler")
    assert "no C++ compiler" in caplog.text


def test_a_compiler_that_fails_is_reported_with_what_it_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "g++"
    broken.write_text("#!/bin/sh\necho 'no such flag' >&2\nexit 1\n")
    broken.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyMissing, match="no such flag"):
        load_library(tmp_path / "cache")


def test_the_kernels_are_compiled_once(compiled: Scorer, kernels: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(list(kernels.iterdir())) == 1
    monkeypatch.setenv("PATH", "")
    assert Scorer(*networks(), config=ScorerConfig(cache=kernels)).path == "compiled"


def test_a_library_that_others_could_have_written_is_not_loaded(
    compiled: Scorer, kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (library,) = kernels.iterdir()
    os.link(library, tmp_path / library.name)
    tmp_path.chmod(0o777)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DependencyMissing, match="no C\\+\\+ compiler"):
        load_library(tmp_path)


def test_a_cache_that_cannot_be_written_is_replaced_by_a_folder_of_its_own(
    compiled: Scorer, kernels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (library,) = kernels.iterdir()
    compiler = tmp_path / "g++"
    compiler.write_text(f'#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\n/bin/cp {library} "$2"\n')
    compiler.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    taken = tmp_path / "file"
    taken.write_text("not a folder")
    load_library(taken)
    assert [path.parent.parent for path in tmp_path.glob("ranker-kernels-*/*.so")] == [tmp_path]


def test_what_is_no_library_is_reported(compiled: Scorer, kernels: Path, tmp_path: Path) -> None:
    (library,) = kernels.iterdir()
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o700)
    (folder / library.name).write_bytes(b"not a library")
    with pytest.raises(DependencyMissing, match="can't be loaded"):
        load_library(folder)


def test_an_engine_that_computes_something_else_is_found_out(compiled: Scorer) -> None:
    actor, objective = networks()
    assert disagreement(actor, objective, compiled._engine) is None
    other_actor, other_objective = networks(seed=1)
    assert "greedy" in str(disagreement(other_actor, objective, compiled._engine))
    assert "utilities" in str(disagreement(actor, other_objective, compiled._engine))


def test_threads_may_share_a_scorer(compiled: Scorer) -> None:
    batches = [(random_requests(2, 10 + seed, seed), random_weights(2, seed)) for seed in range(12)]
    expected = [compiled.rank(requests, weights_BK, 5).slate_BN for requests, weights_BK in batches]
    with ThreadPoolExecutor(4) as pool:
        ranked = pool.map(lambda batch: compiled.rank(*batch, 5).slate_BN, batches * 3)
        assert all(torch.equal(*pair) for pair in zip(ranked, expected * 3, strict=True))


def test_conditions_are_made_once_and_the_oldest_given_up() -> None:
    actor, _ = networks()
    made: list[dict[str, Tensor]] = []
    conditions = Conditions(actor, lambda sensitive: made.append(sensitive) or len(made), most=2)
    first, second, third = (random_weights(1, seed) for seed in range(3))
    assert [one.parameters for one in conditions.of(torch.cat([first, second, first]))] == [1, 2, 1]
    assert conditions.of(third)[0].parameters == 3
    assert len(conditions) == 2
    assert conditions.of(first)[0].parameters == 1
    assert conditions.of(second)[0].parameters == 4
