from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from ranker.checkpoint import Checkpoint
from ranker.errors import ModelInvalid, UtilityInvalid, UtilityUnknown
from ranker.objective import Objective
from ranker.training.lessons import Lessons
from ranker.training.ranges import fitted_ranges
from ranker.training.teacher import marginal_greedy
from ranker.utilities import Rescaled, default_utilities, stretched
from tests.ranker.model.cases import random_requests
from tests.ranker.scorer.cases import checkpoint, networks

OBJECTIVE = networks()[1]
LESSONS = Lessons(requests=random_requests(12, 9), shown_BN=torch.arange(4).expand(12, -1))


def ranges(**changes: int) -> dict[str, tuple[float, float]]:
    return fitted_ranges(OBJECTIVE, LESSONS, 4, **{"requests": 12, "seed": 0, **changes})


def test_what_is_predicted_gets_a_range_and_what_is_a_share_keeps_its_own() -> None:
    found = ranges()
    assert set(found) == {"click", "gmv", "satisfaction", "retention"}
    assert all(0 <= low < high <= 1 for low, high in found.values())


def test_logged_random_and_best_slates_fill_the_range() -> None:
    scaled = Objective(utilities=stretched(OBJECTIVE.utilities, ranges()), evaluator=OBJECTIVE.evaluator)
    assert LESSONS.shown_BN is not None
    for place in range(4):
        corner_BK = torch.eye(7)[place].expand(12, -1)
        best_BN = marginal_greedy(OBJECTIVE, LESSONS.requests, corner_BK, 4)
        best_BK = scaled.values(LESSONS.requests, best_BN[:, None])[:, 0]
        shown_BK = scaled.values(LESSONS.requests, LESSONS.shown_BN[:, None])[:, 0]
        assert best_BK[:, place].max() > 0.9
        assert best_BK[:, place].mean() > shown_BK[:, place].mean()


def test_the_same_seed_finds_the_same_ranges() -> None:
    assert ranges(seed=3, requests=6) == ranges(seed=3, requests=6) != ranges(seed=4, requests=6)


def test_no_requests_and_nothing_predicted_leave_all_scales() -> None:
    assert ranges(requests=0) == {}
    formulas = Objective(utilities=default_utilities().only(["diversity", "cold_start"]))
    assert fitted_ranges(formulas, LESSONS, 4, requests=12, seed=0) == {}


def test_a_utility_that_never_moves_is_not_stretched() -> None:
    free = dataclasses.replace(LESSONS, requests=dataclasses.replace(LESSONS.requests, price_BM=torch.zeros(12, 9)))
    assert set(fitted_ranges(OBJECTIVE, free, 4, requests=12, seed=0)) == {"click", "satisfaction", "retention"}


def test_requests_shorter_than_the_slates_have_ranges_too() -> None:
    few = Lessons(requests=random_requests(5, 3))
    assert set(fitted_ranges(OBJECTIVE, few, 4, requests=5, seed=0)) >= {"click"}


def test_stretched_utilities_keep_their_names_and_places() -> None:
    registry = stretched(default_utilities(), {"gmv": (0.0, 0.01)})
    assert registry.names == default_utilities().names
    assert isinstance(registry["gmv"], Rescaled)
    assert stretched(registry, {"gmv": (0.0, 0.5)}) == registry
    with pytest.raises(UtilityUnknown):
        stretched(default_utilities(), {"joy": (0.0, 1.0)})
    with pytest.raises(UtilityInvalid):
        stretched(default_utilities(), {"gmv": (0.5, 0.5)})


def test_a_checkpoint_keeps_its_ranges(tmp_path: Path) -> None:
    kept = dataclasses.replace(checkpoint(), ranges={"click": (0.1, 0.4)})
    kept.save(tmp_path)
    read = Checkpoint.load(tmp_path)
    assert read.ranges == {"click": (0.1, 0.4)}
    click = read.objective().utilities["click"]
    assert isinstance(click, Rescaled)
    assert (click.low, click.high) == (0.1, 0.4)


def test_ranges_of_other_utilities_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid, match="ranges"):
        dataclasses.replace(checkpoint(), ranges={"joy": (0.1, 0.4)}).save(tmp_path)
