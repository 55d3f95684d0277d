from __future__ import annotations

import dataclasses
import math
from xml.etree import ElementTree

import pytest
import torch

from ranker.actor import Actor
from ranker.checkpoint import Checkpoint, input_shape
from ranker.data import check_log
from ranker.errors import FeatureSpecInvalid, LogInvalid
from ranker.evaluator import Evaluator
from ranker.features import FeatureEncoder, shipped_spec
from ranker.training.assessment import Assessment, AssessmentConfig, assess
from ranker.training.assessment_page import assessment_page
from ranker.training.quality import LISTS_AT_ONCE, Outcomes, evaluator_report, outcomes, reliability
from ranker.utilities import UTILITY_NAMES
from tests.ranker.data.logs import log, row
from tests.ranker.model.cases import SHAPE, SMALL, logged_lists
from tests.ranker.training.logs import small_log, small_recipe


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    torch.manual_seed(4)
    features = FeatureEncoder.fit(shipped_spec(), small_log())
    shape = input_shape(features, UTILITY_NAMES)
    evaluator = Evaluator(shape, small_recipe().evaluator).frozen()
    return Checkpoint(
        actor=Actor(shape, SMALL).eval(), evaluator=evaluator, utilities=UTILITY_NAMES, features=features
    )


@pytest.fixture(scope="module")
def found(checkpoint: Checkpoint) -> Assessment:
    return assess(checkpoint, small_log(seed=1), AssessmentConfig(lists=200))


def test_rewards_of_one_utility_are_those_of_one_request_after_the_other(
    checkpoint: Checkpoint, found: Assessment
) -> None:
    lists = checkpoint.features.lists(small_log(seed=1))
    diversity = next(utility for utility in checkpoint.objective().utilities if utility.name == "diversity")
    weights_K = torch.eye(len(UTILITY_NAMES))[UTILITY_NAMES.index("diversity")]
    own, logged = [], []
    for place in range(lists.B):
        one = lists.select(slice(place, place + 1))
        slate_BN = checkpoint.actor.greedy(one.requests, weights_K[None], 4)
        own.append(diversity.value(slate_BN[:, None], one.requests, None).item())
        logged.append(diversity.value(one.shown_BN[:, None], one.requests, None).item())
    scores = next(scores for scores in found.actor if scores.weights == "diversity")
    assert scores.actor == pytest.approx(sum(own) / lists.B, abs=1e-5)
    assert scores.logged == pytest.approx(sum(logged) / lists.B, abs=1e-5)
    better = [mine > theirs + 1e-5 for mine, theirs in zip(own, logged, strict=True)]
    assert scores.better_than_logged == pytest.approx(sum(better) / lists.B)
    assert 0 < sum(better) < lists.B


def test_there_is_a_row_for_drawn_and_equal_weights_and_for_every_utility(found: Assessment) -> None:
    assert [scores.weights for scores in found.actor] == ["drawn", "equal", *UTILITY_NAMES]
    assert (found.size, found.actor_lists, found.evaluator.lists) == (4, 150, 150)
    # An actor that learned nothing isn't as good as a search for what is rewarded.
    assert all(scores.greedy > scores.actor for scores in found.actor if scores.weights in {"drawn", "diversity"})


def test_one_seed_gives_one_assessment_and_another_other_requests(checkpoint: Checkpoint) -> None:
    config = AssessmentConfig(lists=5)
    first = assess(checkpoint, small_log(seed=1), config)
    assert first == assess(checkpoint, small_log(seed=1), config)
    assert first.actor != assess(checkpoint, small_log(seed=1), dataclasses.replace(config, seed=1)).actor
    assert first.actor_lists == 5


def test_lists_that_are_too_short_are_left_out(checkpoint: Checkpoint) -> None:
    table = small_log(seed=1).slice(0, 30)
    shorter = [
        {**one, **{name: one[name][:2] for name in ("shown", "click", "purchase", "dwell_s", "propensity")}}
        for one in table.slice(0, 10).to_pylist()
    ]
    mixed = check_log(log(*shorter, *table.slice(10).to_pylist()))
    assert assess(checkpoint, mixed).actor_lists == 20
    with pytest.raises(LogInvalid, match="no list of the log has 5"):
        assess(checkpoint, mixed, AssessmentConfig(size=5))


def test_a_log_without_the_features_of_the_checkpoint_is_refused(checkpoint: Checkpoint) -> None:
    with pytest.raises(FeatureSpecInvalid, match="no column"):
        assess(checkpoint, log(row(), row(request_id="r2")))


@pytest.mark.parametrize("changes", [{"lists": 0}, {"bins": 0}, {"size": 0}, {"size": 51}])
def test_assessments_out_of_range_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="lists and bins"):
        AssessmentConfig(**changes)


def test_many_lists_are_predicted_in_parts_as_they_are_at_once() -> None:
    torch.manual_seed(1)
    evaluator = Evaluator(SHAPE, small_recipe().evaluator).frozen()
    lists = logged_lists(LISTS_AT_ONCE + 30, candidates=4, size=3)
    whole, tail = outcomes(evaluator, lists), outcomes(evaluator, lists.select(slice(LISTS_AT_ONCE, None)))
    assert set(whole) == {"click", "position", "purchase", "satisfaction", "retention"}
    for head, each in {"click": 3, "position": 3, "purchase": 3, "satisfaction": 1, "retention": 1}.items():
        assert len(whole[head].expected) == len(whole[head].came) == each * lists.B
        assert torch.allclose(whole[head].expected[-30 * each :], tail[head].expected, atol=1e-6)
        assert torch.equal(whole[head].came[-30 * each :], tail[head].came)


def test_positions_alone_tell_clicks_where_users_look_at_the_first_ones_only() -> None:
    evaluator = Evaluator(SHAPE, small_recipe().evaluator).frozen()
    evaluator.examination.take_over(torch.tensor([1.0, 0.5, 0.2]))
    lists = logged_lists(40, candidates=4, size=3)
    first_BN = torch.tensor([True, False, False]).expand(40, 3)
    report = evaluator_report(evaluator, dataclasses.replace(lists, click_BN=first_BN), bins=5)
    assert report.position_auc == 1.0
    none = evaluator_report(evaluator, dataclasses.replace(lists, click_BN=first_BN & False), bins=5)
    assert math.isnan(none.position_auc)


def test_reliability_sets_predictions_beside_what_came() -> None:
    expected, came = torch.tensor([0.9, 0.1, 0.8, 0.2]), torch.tensor([1.0, 0.0, 0.0, 1.0])
    low, high = reliability(Outcomes(expected=expected, came=came), 2)
    assert (low.expected, low.observed, high.expected, high.observed) == pytest.approx((0.15, 0.5, 0.85, 0.5))


def test_the_page_has_every_score_and_is_well_formed(found: Assessment) -> None:
    text = assessment_page(found, "A <small> ranker")
    root = ElementTree.fromstring(text.partition("</style>")[2].join(["<html>", ""]))  # noqa: S314 - our own page
    words = " ".join(root.itertext())
    assert "A <small> ranker" in words
    assert f"{found.evaluator.click_auc:.4f}" in words
    assert all(f"{scores.actor:.4f}" in words for scores in found.actor)
    assert len(root.findall(".//polyline")) == 2
