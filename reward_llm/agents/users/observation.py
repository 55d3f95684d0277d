"""What a user agent sees."""

# B users present, H items of history, L clicks, E facts of a click, T topics, S facts of the state

from __future__ import annotations

from typing import Final

import numpy as np

from reward_llm.agents.allocation import NO_ITEM, FloatArray, IntArray, MarketView
from reward_llm.agents.users.states import UserStates

STATE: Final = 9
"""Facts of a user's state: four of feeling, two of experience, three of the visit."""
_DEPTHS: Final = 4
_LONG: Final = 30.0
"""Days and pages are counted relative to about a month."""


def click_width(topics: int) -> int:
    """E: the topics, how far it went, and that it is a click."""
    return topics + 2


def observed(view: MarketView, states: UserStates, users_B: IntArray, clicks: int) -> FloatArray:
    """A row a user: the state, then the last clicks, as `BehaviourBody` reads them."""
    return np.concatenate([state_of(view, states, users_B), _clicks_of(view, users_B, clicks)], axis=1)


def state_of(view: MarketView, states: UserStates, users_B: IntArray) -> FloatArray:
    """The state alone, `STATE` numbers a user."""
    facts = view.users
    pages_B = facts.pages_U[users_B]
    columns = (
        np.log1p(facts.tenure_days_U[users_B]) / np.log1p(_LONG),
        np.log1p(pages_B) / np.log1p(10 * _LONG),
        facts.recent_UT[users_B].max(1),
        np.full(len(users_B), view.step / _LONG),
        np.minimum(1.0, facts.spent_U[users_B] / (1 + facts.dwell_s_U[users_B])),
    )
    return np.concatenate([states.read(users_B), np.stack(columns, axis=1).astype(np.float32)], axis=1)


def _clicks_of(view: MarketView, users_B: IntArray, clicks: int) -> FloatArray:
    item_BL = view.users.history_UH[users_B][:, -clicks:]
    depth_BL = view.users.depth_UH[users_B][:, -clicks:]
    is_click_BL = item_BL != NO_ITEM
    topic_BLT = view.items.topic_IT[np.maximum(item_BL, 0)]
    click_BLE = np.concatenate([topic_BLT, np.stack([depth_BL / _DEPTHS, is_click_BL], axis=-1)], axis=-1)
    click_BLE = np.where(is_click_BL[..., None], click_BLE, 0.0).astype(np.float32)
    missing = clicks - item_BL.shape[1]
    padded_BLE = np.pad(click_BLE, ((0, 0), (max(0, missing), 0), (0, 0)))
    return padded_BLE.reshape(len(users_B), -1)
