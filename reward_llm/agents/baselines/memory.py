"""What a recommender remembers of the slates that it is told of."""

# B users present, N slate, U users, I items, E events

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray, MarketView, StepOutcome


def grown(array: npt.NDArray[np.generic], shape: tuple[int, ...]) -> npt.NDArray[np.generic]:
    """The array with zeros beyond its ends, if it is smaller than the shape."""
    if array.shape == shape:
        return array
    larger = np.zeros(np.maximum(array.shape, shape), dtype=array.dtype)
    larger[tuple(slice(0, n) for n in array.shape)] = array
    return larger


class ClickedItems:
    """Who has clicked what."""

    def __init__(self) -> None:
        self.clicked_UI: BoolArray = np.zeros((0, 0), dtype=np.bool_)

    def make_room(self, view: MarketView) -> None:
        """Have a row and a column for everybody and everything there is now."""
        shape = (len(view.users.tenure_days_U), len(view.items.age_days_I))
        self.clicked_UI = grown(self.clicked_UI, shape).astype(np.bool_, copy=False)

    def add(self, outcome: StepOutcome) -> None:
        """Note the clicks of a page."""
        row_K, slot_K = np.nonzero(outcome.clicked_BN)
        self.clicked_UI[outcome.users_B[row_K], outcome.item_BN[row_K, slot_K]] = True


@dataclass(frozen=True, slots=True)
class Impressions:
    """Impressions, one an entry."""

    user_E: IntArray
    item_E: IntArray
    examination_E: FloatArray
    clicked_E: FloatArray

    def __len__(self) -> int:
        return len(self.user_E)

    def drawn(self, most: int, generator: np.random.Generator) -> Impressions:
        """At most so many of them, in random order."""
        place_E = generator.permutation(len(self))[:most]
        return Impressions(
            self.user_E[place_E], self.item_E[place_E], self.examination_E[place_E], self.clicked_E[place_E]
        )


class ImpressionLog:
    """The impressions of the last days."""

    def __init__(self, days: int) -> None:
        self._days = days
        self._pages: dict[int, list[StepOutcome]] = {}

    def add(self, outcome: StepOutcome) -> None:
        """Note the impressions of a page."""
        self._pages.setdefault(outcome.day, []).append(outcome)
        for day in [d for d in self._pages if d <= outcome.day - self._days]:
            del self._pages[day]

    def impressions(self, view: MarketView) -> Impressions:
        """All that are remembered."""
        pages = [page for pages in self._pages.values() for page in pages]
        if not pages:
            nothing, none = np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
            return Impressions(nothing, nothing, none, none)
        examination = [np.tile(view.examination_N, len(page.users_B)) for page in pages]
        return Impressions(
            np.concatenate([np.repeat(page.users_B, page.item_BN.shape[1]) for page in pages]),
            np.concatenate([page.item_BN.ravel() for page in pages]),
            np.concatenate(examination).astype(np.float32),
            np.concatenate([page.clicked_BN.ravel() for page in pages]).astype(np.float32),
        )
