from __future__ import annotations

import torch

from ranker.augment import AUGMENTED, augment
from ranker.masks import closed_slots, filled_slots
from ranker.relations import RELATIONS, relations
from ranker.requests import Requests
from tests.ranker.model.cases import random_requests, replaced


def augmented(requests: Requests) -> torch.Tensor:
    return augment(requests, relations(requests))


def test_relations_are_those_that_a_loop_finds() -> None:
    requests = replaced(random_requests(2, 6), valid_BM=torch.arange(6) < torch.tensor([[6], [4]]))
    relation_BMMR = relations(requests)
    for row in range(2):
        for first in range(6):
            for second in range(6):
                expected = _relation(requests, row, first, second)
                assert relation_BMMR[row, first, second].tolist() == expected


def _relation(requests: Requests, row: int, first: int, second: int) -> list[float]:
    if not (requests.valid_BM[row, first] and requests.valid_BM[row, second]):
        return [0.0] * RELATIONS
    seller, category, group, new = (
        (column[row, first].item(), column[row, second].item())
        for column in (requests.seller_BM, requests.category_BM, requests.group_BM, requests.is_new_BM)
    )
    facts = [
        seller[0] == seller[1],
        category[0] == category[1],
        group[0] > group[1],
        group[0] < group[1],
        new[0] and new[1],
        not new[0] and new[1],
    ]
    return [float(fact) for fact in facts]


def test_the_dearest_ranks_first_and_ties_share_a_rank() -> None:
    requests = replaced(random_requests(1, 4), price_BM=torch.tensor([[10.0, 30.0, 20.0, 20.0]]))
    rank_M, share_M = augmented(requests)[0, :, RELATIONS], augmented(requests)[0, :, RELATIONS + 2]
    torch.testing.assert_close(rank_M, torch.tensor([-1.0, 1.0, 0.0, 0.0]))
    torch.testing.assert_close(share_M, torch.tensor([1 / 3, 1, 2 / 3, 2 / 3]))


def test_repeats_count_the_other_candidates_of_a_seller() -> None:
    requests = replaced(random_requests(1, 4), seller_BM=torch.tensor([[7, 7, 7, 2]]))
    torch.testing.assert_close(augmented(requests)[0, :, 0], torch.tensor([2 / 3, 2 / 3, 2 / 3, 0]))


def test_features_move_with_the_candidates_and_ignore_padding() -> None:
    requests, order_BM = random_requests(1, 5), torch.tensor([[3, 1, 4, 0, 2]])
    features_BMA = augmented(requests)
    assert features_BMA.shape == (1, 5, AUGMENTED)
    torch.testing.assert_close(augmented(requests.permuted(order_BM)), features_BMA[:, order_BM[0]])
    padded_BMA = augmented(requests.padded_to(8))
    torch.testing.assert_close(padded_BMA[:, :5], features_BMA)
    assert not padded_BMA[:, 5:].any()


def test_features_of_a_lone_free_candidate_are_finite() -> None:
    assert augmented(replaced(random_requests(1, 1), price_BM=torch.zeros(1, 1))).isfinite().all()


def test_a_filled_slot_is_open_to_its_pin_alone_and_the_pin_to_no_other() -> None:
    pinned_BM, forbidden_BM = torch.tensor([[-1, 1, -1, -1]]), torch.tensor([[False, False, True, False]])
    requests = replaced(random_requests(1, 4), pinned_BM=pinned_BM, forbidden_BM=forbidden_BM)
    open_NM = ~closed_slots(requests, 3)[0]
    assert open_NM.int().tolist() == [[1, 0, 0, 1], [0, 1, 0, 0], [1, 0, 0, 1]]
    assert filled_slots(requests, 4)[0].tolist() == [True, True, True, False]
