"""Pages of one's own making."""

from __future__ import annotations

import numpy as np

from reward_llm.agents.allocation import StepOutcome


def outcome(clicked, completed=None, *, users=None, item=None, **changes) -> StepOutcome:
    """What users 0, 1, … did; everything else is nothing."""
    clicked_BN = np.array(clicked, dtype=bool)
    nothing = np.zeros(clicked_BN.shape, dtype=bool)
    values = {
        "day": 0,
        "step": 0,
        "users_B": np.arange(len(clicked_BN)) if users is None else np.array(users),
        "item_BN": np.tile(np.arange(clicked_BN.shape[1]), (len(clicked_BN), 1)) if item is None else np.array(item),
        "boosted_BN": nothing,
        "cost_BN": np.zeros(clicked_BN.shape, dtype=np.float32),
        "clicked_BN": clicked_BN,
        "dwell_s_BN": np.zeros(clicked_BN.shape, dtype=np.float32),
        "completed_BN": nothing if completed is None else np.array(completed, dtype=bool),
        "shared_BN": nothing,
        "bought_BN": nothing,
        "value_BN": np.zeros(clicked_BN.shape, dtype=np.float32),
        "left_B": np.zeros(len(clicked_BN), dtype=bool),
    }
    return StepOutcome(**{**values, **changes})
