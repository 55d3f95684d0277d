"""A contextual bandit by Thompson sampling: it shows what might be best, so far as it knows.

The chance of a click is that of being looked at (the position's, which is known) times x(u, i) · theta times the
item's own factor. theta has a Gaussian posterior (Agrawal & Goyal 2013, "Thompson sampling for contextual bandits
with linear payoffs"), whose regression counts an impression as much as its slot is looked at; the factor has a Gamma
posterior, from the clicks that the item got and those that x · theta led one to expect. Both are drawn anew for every
page.
"""

# B users present, I items, T topics, D dimensions of x, E impressions

from __future__ import annotations

from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, MarketView, StepOutcome
from reward_llm.agents.baselines.features import affinity, creator_rate
from reward_llm.agents.baselines.memory import grown
from reward_llm.agents.baselines.scored import ScoredRecommender

_RIDGE: Final = 10.0
"""Precision of theta's prior."""
_NOISE: Final = 0.25
"""Standard deviation of a click around its chance."""
_PRIOR_CLICKS: Final = 3.0
"""Of an item's factor, whose prior mean is 1."""
_AGE_DAYS: Final = 10.0
_LEAST: Final = 1e-4


class ThompsonBandit(ScoredRecommender):
    """Draws what it believes, and shows what is best by that."""

    def begin(self, view: MarketView, generator: np.random.Generator) -> None:
        """Start from the prior."""
        super().begin(view, generator)
        dimensions = 2 * view.items.topic_IT.shape[1] + 3
        self._precision_DD = np.eye(dimensions) * _RIDGE
        self._moment_D = np.zeros(dimensions)
        self._clicks_I = np.zeros(0, dtype=np.float32)
        self._expected_I = np.zeros(0, dtype=np.float32)
        self._take_in(view)

    def begin_day(self, view: MarketView) -> None:
        """Take the day's users and content in."""
        super().begin_day(view)
        self._take_in(view)

    def relevance(self, view: MarketView, users_B: IntArray) -> FloatArray:
        """Give one draw of every item's chance of a click."""
        theta_D = self._drawn_theta()
        factor_I = self._generator.standard_gamma(_PRIOR_CLICKS + self._clicks_I, dtype=np.float32)
        factor_I /= _PRIOR_CLICKS + self._expected_I
        chance_BI = self._chances(theta_D, users_B)
        chance_BI *= factor_I
        return chance_BI

    def observe(self, outcome: StepOutcome) -> None:
        """Update both posteriors."""
        super().observe(outcome)
        users_E = np.repeat(outcome.users_B, outcome.item_BN.shape[1])
        item_E, clicked_E = outcome.item_BN.ravel(), outcome.clicked_BN.ravel()
        looked_E = np.tile(self._examination_N, len(outcome.users_B))
        x_ED = self._context(users_E, item_E) * looked_E[:, None]
        expected_E = np.maximum(x_ED @ self._mean_D, _LEAST * looked_E)
        items = len(self._clicks_I)
        self._clicks_I += np.bincount(item_E, clicked_E, items).astype(np.float32)
        self._expected_I += np.bincount(item_E, expected_E, items).astype(np.float32)
        self._precision_DD += x_ED.T @ x_ED
        self._moment_D += x_ED.T @ clicked_E

    def end_day(self, view: MarketView) -> None:
        """Settle what was learned."""
        self._settle()

    def _take_in(self, view: MarketView) -> None:
        items = view.items
        everybody_U = np.arange(len(view.users.tenure_days_U))
        self._affinity_UT = affinity(view, everybody_U)
        self._recent_UT = np.array(view.users.recent_UT)
        self._topic_IT = items.topic_IT
        fresh_I = np.exp(-items.age_days_I / _AGE_DAYS)
        self._own_I3: FloatArray = np.stack([creator_rate(view), items.preview_I, fresh_I], axis=1).astype(np.float32)
        self._examination_N = view.examination_N
        count = len(items.age_days_I)
        self._clicks_I = grown(self._clicks_I, (count,)).astype(np.float32)
        self._expected_I = grown(self._expected_I, (count,)).astype(np.float32)
        self._settle()

    def _settle(self) -> None:
        covariance_DD = np.linalg.inv(self._precision_DD)
        self._mean_D = covariance_DD @ self._moment_D
        self._root_DD = _NOISE * np.linalg.cholesky((covariance_DD + covariance_DD.T) / 2)

    def _drawn_theta(self) -> FloatArray:
        noise_D = self._generator.standard_normal(len(self._mean_D))
        drawn_D: FloatArray = (self._mean_D + self._root_DD @ noise_D).astype(np.float32)
        return drawn_D

    def _context(self, users_E: IntArray, item_E: IntArray) -> FloatArray:
        topic_ET = self._topic_IT[item_E]
        parts = (self._affinity_UT[users_E] * topic_ET, self._recent_UT[users_E] * topic_ET, self._own_I3[item_E])
        return np.concatenate(parts, axis=1)

    def _chances(self, theta_D: FloatArray, users_B: IntArray) -> FloatArray:
        """Give x · theta of all items, without writing x out; at least a little."""
        topics = self._topic_IT.shape[1]
        liked_T, tired_T, own_3 = theta_D[:topics], theta_D[topics : 2 * topics], theta_D[2 * topics :]
        by_topic_BT = self._affinity_UT[users_B] * liked_T + self._recent_UT[users_B] * tired_T
        chance_BI: FloatArray = by_topic_BT @ self._topic_IT.T
        chance_BI += self._own_I3 @ own_3
        return np.maximum(chance_BI, np.float32(_LEAST), out=chance_BI)
