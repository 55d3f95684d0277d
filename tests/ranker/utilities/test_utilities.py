from __future__ import annotations

import itertools
import math
from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor

from ranker.errors import PredictionsMissing, UtilityInvalid, UtilityUnknown, WeightsInvalid
from ranker.requests import EMPTY, Requests, SlatePredictions
from ranker.utilities import (
    UTILITY_NAMES,
    Click,
    ColdStart,
    Diversity,
    FlowControl,
    Gmv,
    GroupOrder,
    Rescaled,
    Retention,
    Satisfaction,
    Utility,
    UtilityRegistry,
    check_utility,
    default_utilities,
    normalised,
    reward,
)
from tests.ranker.batches import random_predictions, random_requests, random_slates, seeds


def _is_live(requests: Requests) -> Tensor:
    return requests.supply_type_BM == 1


UTILITIES: list[Utility] = [
    Click(),
    Gmv(),
    Gmv(price_cap=20.0),
    Satisfaction(),
    Retention(),
    Diversity(),
    Diversity(measure="alpha_ndcg", attributes=("seller",)),
    Diversity(measure="err_ia", stop=0.7),
    ColdStart(),
    GroupOrder(),
    FlowControl(items=_is_live, target=0.3),
    FlowControl(items=_is_live, target=0.3, bound="at_most"),
    Rescaled(utility=Diversity(), low=0.2, high=0.6),
]


@pytest.mark.parametrize("utility", UTILITIES, ids=lambda one: f"{one.name}-{UTILITIES.index(one)}")
@given(seed=seeds)
@settings(max_examples=20)
def test_utilities_keep_their_laws(utility: Utility, seed: int) -> None:
    requests = random_requests(seed)
    slate_BSN = random_slates(seed, requests)
    check_utility(utility, slate_BSN, requests, random_predictions(seed, slate_BSN))


@pytest.mark.parametrize("utility", UTILITIES, ids=lambda one: f"{one.name}-{UTILITIES.index(one)}")
def test_an_empty_slate_is_worth_nothing(utility: Utility) -> None:
    requests = random_requests(1)
    slate_BSN = torch.full((3, 2, 4), EMPTY)
    value_BS = utility.value(slate_BSN, requests, random_predictions(1, slate_BSN))
    assert value_BS.tolist() == [[0, 0]] * 3


class _TooLarge:
    name = "too_large"

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        return 2.0 * (slate_BSN != EMPTY).any(-1)


class _FirstIndex:
    name = "first_index"

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        return slate_BSN[..., 0].clamp_min(0) / 10


class _ByPadding:
    name = "by_padding"

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        return (slate_BSN != EMPTY).float().mean(-1)


@pytest.mark.parametrize(
    ("utility", "message"),
    [(_TooLarge(), "outside"), (_FirstIndex(), "candidates' order"), (_ByPadding(), "padding of the slates")],
)
def test_a_utility_that_breaks_a_law_is_found_out(utility: Utility, message: str) -> None:
    requests = random_requests(5, fewest=7)
    with pytest.raises(UtilityInvalid, match=message):
        check_utility(utility, random_slates(5, requests), requests)


def _slow(name: str, slate: list[int], requests: Requests, row: int, predictions: SlatePredictions, s: int) -> float:
    """The equations, item by item."""
    items = [item for item in slate if item != EMPTY]
    n = len(items)
    if n == 0:
        return 0.0
    pairs = list(itertools.combinations(items, 2))
    click = predictions.click_BSN[row, s].tolist()
    purchase = predictions.purchase_BSN[row, s].tolist()
    price = requests.price_BM[row].tolist()
    group = requests.group_BM[row].tolist()
    new = sum(bool(requests.is_new_BM[row, item]) for item in items)
    values = {
        "click": sum(click[:n]) / n,
        "gmv": sum(p * price[item] / max(price) for p, item in zip(purchase, items, strict=False)) / n,
        "satisfaction": float(predictions.satisfaction_BS[row, s]),
        "retention": float(predictions.retention_BS[row, s]),
        "diversity": (_variety(requests.seller_BM[row], items) + _variety(requests.category_BM[row], items)) / 2,
        "cold_start": min(1.0, new / n / 0.3),
        "group_order": sum(group[a] <= group[b] for a, b in pairs) / len(pairs) if pairs else 1.0,
    }
    return values[name]


def _variety(group_M: Tensor, items: list[int]) -> float:
    n = len(items)
    counts = Counter(int(group_M[item]) for item in items)
    same = sum(count * (count - 1) for count in counts.values())
    return 1 - same / (n * (n - 1)) if n > 1 else 1.0


@given(seed=seeds)
@settings(max_examples=25)
def test_the_seven_are_their_equations(seed: int) -> None:
    requests = random_requests(seed)
    slate_BSN = random_slates(seed, requests)
    predictions = random_predictions(seed, slate_BSN)
    values_BSK = default_utilities().values(slate_BSN, requests, predictions)
    for row, s, k in itertools.product(range(3), range(4), range(7)):
        expected = _slow(UTILITY_NAMES[k], slate_BSN[row, s].tolist(), requests, row, predictions, s)
        assert values_BSK[row, s, k].item() == pytest.approx(expected, abs=1e-5), UTILITY_NAMES[k]


def _gains(groups: list[int], all_groups: list[int], measure: str) -> float:
    """The sums of α-NDCG and ERR-IA before they are normalised, group by group as in the papers."""
    if measure == "alpha_ndcg":
        return sum(0.5 ** groups[:place].count(group) / math.log2(place + 2) for place, group in enumerate(groups))
    total = 0.0
    for wanted in set(all_groups):
        still_looking = 1.0
        for place, group in enumerate(groups):
            stop = 0.5 if group == wanted else 0.0
            total += all_groups.count(wanted) / len(all_groups) * still_looking * stop / (place + 1)
            still_looking *= 1 - stop
    return total


@pytest.mark.parametrize("measure", ["alpha_ndcg", "err_ia"])
@given(seed=seeds)
@settings(max_examples=25)
def test_cascades_are_normalised_by_the_best_of_all_slates(measure: str, seed: int) -> None:
    requests = random_requests(seed, batch=1, candidates=5, fewest=3)
    groups = requests.seller_BM[0][requests.valid_BM[0]].tolist()
    orders = list(itertools.permutations(range(len(groups)), 3))
    gains = [_gains([groups[item] for item in order], groups, measure) for order in orders]
    utility = Diversity(measure=measure, attributes=("seller",))  # type: ignore[arg-type]
    values = utility.value(torch.tensor([orders]), requests, None)[0].tolist()
    assert values == pytest.approx([gain / max(gains) for gain in gains], abs=1e-5)


@given(seed=seeds)
@settings(max_examples=25)
def test_variety_by_pairs_and_new_content_do_not_depend_on_the_order_of_a_slate(seed: int) -> None:
    requests = random_requests(seed, fewest=6)
    slate_BSN = torch.stack([torch.randperm(6, generator=torch.Generator().manual_seed(seed))[:5]] * 3)[:, None]
    for utility in (Diversity(), ColdStart()):
        backward_BS = utility.value(slate_BSN.flip(-1), requests, None)
        assert torch.allclose(utility.value(slate_BSN, requests, None), backward_BS)


@given(seed=seeds)
@settings(max_examples=25)
def test_sorting_by_priority_puts_every_pair_in_order(seed: int) -> None:
    requests = random_requests(seed, fewest=6)
    order_BM = torch.where(requests.valid_BM, requests.group_BM, 99).argsort(1)[:, None, :5]
    assert GroupOrder().value(order_BM, requests, None).tolist() == [[1.0]] * 3


def test_unknown_sellers_are_no_variety() -> None:
    requests = random_requests(1, batch=1, fewest=7)
    requests.seller_BM[:] = 0
    assert Diversity(attributes=("seller",)).value(torch.tensor([[[0, 1, 2]]]), requests, None).item() == 0


def test_more_new_content_than_the_target_is_worth_nothing_more() -> None:
    requests = random_requests(1, batch=1, fewest=7)
    requests.is_new_BM[0] = torch.tensor([True, True, True, False, False, False, False])
    slates = torch.tensor([[[0, 1, 2, 3], [0, 1, 3, 4], [0, 3, 4, 5], [3, 4, 5, 6]]])
    assert ColdStart(target=0.5).value(slates, requests, None).tolist() == [[1.0, 1.0, 0.5, 0.0]]


def test_the_gate_is_shut_while_the_batch_is_on_target() -> None:
    requests = random_requests(1, batch=2, fewest=7)
    requests.supply_type_BM[:] = torch.tensor([1, 1, 0, 0, 0, 0, 0])
    utility = FlowControl(items=_is_live, target=0.5, band=0.5)
    balanced = torch.tensor([[[0, 1]], [[2, 3]]])
    assert utility.value(balanced, requests, None).tolist() == [[1.0], [1.0]]
    short = torch.tensor([[[0, 2]], [[2, 3]]])
    assert utility.value(short, requests, None).tolist() == [[1.0], [0.5]]


def test_a_ceiling_presses_only_on_slates_above_it() -> None:
    requests = random_requests(1, batch=2, fewest=7)
    requests.supply_type_BM[:] = torch.tensor([1, 1, 0, 0, 0, 0, 0])
    utility = FlowControl(items=_is_live, target=0.25, bound="at_most", band=0.25)
    assert utility.value(torch.tensor([[[0, 1]], [[2, 3]]]), requests, None).tolist() == [[0.0], [1.0]]


def test_a_utility_is_stretched_over_the_range_that_it_took() -> None:
    requests = random_requests(2, fewest=7)
    slate_BSN = torch.tensor([[[0, 1, 2], [2, 3, 4], [4, 5, 6]]] * 3)
    value_BS = Diversity().value(slate_BSN, requests, None)
    rescaled = Rescaled.fitted(Diversity(), value_BS.flatten(), tail=0.0)
    stretched_BS = rescaled.value(slate_BSN, requests, None)
    assert (float(stretched_BS.min()), float(stretched_BS.max())) == pytest.approx((0, 1), abs=1e-6)
    assert torch.equal(stretched_BS.flatten().argsort(stable=True), value_BS.flatten().argsort(stable=True))
    with pytest.raises(UtilityInvalid, match="diversity can't be rescaled"):
        Rescaled.fitted(Diversity(), torch.full((9,), 0.5))


def test_predicted_utilities_say_that_they_need_the_evaluator() -> None:
    requests = random_requests(1)
    slate_BSN = random_slates(1, requests)
    for name in ("click", "gmv", "satisfaction", "retention"):
        with pytest.raises(PredictionsMissing, match=name):
            default_utilities()[name].value(slate_BSN, requests, None)


def test_the_registry_keeps_the_order_of_the_weights() -> None:
    registry = default_utilities()
    assert registry.names == UTILITY_NAMES
    assert registry.only(["gmv", "click"]).names == ("gmv", "click")
    replaced = registry.replacing(ColdStart(target=0.5))
    assert replaced.names == UTILITY_NAMES
    assert replaced["cold_start"] == ColdStart(target=0.5)
    with pytest.raises(UtilityUnknown, match="'novelty'"):
        registry.only(["novelty"])
    with pytest.raises(UtilityInvalid, match="one name"):
        registry.adding(Click())
    with pytest.raises(UtilityInvalid):
        UtilityRegistry(())


def test_the_reward_is_the_weighted_sum() -> None:
    weights_BK = torch.tensor([[0.25, 0.75], [1.0, 0.0]])
    utilities_BSK = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[0.5, 0.9], [0.2, 0.1]]])
    torch.testing.assert_close(reward(weights_BK, utilities_BSK), torch.tensor([[0.25, 0.75], [0.5, 0.2]]))
    with pytest.raises(WeightsInvalid):
        reward(weights_BK[:, :1], utilities_BSK)


def test_multiples_of_weights_are_the_same_weights() -> None:
    weights_BK = torch.tensor([[1.0, 3.0]])
    assert normalised(weights_BK).tolist() == normalised(weights_BK * 40).tolist() == [[0.25, 0.75]]


@pytest.mark.parametrize("weights", [[0.0, 0.0], [-0.1, 1.1], [float("nan"), 1.0], [float("inf"), 1.0]])
def test_weights_that_are_none_are_refused(weights: list[float]) -> None:
    with pytest.raises(WeightsInvalid):
        normalised(torch.tensor([weights]))


@pytest.mark.parametrize(
    "build",
    [
        lambda: Gmv(price_cap=0.0),
        lambda: ColdStart(target=0.0),
        lambda: Diversity(attributes=()),
        lambda: Diversity(measure="entropy"),  # type: ignore[arg-type]
        lambda: Diversity(alpha=1.0),
        lambda: FlowControl(items=_is_live, target=1.0),
        lambda: Rescaled(utility=Click(), low=0.5, high=0.5),
    ],
)
def test_settings_out_of_range_are_refused(build: object) -> None:
    with pytest.raises(UtilityInvalid):
        build()  # type: ignore[operator]
