"""What serving promises, on the compiled path and on the eager one."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ranker.errors import (
    CandidatesMissing,
    FeatureNotFinite,
    LogInvalid,
    ModelInvalid,
    PinInvalid,
    RankerError,
    ShapeMismatch,
    UtilityUnknown,
    ValueOutOfRange,
    WeightsInvalid,
)
from ranker.requests import check_slates
from ranker.rules import MaxCount, MaxRun, PinsKept, Rules
from ranker.scorer import Scorer, ScorerConfig
from ranker.utilities import UTILITY_NAMES
from tests.ranker.data.logs import log
from tests.ranker.data.logs import row as logged_row
from tests.ranker.model.cases import SHAPE, random_requests, random_weights, replaced
from tests.ranker.scorer.cases import LOG, SEEDS, checkpoint, mixed_weights, networks, ragged_requests

CHOICES = settings(max_examples=20, deadline=None)
SIZES = {"size": st.integers(1, 7), "more": st.integers(0, 9)}


@pytest.fixture(params=["compiled", "eager"], scope="module")
def scorer(request: pytest.FixtureRequest) -> Scorer:
    made: Scorer = request.getfixturevalue(request.param)
    return made


@pytest.fixture(params=["compiled", "eager"], scope="module")
def unruled(request: pytest.FixtureRequest) -> Scorer:
    made: Scorer = request.getfixturevalue(request.param)
    return Scorer(*networks(), config=made.config, rules=Rules())


@CHOICES
@given(seed=SEEDS, **SIZES)
def test_masks_always_hold(scorer: Scorer, seed: int, size: int, more: int) -> None:
    requests = ragged_requests(2, size + more, size, seed)
    ranked = scorer.rank(requests, mixed_weights(2, seed), size)
    for slate_BN in (scorer.greedy(requests, mixed_weights(2, seed), size), ranked.slate_BN):
        check_slates(slate_BN[:, None], requests)
        assert requests.allowed_BM.gather(1, slate_BN).all()
        assert not PinsKept().broken(slate_BN, requests).any()


@CHOICES
@given(seed=SEEDS, **SIZES)
def test_a_permutation_of_the_candidates_permutes_nothing_in_the_result(
    unruled: Scorer, seed: int, size: int, more: int
) -> None:
    requests, weights_BK = ragged_requests(2, size + more, size, seed), mixed_weights(2, seed + 1)
    generator = torch.Generator().manual_seed(seed)
    order_BM = torch.rand(2, requests.M, generator=generator).argsort(-1)
    one, other = (unruled.rank(r, weights_BK, size) for r in (requests, requests.permuted(order_BM)))
    torch.testing.assert_close(one.reward_B, other.reward_B, atol=1e-5, rtol=0)
    torch.testing.assert_close(one.utility_BK, other.utility_BK, atol=1e-4, rtol=0)


def test_a_permutation_gives_the_same_items(unruled: Scorer) -> None:
    requests, weights_BK = ragged_requests(4, 15, 6, seed=3), random_weights(4)
    order_BM = torch.stack([torch.randperm(15, generator=torch.Generator().manual_seed(row)) for row in range(4)])
    moved_BN = unruled.rank(requests.permuted(order_BM), weights_BK, 6).slate_BN
    assert torch.equal(order_BM.gather(1, moved_BN), unruled.rank(requests, weights_BK, 6).slate_BN)


@CHOICES
@given(seed=SEEDS, filling=st.floats(-50, 50), **SIZES)
def test_padding_changes_nothing(scorer: Scorer, seed: int, filling: float, size: int, more: int) -> None:
    requests, weights_BK = ragged_requests(2, size + more, size, seed), mixed_weights(2, seed)
    padded = requests.padded_to(requests.M + 3)
    padding_BM = ~padded.valid_BM
    padded = replaced(
        padded,
        item_BMF=padded.item_BMF.masked_fill(padding_BM.unsqueeze(-1), filling),
        price_BM=padded.price_BM.masked_fill(padding_BM, abs(filling) * 100),
        seller_BM=padded.seller_BM.masked_fill(padding_BM, 1),
    )
    assert torch.equal(scorer.greedy(padded, weights_BK, size), scorer.greedy(requests, weights_BK, size))
    one, other = scorer.rank(requests, weights_BK, size), scorer.rank(padded, weights_BK, size)
    assert torch.equal(one.slate_BN, other.slate_BN)
    assert one.chosen == other.chosen


@CHOICES
@given(seed=SEEDS, scale=st.floats(1e-6, 1e6))
def test_scaled_weights_give_the_same_slate(scorer: Scorer, seed: int, scale: float) -> None:
    requests, weights_BK = ragged_requests(2, 12, 5, seed), mixed_weights(2, seed)
    one, other = scorer.rank(requests, weights_BK, 5), scorer.rank(requests, weights_BK * scale, 5)
    assert torch.equal(one.slate_BN, other.slate_BN)
    torch.testing.assert_close(one.reward_B, other.reward_B)


@CHOICES
@given(seed=SEEDS, **SIZES)
def test_what_is_shown_is_never_worth_less_than_the_greedy_list(
    unruled: Scorer, seed: int, size: int, more: int
) -> None:
    requests, weights_BK = ragged_requests(2, size + more, size, seed), mixed_weights(2, seed)
    ranked = unruled.rank(requests, weights_BK, size)
    greedy_BN = unruled.greedy(requests, weights_BK, size)
    both_BSN = torch.stack([ranked.slate_BN, greedy_BN], dim=1)
    reward_BS = unruled.objective.reward(requests, weights_BK, both_BSN)
    assert (reward_BS[:, 0] >= reward_BS[:, 1] - 1e-6).all()
    torch.testing.assert_close(ranked.reward_B, reward_BS[:, 0], atol=1e-5, rtol=0)
    value_BSK = unruled.objective.values(requests, ranked.slate_BN[:, None])
    torch.testing.assert_close(ranked.utility_BK, value_BSK[:, 0], atol=1e-5, rtol=0)


def test_each_request_is_ranked_as_it_is_alone(scorer: Scorer) -> None:
    requests, weights_BK = ragged_requests(5, 14, 5, seed=11), mixed_weights(5, 3)
    together = scorer.rank(requests, weights_BK, 5)
    for row in range(5):
        alone = scorer.rank(requests.select([row]), weights_BK[[row]], 5)
        assert torch.equal(alone.slate_BN[0], together.slate_BN[row])
        assert alone.chosen[0] == together.chosen[row]


def test_rivals_and_samples_win_where_the_actor_is_untrained(scorer: Scorer) -> None:
    ranked = scorer.rank(ragged_requests(8, 20, 6, seed=1), random_weights(8), 6)
    assert set(ranked.chosen) - {"actor"}


def test_the_best_list_that_keeps_the_rules_is_shown(scorer: Scorer) -> None:
    requests, weights_BK = ragged_requests(6, 16, 6, seed=5), random_weights(6)
    rules = Rules((MaxCount(of="category", most=2), MaxRun(of="seller", most=1)))
    strict = Scorer(*networks(), config=scorer.config, rules=rules)
    free = Scorer(*networks(), config=scorer.config, rules=Rules()).rank(requests, weights_BK, 6)
    ranked = strict.rank(requests, weights_BK, 6)
    broken = {breach.row for breach in rules.breaches(free.slate_BN, requests)}
    assert broken
    assert {breach.row for breach in ranked.breaches} == broken
    for row in range(6):
        assert (ranked.reward_B[row] < free.reward_B[row]) == (row in broken) or ranked.chosen[row] == "baseline"
    left = {breach.row for breach in ranked.unmet}
    assert left <= {row for row in range(6) if ranked.chosen[row] == "baseline"}
    assert {breach.row for breach in rules.breaches(ranked.slate_BN, requests)} == left


def test_the_baseline_is_shown_in_the_order_it_came_where_every_list_breaks_a_rule(scorer: Scorer) -> None:
    requests = random_requests(2, 9)
    pinned_BM, forbidden_BM = torch.full((2, 9), -1), torch.zeros(2, 9, dtype=torch.bool)
    pinned_BM[0, 7], forbidden_BM[0, 1] = 1, True
    seller_BM = torch.stack([torch.ones(9, dtype=torch.int64), torch.arange(1, 10)])
    requests = replaced(requests, seller_BM=seller_BM, pinned_BM=pinned_BM, forbidden_BM=forbidden_BM)
    ranked = scorer.rank(requests, random_weights(2), 5)
    assert ranked.slate_BN[0].tolist() == [0, 7, 2, 3, 4]
    assert ranked.chosen[0] == "baseline"
    assert ranked.chosen[1] != "baseline"
    assert [breach.rule for breach in ranked.unmet] == ["max_run(seller, 3)"]
    value_BSK = scorer.objective.values(requests, ranked.slate_BN[:, None])
    torch.testing.assert_close(ranked.utility_BK, value_BSK[:, 0], atol=1e-5, rtol=0)


BAD: dict[str, tuple[type[RankerError], dict[str, torch.Tensor]]] = {
    "no candidate": (CandidatesMissing, {"valid_BM": torch.zeros(1, 6, dtype=torch.bool)}),
    "fewer candidates than slots": (CandidatesMissing, {"valid_BM": torch.arange(6)[None] < 3}),
    "only bans": (CandidatesMissing, {"forbidden_BM": torch.ones(1, 6, dtype=torch.bool)}),
    "NaN features": (FeatureNotFinite, {"item_BMF": torch.full((1, 6, SHAPE.item), math.nan)}),
    "an infinite price": (FeatureNotFinite, {"price_BM": torch.full((1, 6), math.inf)}),
    "a negative age": (ValueOutOfRange, {"age_days_BM": torch.full((1, 6), -1.0)}),
    "a negative id": (ValueOutOfRange, {"item_id_BMC": torch.full((1, 6, 2), -1)}),
    "an unknown supply type": (ValueOutOfRange, {"supply_type_BM": torch.full((1, 6), 4)}),
    "two pins to a slot": (PinInvalid, {"pinned_BM": torch.ones(1, 6, dtype=torch.int64)}),
    "a pin beyond the slate": (PinInvalid, {"pinned_BM": torch.tensor([[5, -1, -1, -1, -1, -1]])}),
    "features of another width": (ShapeMismatch, {"item_BMF": torch.zeros(1, 6, SHAPE.item + 1)}),
    "features of another type": (ShapeMismatch, {"price_BM": torch.ones(1, 6, dtype=torch.float64)}),
    "groups of too few candidates": (ShapeMismatch, {"group_BM": torch.zeros(1, 5, dtype=torch.int64)}),
}


@pytest.mark.parametrize("name", BAD)
def test_requests_that_cannot_be_ranked_are_refused(scorer: Scorer, name: str) -> None:
    error, change = BAD[name]
    requests = replaced(random_requests(1, 6), **change)
    with pytest.raises(error):
        scorer.rank(requests, random_weights(1), 4)
    with pytest.raises(error):
        scorer.greedy(requests, random_weights(1), 4)


@pytest.mark.parametrize(
    "weights",
    [[0.0] * 7, [1.0] * 6 + [-0.1], [1.0] * 6 + [math.nan], [1.0] * 6 + [math.inf], [1.0] * 6, [1.0] * 8],
)
def test_weights_that_are_none_are_refused(scorer: Scorer, weights: list[float]) -> None:
    with pytest.raises(WeightsInvalid):
        scorer.rank(random_requests(1, 6), torch.tensor([weights]), 4)


def test_sizes_that_cannot_be_ranked_are_refused(scorer: Scorer) -> None:
    for candidates, size in ((6, 0), (12, 10), (201, 4), (60, 51)):
        with pytest.raises(ValueOutOfRange):
            scorer.rank(random_requests(1, candidates), random_weights(1), size)


def test_weights_go_by_name(scorer: Scorer) -> None:
    assert scorer.utilities == UTILITY_NAMES
    assert scorer.weights({"gmv": 2.0, "click": 1.0}).tolist() == [[1, 2, 0, 0, 0, 0, 0]]
    with pytest.raises(UtilityUnknown, match="revenue"):
        scorer.weights({"revenue": 1.0})


def test_settings_out_of_range_are_refused() -> None:
    for wrong in (
        {"samples": -1},
        {"threads": 0},
        {"trade_offs": (1.5,)},
        {"temperatures": (-1.0,)},
        {"temperature": -1.0},
        {"sweep_positions": -1},
    ):
        with pytest.raises(ValueOutOfRange):
            ScorerConfig(**wrong)


def test_a_scorer_loads_a_checkpoint_and_ranks_a_log(kernels: Path, tmp_path: Path) -> None:
    checkpoint().save(tmp_path)
    scorer = Scorer.load(tmp_path, ScorerConfig(cache=kernels))
    assert scorer.path == "compiled", scorer.eager_reason
    requests = scorer.features.requests(LOG)
    ranked = scorer.rank(requests, random_weights(requests.B), 2)
    eager = Scorer.load(tmp_path, ScorerConfig(compiled=False)).rank(requests, random_weights(requests.B), 2)
    assert torch.equal(ranked.slate_BN, eager.slate_BN)


def test_duplicate_ids_are_refused_before_they_are_ranked(tmp_path: Path) -> None:
    checkpoint().save(tmp_path)
    scorer = Scorer.load(tmp_path, ScorerConfig(compiled=False))
    with pytest.raises(LogInvalid, match="item_id"):
        scorer.features.requests(log(logged_row(item_id=["a", "b", "a"])))


def test_a_folder_without_a_checkpoint_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelInvalid):
        Scorer.load(tmp_path)


def test_utilities_that_the_actor_does_not_weigh_are_refused() -> None:
    actor, objective = networks()
    fewer = replace(objective, utilities=objective.utilities.only(UTILITY_NAMES[:3]))
    with pytest.raises(ModelInvalid):
        Scorer(actor, fewer, config=ScorerConfig(compiled=False))
    with pytest.raises(ModelInvalid):
        _ = Scorer(actor, objective, config=ScorerConfig(compiled=False)).features
