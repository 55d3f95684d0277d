"""Logs in which a better order is plain to see."""

# B batch, M candidates, N positions

from __future__ import annotations

import torch
from torch import Tensor

from ranker.config import InputShape
from ranker.requests import EMPTY, LoggedLists, Requests
from tests.ranker.batches import random_requests

SHAPE = InputShape(user=3, item=4, vocabularies=(5, 5), groups=3)
POSITIONS = 6


def whole_lists(requests: Requests) -> Tensor:
    """All candidates in the order in which they came, padded."""
    return torch.where(requests.valid_BM, torch.arange(requests.M), EMPTY)


def logged(requests: Requests, shown_BN: Tensor, click_BN: Tensor) -> LoggedLists:
    return LoggedLists(
        requests=requests,
        shown_BN=shown_BN,
        click_BN=click_BN,
        purchase_BN=torch.zeros_like(click_BN),
        dwell_BN=torch.zeros(click_BN.shape),
        returned_B=torch.zeros(len(click_BN), dtype=torch.bool),
        timestamp_B=torch.arange(len(click_BN)),
    )


def liking_lists(seed: int, count: int = 600) -> LoggedLists:
    """One click a list, on the item with the highest first feature, wherever it stands."""
    requests = random_requests(seed, count, POSITIONS, fewest=3)
    liked_BM = requests.item_BMF[..., 0].masked_fill(~requests.valid_BM, -1)
    click_BM = torch.nn.functional.one_hot(liked_BM.argmax(-1), requests.M).bool()
    return logged(requests, whole_lists(requests), click_BM)


def neighbours_lists(seed: int, count: int = 1_000) -> LoggedLists:
    """One click a list, on the item with the highest first feature or with the lowest: the first item says which.

    No score of an item by itself finds it.
    """
    requests = random_requests(seed, count, POSITIONS, fewest=3)
    sign_B = torch.randn(count, generator=torch.Generator().manual_seed(seed)).sign()
    requests.item_BMF[..., 1] = 0
    requests.item_BMF[:, 0, 1] = 3 * sign_B
    worth_BM = (sign_B[:, None] * (requests.item_BMF[..., 0] - 0.5)).masked_fill(~requests.valid_BM, -1)
    worth_BM[:, 0] = -1
    click_BM = torch.nn.functional.one_hot(worth_BM.argmax(-1), requests.M).bool()
    return logged(requests, whole_lists(requests), click_BM)


def first_hits(lists: LoggedLists, slate_BN: Tensor) -> float:
    """Share of the lists whose clicked item comes first in the new order."""
    clicked_B1 = lists.shown_BN.gather(1, lists.click_BN.int().argmax(-1, keepdim=True))
    return (slate_BN[:, :1] == clicked_B1).float().mean().item()
