"""What follows a click: time, completion, sharing and purchases."""

# N slate, X clicks: what was clicked, all pages together

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray
from reward_llm.agents.market.behaviour import sigmoid
from reward_llm.agents.market.config import ResponseConfig

_LEAST_UNIFORM = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """What came of each click."""

    completed_X: BoolArray
    shared_X: BoolArray
    dwell_s_X: FloatArray
    bought_X: BoolArray

    @classmethod
    def to(
        cls,
        *,
        quality_X: FloatArray,
        relevance_X: FloatArray,
        purchase_X: FloatArray,
        uniform_X: FloatArray,
        config: ResponseConfig,
    ) -> Responses:
        """Decide them by uniform numbers, as many as `draws.RESPONSES`; `purchase_X` is the chance of a purchase."""
        better_X = quality_X - 0.5
        completion_X = sigmoid(
            config.completion
            + config.completion_quality * better_X
            + config.completion_relevance * (relevance_X - 0.5)
        )
        completed_X = uniform_X[:, 1] < completion_X
        shared_X = completed_X & (uniform_X[:, 2] < config.share * quality_X)
        return cls(
            completed_X=completed_X,
            shared_X=shared_X,
            dwell_s_X=dwell_times(better_X, completed_X, uniform_X[:, 3], config),
            bought_X=uniform_X[:, 4] < purchase_X,
        )


def dwell_times(
    better_X: FloatArray, completed_X: BoolArray, uniform_X: FloatArray, config: ResponseConfig
) -> FloatArray:
    """Give the seconds on what was clicked, log-logistic, longer for better items and completed views."""
    middle_X = config.dwell_log_s + config.dwell_quality * better_X + config.dwell_completed * completed_X
    inside_X = np.clip(uniform_X, _LEAST_UNIFORM, 1 - _LEAST_UNIFORM)
    spread_X = config.dwell_scale * (np.log(inside_X) - np.log1p(-inside_X))
    seconds: FloatArray = np.minimum(np.exp(middle_X + spread_X), config.dwell_most_s).astype(np.float32)
    return seconds


def purchase_chance(
    price_X: FloatArray,
    undercut_X: BoolArray,
    quality_X: FloatArray,
    relevance_X: FloatArray,
    config: ResponseConfig,
) -> FloatArray:
    """Give the probability that a click ends in a purchase; 0 where nothing is sold."""
    logit_X = (
        config.purchase
        + config.purchase_quality * (quality_X - 0.5)
        + config.purchase_relevance * (relevance_X - 0.5)
        - config.purchase_price * (np.log1p(price_X) - config.middling_price_log)
        - config.purchase_rival * undercut_X
    )
    return np.where(price_X > 0, sigmoid(logit_X), 0.0).astype(np.float32)


def undercut(category_XN: IntArray, price_XN: FloatArray, slot_X: IntArray) -> BoolArray:
    """Tell which clicked items have a cheaper one, not free, of their topic on the page `category_XN`."""
    row = np.arange(len(slot_X))
    same_XN = category_XN == category_XN[row, slot_X][:, None]
    cheaper_XN = (price_XN < price_XN[row, slot_X][:, None]) & (price_XN > 0)
    found: BoolArray = (same_XN & cheaper_XN).any(axis=1)
    return found
