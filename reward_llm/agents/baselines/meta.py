"""A meta-learned start for new content: each item is a task, and Reptile learns where to begin.

An item's model is a logistic regression of clicks on what users like and have just had. It begins at
Theta · phi(item), phi being what is known of content that nobody has seen, and adapts to the item's own impressions
by a few gradient steps. Reptile (Nichol et al. 2018, "On first-order meta-learning algorithms", eq. 3) moves Theta
towards where items ended up, so that the next new item begins nearer to where it is going to end.
"""

# B users present, U users, I items, E impressions, F columns of users, C columns of content

from __future__ import annotations

from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, MarketView, StepOutcome
from reward_llm.agents.baselines.features import affinity, content_columns
from reward_llm.agents.baselines.memory import ImpressionLog, Impressions, grown
from reward_llm.agents.baselines.scored import ScoredRecommender

_DAYS: Final = 1
"""Whose impressions an item adapts to each night; what it had learned before stays with it."""
_MOST: Final = 40_000
_INNER_STEPS: Final = 8
_INNER_RATE: Final = 0.5
_PRIOR_IMPRESSIONS: Final = 20.0
"""An item's step is as short as if it had so many impressions more that teach nothing."""
_OUTER_RATE: Final = 0.3
_RIDGE: Final = 1.0
_START_LOGIT: Final = -2.5


class MetaStart(ScoredRecommender):
    """Adapts a model of each item, and learns to begin it well."""

    def begin(self, view: MarketView, generator: np.random.Generator) -> None:
        """Begin every item alike."""
        super().begin(view, generator)
        self._log = ImpressionLog(_DAYS)
        self._columns_UF = _user_columns(view)
        content_IC = content_columns(view)
        self._theta_CF = np.zeros((content_IC.shape[1], self._columns_UF.shape[1]), dtype=np.float32)
        self._theta_CF[view.items.topic_IT.shape[1], 0] = _START_LOGIT
        self._head_IF = content_IC @ self._theta_CF

    def begin_day(self, view: MarketView) -> None:
        """Begin what is new where Theta says; adapt the rest, and Theta with it, to the day before."""
        super().begin_day(view)
        content_IC = content_columns(view)
        known = len(self._head_IF)
        start_IF = content_IC @ self._theta_CF
        self._head_IF = grown(self._head_IF, start_IF.shape).astype(np.float32)
        self._head_IF[known:] = start_IF[known:]
        self._adapt(self._log.impressions(view).drawn(_MOST, self._generator), content_IC)
        self._columns_UF = _user_columns(view)

    def relevance(self, view: MarketView, users_B: IntArray) -> FloatArray:
        """Give the chance of a click by each item's own model."""
        logit_BI: FloatArray = self._columns_UF[users_B] @ self._head_IF.T
        return _chance(logit_BI)

    def observe(self, outcome: StepOutcome) -> None:
        """Remember the impressions."""
        super().observe(outcome)
        self._log.add(outcome)

    def _adapt(self, seen: Impressions, content_IC: FloatArray) -> None:
        if not len(seen):
            return
        order_E = np.argsort(seen.item_E, kind="stable")
        item_E = seen.item_E[order_E]
        columns_EF = self._columns_UF[seen.user_E[order_E]]
        looked_E, clicked_E = seen.examination_E[order_E], seen.clicked_E[order_E]
        task_K, first_K, count_K = np.unique(item_E, return_index=True, return_counts=True)
        head_KF = self._head_IF[task_K]
        place_E = np.repeat(np.arange(len(task_K)), count_K)
        share_K = (count_K[:, None] + _PRIOR_IMPRESSIONS).astype(np.float32)
        for _ in range(_INNER_STEPS):
            chance_E = _chance((columns_EF * head_KF[place_E]).sum(axis=1))
            # d/dlogit of the log-likelihood of a click that takes a look first: p(click) = look · chance
            missed_E = (1 - clicked_E) * looked_E * (1 - chance_E) / (1 - looked_E * chance_E)
            slope_E = clicked_E * (1 - chance_E) - missed_E * chance_E
            step_KF = np.add.reduceat(slope_E[:, None] * columns_EF, first_K)
            step_KF *= _INNER_RATE / share_K
            head_KF += step_KF
        self._head_IF[task_K] = head_KF
        self._learn_to_begin(content_IC[task_K], head_KF)

    def _learn_to_begin(self, content_KC: FloatArray, head_KF: FloatArray) -> None:
        """Move Theta a part of the way to the start from which the items would have had least to go."""
        gap_KF = head_KF - content_KC @ self._theta_CF
        normal_CC = content_KC.T @ content_KC + _RIDGE * np.eye(content_KC.shape[1], dtype=np.float32)
        self._theta_CF += _OUTER_RATE * np.linalg.solve(normal_CC, content_KC.T @ gap_KF).astype(np.float32)


def _user_columns(view: MarketView) -> FloatArray:
    everybody_U = np.arange(len(view.users.tenure_days_U))
    parts = (np.ones((len(everybody_U), 1)), affinity(view, everybody_U) - 1, view.users.recent_UT)
    return np.concatenate(parts, axis=1).astype(np.float32)


def _chance(logit: FloatArray) -> FloatArray:
    chance: FloatArray = (1 / (1 + np.exp(-np.clip(logit, -15, 15)))).astype(np.float32)
    return chance
