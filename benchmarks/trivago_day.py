"""A day of the RecSys Challenge 2019 session log as two parts of lists, and the utilities that can be said of them.

What is ranked is a page, the first ten of a list of up to 25. A whole list always has one click, since the log has
only lists that were clicked; an evaluator of whole lists learns just that, and thinks the same of every order. A page
has it or hasn't.

The log knows clickouts, prices and dwell, and neither sellers, ages, purchases nor returns. So there are four:

    click         expected clicks
    value         expected price of what is clicked, as a share of the dearest offer
    satisfaction  of the list, from dwell
    diversity     pairs of offers in different bands of price, which stand in for categories

B batch, M candidates, S slates a request, N slate, K utilities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar, Final

import pyarrow as pa
import torch
from torch import Tensor

from ranker.baselines import reranked
from ranker.config import InputShape
from ranker.data import split_by_time, trivago_log
from ranker.evaluator import Evaluator
from ranker.features import FeatureEncoder, FeatureSpec
from ranker.objective import Objective
from ranker.requests import LoggedLists, Requests, SlatePredictions
from ranker.utilities import Click, Diversity, Rescaled, Satisfaction, Utility, UtilityRegistry, of_items
from ranker.utilities.shown import mean_of_shown

FILE: Final = "day1.parquet"
POSITIONS: Final = 25
"""Longest list of the log."""
PAGE: Final = 10
BAND: Final = 1.3
TRAINING_SHARE: Final = 0.8
FITTED_ON: Final = 512
"""Pages whose logged and random orders set the ranges of the utilities."""
SPEC: Final = """
version: 1
user:
  - {name: platform, kind: categorical, vocabulary: 32}
  - {name: device, kind: categorical, vocabulary: 4}
  - {name: step, kind: numeric, transform: log1p}
item:
  shared:
    - {name: price, kind: numeric, transform: log1p}
    - {name: seen, kind: numeric, transform: log1p}
    - {name: clicked, kind: numeric, transform: log1p}
    - {name: last, kind: numeric}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What is learned from, and the lists after it that pages are compared on."""

    shape: InputShape
    earlier: LoggedLists
    later: LoggedLists


def day(folder: Path, lists: int | None) -> Day:
    """The first so many lists of the day, or all, cut at four fifths; features are fitted to the first part.

    Raises:
        LogInvalid: If the folder has no such log, or there are too few lists.
    """
    log = _each_its_own_seller(trivago_log(folder / FILE)).sort_by("timestamp").slice(0, lists)
    earlier, later = split_by_time(log, (TRAINING_SHARE, 1 - TRAINING_SHARE))
    encoder = FeatureEncoder.fit(FeatureSpec.parse(SPEC), earlier)
    shape = InputShape(
        user=encoder.user_width,
        item=encoder.item_width,
        vocabularies=encoder.vocabularies,
        utilities=len(UTILITIES.names),
    )
    return Day(shape=shape, earlier=encoder.lists(earlier), later=encoder.lists(later))


def _each_its_own_seller(log: pa.Table) -> pa.Table:
    """The log with the hotel as seller and as category of its offer.

    Unknown ones count as one: an offer's repeats of it would be its position, and would take the examination's place
    in what evaluators learn of positions.
    """
    for name in ("seller", "category"):
        log = log.set_column(log.schema.get_field_index(name), name, log.column("item_id"))
    return log


def page(lists: LoggedLists) -> LoggedLists:
    """The first positions of the lists, and what came of them; all offers stay candidates."""
    first = {name: value[:, :PAGE] for name, value in lists.tensors().items() if value.ndim == 2}
    return replace(lists, **first)


@dataclass(frozen=True, slots=True)
class ClickValue:
    """Expected price of what is clicked: U = (1/n) sum_p P(click at p | slate) price_p / highest price."""

    name: ClassVar[str] = "value"

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        """Give the mean over what is shown."""
        assert predictions is not None  # noqa: S101 - the objective has an evaluator
        share_BM = requests.price_BM / requests.price_BM.amax(1, keepdim=True).clamp(min=1e-9)
        return mean_of_shown(predictions.click_BSN * of_items(share_BM, slate_BSN), slate_BSN)


@dataclass(frozen=True, slots=True)
class PriceVariety:
    """Share of the pairs of a page that lie in different bands of price, each of which is `BAND` times the one below.

    The bands are no categories of the requests: there are so few that repeats of them tell the position as well.
    """

    name: ClassVar[str] = "diversity"

    def value(self, slate_BSN: Tensor, requests: Requests, predictions: SlatePredictions | None) -> Tensor:
        """Give the share of pairs."""
        band_BM = 1 + (requests.price_BM.clamp(min=1).log() / math.log(BAND)).long()
        return _OF_CATEGORIES.value(slate_BSN, replace(requests, category_BM=band_BM), predictions)


_OF_CATEGORIES: Final = Diversity(attributes=("category",), measure="pairs")
UTILITIES: Final = UtilityRegistry((Click(), ClickValue(), Satisfaction(), PriceVariety()))
"""As they are."""


def stretched(lists: LoggedLists, evaluator: Evaluator, seed: int) -> UtilityRegistry:
    """The utilities over the ranges that they take on logged and random pages, so that equal weights say as much."""
    some = lists.select(slice(-FITTED_ON, None))
    slate_BSN = torch.stack([some.shown_BN, random_order(some, seed)], dim=1)[..., :PAGE]
    value_BSK = Objective(utilities=UTILITIES, evaluator=evaluator).values(some.requests, slate_BSN)

    def fitted(place: int, utility: Utility) -> Rescaled:
        return Rescaled.fitted(utility, value_BSK[..., place].flatten(), tail=0)

    return UtilityRegistry(tuple(fitted(place, utility) for place, utility in enumerate(UTILITIES)))


def random_order(lists: LoggedLists, seed: int) -> Tensor:
    """The lists shuffled."""
    generator = torch.Generator().manual_seed(seed)
    return reranked(lambda _, list_BN: torch.rand(list_BN.shape, generator=generator), lists.requests, lists.shown_BN)
