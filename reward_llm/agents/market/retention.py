"""When users leave a visit and when they come back."""

# B users

from __future__ import annotations

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray
from reward_llm.agents.market.behaviour import sigmoid
from reward_llm.agents.market.config import VisitConfig

_MIDDLING = 0.5


def leaving(
    satisfaction_B: FloatArray, fatigue_B: FloatArray, bored_share_B: FloatArray, config: VisitConfig
) -> FloatArray:
    """Give the probability of ending the visit after a page."""
    return sigmoid(
        config.leave
        - config.leave_satisfaction * (satisfaction_B - _MIDDLING)
        + config.leave_fatigue * fatigue_B
        + config.leave_bored * bored_share_B
    )


def returning(
    satisfaction_B: FloatArray,
    fatigue_B: FloatArray,
    variety_B: FloatArray,
    loyalty_B: FloatArray,
    config: VisitConfig,
) -> FloatArray:
    """Give the probability of a visit on the next day; `variety_B` is that of today's clicks, in [0, 1]."""
    return sigmoid(
        config.back
        + config.back_satisfaction * (satisfaction_B - _MIDDLING)
        + config.back_variety * variety_B
        - config.back_fatigue * fatigue_B
        + config.back_loyalty * loyalty_B
    )


def reawakening(idle_days_B: IntArray, config: VisitConfig) -> FloatArray:
    """Give the probability that who missed so many days comes on the next one."""
    return (config.reawaken * np.exp(-(idle_days_B - 1) / config.reawaken_days)).astype(np.float32)


def variety(count_BT: IntArray) -> FloatArray:
    """Give the entropy of clicks over topics, 1 where all topics have as many, 0 without clicks.

    >>> variety(np.array([[2, 2], [4, 0], [0, 0]])).round(6).tolist()
    [1.0, 0.0, 0.0]
    """
    total_B = count_BT.sum(1, keepdims=True)
    share_BT = count_BT / np.maximum(total_B, 1)
    entropy_B = -(share_BT * np.log(np.maximum(share_BT, np.finfo(np.float32).tiny))).sum(1)
    normalised: FloatArray = np.abs(entropy_B / np.log(count_BT.shape[1])).astype(np.float32)
    return normalised
