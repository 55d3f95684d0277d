from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import given

from ranker.errors import (
    CandidatesMissing,
    FeatureNotFinite,
    PinInvalid,
    RankerError,
    RequestInvalid,
    ShapeMismatch,
    SlateInvalid,
    ValueOutOfRange,
)
from ranker.requests import LoggedLists, Requests, check_slates
from tests.ranker.batches import random_requests, random_slates, seeds


def _lists(requests: Requests, shown: list[list[int]]) -> LoggedLists:
    shown_BN = torch.tensor(shown)
    return LoggedLists(
        requests=requests,
        shown_BN=shown_BN,
        click_BN=shown_BN == shown_BN[:, :1],
        purchase_BN=torch.zeros_like(shown_BN, dtype=torch.bool),
        dwell_BN=torch.zeros(shown_BN.shape),
        returned_B=torch.ones(len(shown), dtype=torch.bool),
        timestamp_B=torch.arange(len(shown)),
    )


@given(seed=seeds)
def test_random_batches_and_their_slates_pass_the_checks(seed: int) -> None:
    requests = random_requests(seed)
    requests.check()
    check_slates(random_slates(seed, requests), requests)


def test_a_nan_feature_is_named_with_its_request() -> None:
    requests = random_requests(1)
    requests.item_BMF[2, 0, 1] = float("nan")
    with pytest.raises(FeatureNotFinite, match="item_BMF has a NaN or infinite value in request 2"):
        requests.check()


@pytest.mark.parametrize("name", ["price_BM", "age_days_BM", "seller_BM", "item_id_BMC", "group_BM"])
def test_negative_values_are_refused(name: str) -> None:
    requests = random_requests(1)
    getattr(requests, name)[0, 0] = -1
    with pytest.raises(ValueOutOfRange, match=name):
        requests.check()


def test_an_unknown_supply_type_is_refused() -> None:
    requests = random_requests(1)
    requests.supply_type_BM[0, 0] = 4
    with pytest.raises(ValueOutOfRange, match="supply_type"):
        requests.check()


@pytest.mark.parametrize("name", ["price_BM", "valid_BM", "user_BF", "item_BMF", "item_id_BMC"])
def test_tensors_of_other_shape_or_type_are_refused(name: str) -> None:
    requests = random_requests(1)
    value = getattr(requests, name)
    for wrong in (value[:2], value.to(torch.float64), value[..., None]):
        with pytest.raises(ShapeMismatch):
            replace(requests, **{name: wrong}).check()


def test_a_request_without_candidates_is_refused() -> None:
    requests = random_requests(1)
    requests.forbidden_BM[1] = True
    with pytest.raises(CandidatesMissing, match="request 1 has 0 candidates"):
        requests.check()


def test_fewer_candidates_than_slots_are_refused() -> None:
    requests = random_requests(1, candidates=4)
    requests.check()
    with pytest.raises(CandidatesMissing, match="5 are needed"):
        requests.check(size=5)


@pytest.mark.parametrize(("places", "slots"), [((0, 1), (2, 2)), ((0,), (7,)), ((0,), (-2,))])
def test_pins_that_cannot_be_kept_are_refused(places: tuple[int, ...], slots: tuple[int, ...]) -> None:
    requests = random_requests(1, fewest=7)
    for place, slot in zip(places, slots, strict=True):
        requests.pinned_BM[0, place] = slot
    with pytest.raises(PinInvalid):
        requests.check()


def test_a_pinned_item_that_is_forbidden_is_refused() -> None:
    requests = random_requests(1, fewest=7)
    requests.pinned_BM[0, 1] = 0
    requests.check()
    requests.forbidden_BM[0, 1] = True
    with pytest.raises(PinInvalid, match="forbidden"):
        requests.check()


def test_a_pin_beyond_the_slate_is_refused_where_the_size_is_known() -> None:
    requests = random_requests(1, fewest=7)
    requests.pinned_BM[0, 1] = 5
    requests.check(size=6)
    with pytest.raises(PinInvalid, match="slots 0 to 4"):
        requests.check(size=5)


@pytest.mark.parametrize("slate", [[0, 0, -1], [0, -1, 1], [0, 7, -1], [-2, -1, -1]])
def test_slates_with_repeats_holes_or_strangers_are_refused(slate: list[int]) -> None:
    requests = random_requests(1, batch=1, fewest=7)
    with pytest.raises(SlateInvalid):
        check_slates(torch.tensor([[slate]]), requests)


def test_a_slate_that_shows_padding_is_refused() -> None:
    requests = random_requests(1, batch=1, fewest=7).padded_to(8)
    check_slates(torch.tensor([[[6, -1]]]), requests)
    with pytest.raises(SlateInvalid, match="padding"):
        check_slates(torch.tensor([[[7, -1]]]), requests)


def test_padding_keeps_what_was_there_and_passes_the_checks() -> None:
    requests = random_requests(3)
    padded = requests.padded_to(11)
    padded.check()
    assert padded.M == 11
    assert not padded.valid_BM[:, 7:].any()
    assert (padded.pinned_BM[:, 7:] == -1).all()
    assert torch.equal(padded.price_BM[:, :7], requests.price_BM)
    with pytest.raises(ShapeMismatch):
        padded.padded_to(7)


@given(seed=seeds)
def test_a_permutation_and_its_inverse_give_the_same_requests(seed: int) -> None:
    requests = random_requests(seed)
    order_BM = torch.rand(requests.B, requests.M, generator=torch.Generator().manual_seed(seed)).argsort(1)
    moved = requests.permuted(order_BM)
    assert torch.equal(moved.price_BM, requests.price_BM.gather(1, order_BM))
    back = moved.permuted(order_BM.argsort(1))
    assert all(torch.equal(value, requests.tensors()[name]) for name, value in back.tensors().items())


def test_rows_are_selected_in_their_order() -> None:
    lists = _lists(random_requests(1, fewest=7), [[0, 1], [2, 3], [4, -1]])
    lists.check()
    chosen = lists.select([2, 0]).to("cpu")
    assert chosen.shown_BN.tolist() == [[4, -1], [0, 1]]
    assert torch.equal(chosen.requests.price_BM, lists.requests.price_BM[[2, 0]])
    assert lists.select(lists.filled_BN.all(1)).B == 2


def test_outcomes_that_disagree_with_the_lists_are_refused() -> None:
    lists = _lists(random_requests(1, fewest=7), [[0, 1], [2, 3], [4, -1]])
    with pytest.raises(ShapeMismatch, match="click_BN"):
        replace(lists, click_BN=lists.click_BN[:, :1]).check()
    with pytest.raises(SlateInvalid, match="nothing was shown"):
        replace(lists, click_BN=torch.ones_like(lists.click_BN)).check()
    with pytest.raises(ValueOutOfRange, match="dwell"):
        replace(lists, dwell_BN=lists.dwell_BN - 1).check()
    with pytest.raises(ValueOutOfRange, match="propensity"):
        replace(lists, propensity_BN=lists.dwell_BN).check()


def test_errors_carry_a_code_and_a_hint() -> None:
    error = CandidatesMissing("none", hint="send some")
    assert isinstance(error, RequestInvalid)
    assert isinstance(error, RankerError)
    assert (error.code, error.message, error.hint) == ("candidates_missing", "none", "send some")
