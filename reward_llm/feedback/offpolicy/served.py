"""Decisions of served slates, each slot of which was logged with its propensity."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from reward_llm.feedback.metrics.log import Slot
from reward_llm.feedback.offpolicy.decisions import LoggedDecisions

Target = Callable[[Slot], float]
"""With what probability the other policy shows the slot's user the same item at the same place."""


def served_decisions(slots: Sequence[Slot], target: Target) -> LoggedDecisions:
    """Clicks and propensities of the slots, beside what the other policy would have shown with which probability.

    A slot is taken for a decision by itself: how the items of a slate act on each other isn't corrected for (the
    independence of Li et al. 2018).

    Raises:
        LogUnusable: If there are no slots, or the target isn't a probability.
    """
    return LoggedDecisions(
        np.array([slot.is_clicked for slot in slots], np.float64),
        np.array([slot.propensity for slot in slots], np.float64),
        np.array([target(slot) for slot in slots], np.float64),
    )
