"""Who buys clicks, told from what follows them.

A recommender knows what came of its own slates, and that the counts on record hold more: visits from search, the
creator's page, or a click farm. Bought clicks are hardly ever watched to the end, and they don't stay. Each creator's
outside clicks are weighed under both stories, as beta-binomial counts: of those that were completed, and of those
that stayed, which are the clicks times how long they stayed, relative to the creator in the middle, at most 1.

    honest   completed ~ Beta(m s + k r, (1 - m) s + (n - k) r)    n, k: clicks and completed views in slates
             stayed ~ Beta(a, b), with a mean near 1
    bought   completed ~ Beta(a, b), with a mean of a few per cent
             stayed ~ Beta(a, b), with a mean that leaves room for a cheat's honest visits

    odds = prior × P(completed, stayed | bought) / P(completed, stayed | honest)
"""

# B users present, N slate, I items, C creators

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray, MarketView, StepOutcome

_LEAST_STAY_S: Final = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class CheatConfig:
    """What is believed before anything is seen, and when a creator counts as caught.

    Raises:
        ValueError: If a probability isn't in (0, 1) or a count isn't above 0.
    """

    prior: float = 0.05
    """Probability that a creator buys clicks."""
    bought: tuple[float, float] = (2.0, 18.0)
    """Beta distribution of the share of completed views among what a cheat gets from outside."""
    stayed_honest: tuple[float, float] = (18.0, 2.0)
    """Likewise, of those that stayed, among what an honest creator gets."""
    stayed_bought: tuple[float, float] = (2.0, 6.0)
    """Likewise, among what a cheat gets."""
    strength: float = 8.0
    """Clicks that the mean completion of all creators counts for."""
    trust: float = 0.1
    """What a click in a slate counts for: these are of users whom an item suits better than those from outside."""
    certainty: float = 0.95
    """Probability from which on a creator is caught."""
    fewest_clicks: int = 10
    """Outside clicks below which nobody is."""

    def __post_init__(self) -> None:
        if not (0 < self.prior < 1 and 0 < self.certainty < 1):
            raise ValueError("prior and certainty lie in (0, 1)")
        if (
            min(*self.bought, *self.stayed_honest, *self.stayed_bought, self.strength, self.trust) <= 0
            or self.fewest_clicks < 1
        ):
            raise ValueError("the numbers of clicks that beliefs count for are above 0")


class CheatDetector:
    """Follows the clicks of all creators; who was caught stays so."""

    def __init__(self, config: CheatConfig | None = None) -> None:
        self.config = config or CheatConfig()
        self._clicks_I: FloatArray = np.zeros(0, dtype=np.float32)
        self._completions_I: FloatArray = np.zeros(0, dtype=np.float32)
        self._dwell_s_I: FloatArray = np.zeros(0, dtype=np.float32)
        self._caught: frozenset[int] = frozenset()

    def begin(self, view: MarketView) -> None:
        """Start afresh on a market."""
        items = len(view.items.age_days_I)
        self._clicks_I, self._completions_I, self._dwell_s_I = np.zeros((3, items), dtype=np.float32)
        self._caught = frozenset()

    def observe(self, outcome: StepOutcome) -> None:
        """Count what came of a page of slates."""
        self._grow(int(outcome.item_BN.max(initial=-1)) + 1)
        np.add.at(self._clicks_I, outcome.item_BN[outcome.clicked_BN], 1)
        np.add.at(self._completions_I, outcome.item_BN[outcome.completed_BN], 1)
        np.add.at(self._dwell_s_I, outcome.item_BN[outcome.clicked_BN], outcome.dwell_s_BN[outcome.clicked_BN])

    def __call__(self, view: MarketView) -> BoolArray:
        """Tell which items are of creators that were caught by now."""
        guilty_C = self.probability(view) >= self.config.certainty
        self._caught |= frozenset(np.flatnonzero(guilty_C).tolist())
        return np.isin(view.items.creator_I, list(self._caught))

    def probability(self, view: MarketView) -> FloatArray:
        """Give the probability that each creator buys clicks; 0 while too little is known."""
        items, config = view.items, self.config
        count = len(items.age_days_I)
        self._grow(count)
        ours_I, completed_I = self._clicks_I[:count], self._completions_I[:count]
        clicks_C = by_creator(items.creator_I, items.clicks_I - ours_I)
        completions_C = by_creator(items.creator_I, items.completions_I - completed_I)
        dwell_s_C = by_creator(items.creator_I, items.dwell_s_I - self._dwell_s_I[:count])
        here_C, done_C = by_creator(items.creator_I, ours_I), by_creator(items.creator_I, completed_I)
        usual = (done_C.sum() + 1) / (here_C.sum() + 2)
        honest_C2 = np.stack(
            [
                usual * config.strength + config.trust * done_C,
                (1 - usual) * config.strength + config.trust * (here_C - done_C),
            ],
            axis=1,
        )
        stayed_C = clicks_C * _stayed(dwell_s_C, clicks_C)
        logit_C = (
            math.log(config.prior / (1 - config.prior))
            + _log_likelihood(completions_C, clicks_C, np.broadcast_to(config.bought, honest_C2.shape))
            - _log_likelihood(completions_C, clicks_C, honest_C2)
            + _log_likelihood(stayed_C, clicks_C, np.broadcast_to(config.stayed_bought, honest_C2.shape))
            - _log_likelihood(stayed_C, clicks_C, np.broadcast_to(config.stayed_honest, honest_C2.shape))
        )
        probability_C = 1 / (1 + np.exp(-np.clip(logit_C, -50, 50)))
        return np.where(clicks_C >= config.fewest_clicks, probability_C, 0.0).astype(np.float32)

    def _grow(self, items: int) -> None:
        more = items - len(self._clicks_I)
        if more > 0:
            self._clicks_I, self._completions_I, self._dwell_s_I = (
                np.pad(held_I, (0, more)) for held_I in (self._clicks_I, self._completions_I, self._dwell_s_I)
            )


def by_creator(creator_I: IntArray, count_I: FloatArray) -> FloatArray:
    """Add counts of items up by their creators."""
    return np.bincount(creator_I, count_I).astype(np.float32)


def _stayed(dwell_s_C: FloatArray, clicks_C: FloatArray) -> FloatArray:
    """Give how long outside clicks stay, relative to the creator in the middle, at most 1; 1 where there are none."""
    has_C = clicks_C > 0
    if not has_C.any():
        return np.ones(len(clicks_C), dtype=np.float32)
    stay_C = np.divide(dwell_s_C, clicks_C, out=np.zeros(len(clicks_C), dtype=np.float32), where=has_C)
    usual = max(float(np.median(stay_C[has_C])), _LEAST_STAY_S)
    share_C: FloatArray = np.where(has_C, np.clip(stay_C / usual, 0.0, 1.0), 1.0).astype(np.float32)
    return share_C


def _log_likelihood(done_C: FloatArray, clicks_C: FloatArray, beta_C2: FloatArray) -> FloatArray:
    """Give the beta-binomial log probability, without the binomial coefficient, which both stories share."""
    after_C2 = beta_C2 + np.stack([done_C, clicks_C - done_C], axis=1)
    return _log_beta(after_C2) - _log_beta(beta_C2)


def _log_beta(beta_C2: FloatArray) -> FloatArray:
    values = [math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b) for a, b in beta_C2.tolist()]
    return np.array(values, dtype=np.float64)
