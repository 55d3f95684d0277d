"""How satisfied, curious and tired users are, and how much they explore; all in [0, 1].

satisfaction  s ← (1 - alpha) s + alpha x          x: the experience of a page
curiosity     c ← c + g (1 - c)                    for each click on a topic not clicked lately,
              c ← c + d (c0 - c)                   on other pages
fatigue       f ← f + h (1 - f)                    on a page with three of a topic in a row,
              f ← (1 - r) f                        on others
exploration   e = min(1, e0 + k max(0, s0 - s))    exploitation is 1 - e
"""

# B users, N slate

from __future__ import annotations

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray
from reward_llm.agents.market.behaviour import sigmoid
from reward_llm.agents.market.config import MoodConfig


def experience(
    quality_BN: FloatArray, clicked_BN: BoolArray, completed_BN: BoolArray, config: MoodConfig
) -> FloatArray:
    """Give what a page was like: completed views by their quality, against clicks that disappointed."""
    delight_B = (quality_BN * completed_BN).sum(1)
    abandoned_B = (clicked_BN & ~completed_BN).sum(1)
    return sigmoid(config.indifferent + config.completed * delight_B - config.abandoned * abandoned_B)


def satisfaction(satisfaction_B: FloatArray, experience_B: FloatArray, rate_B: FloatArray) -> FloatArray:
    """Give the exponentially weighted mean of experiences."""
    return (1 - rate_B) * satisfaction_B + rate_B * experience_B


def curiosity(curiosity_B: FloatArray, novel_clicks_B: IntArray, config: MoodConfig) -> FloatArray:
    """Give the curiosity after a page."""
    roused_B = 1 - (1 - curiosity_B) * (1 - config.curiosity_gain) ** novel_clicks_B
    calmed_B = curiosity_B + config.curiosity_decay * (config.curiosity_start - curiosity_B)
    return np.where(novel_clicks_B > 0, roused_B, calmed_B)


def fatigue(fatigue_B: FloatArray, monotonous_B: BoolArray, config: MoodConfig) -> FloatArray:
    """Give the fatigue after a page."""
    tired_B = fatigue_B + config.fatigue_gain * (1 - fatigue_B)
    return np.where(monotonous_B, tired_B, fatigue_B * (1 - config.fatigue_recovery))


def exploration(satisfaction_B: FloatArray, config: MoodConfig) -> FloatArray:
    """Give how much users explore: more when they aren't content."""
    short_B = np.maximum(0, config.content - satisfaction_B)
    share_B: FloatArray = np.minimum(1, config.exploration + config.exploration_gain * short_B)
    return share_B


def monotonous(category_BN: IntArray, alike: int) -> BoolArray:
    """Tell which pages have so many items of one topic in a row."""
    last = max(0, category_BN.shape[1] - alike + 1)
    run_BN = np.ones((len(category_BN), last), dtype=np.bool_)
    for shift in range(1, alike):
        run_BN &= np.equal(category_BN[:, :last], category_BN[:, shift : shift + last])
    return np.asarray(run_BN.any(axis=1), dtype=np.bool_)
