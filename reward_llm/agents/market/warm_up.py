"""The policy of the days before a market opens: popular items, with much chance."""

# B users, N slate, I items

from __future__ import annotations

import numpy as np

from reward_llm.agents.allocation import IntArray, MarketView, Slates


def logging_slates(view: MarketView, users_B: IntArray, generator: np.random.Generator) -> Slates:
    """Draw a slate for each user without replacement, by how often items were completed (Gumbel top-k)."""
    key_I = np.log1p(view.items.completions_I)
    waited_BI = generator.standard_exponential((len(users_B), len(key_I)), dtype=np.float32)
    key_BI = key_I - np.log(np.maximum(waited_BI, np.finfo(np.float32).tiny))
    top_BN = np.argpartition(-key_BI, view.slate - 1, axis=1)[:, : view.slate]
    order_BN = np.argsort(-np.take_along_axis(key_BI, top_BN, axis=1), axis=1)
    return Slates.plain(np.take_along_axis(top_BN, order_BN, axis=1))
