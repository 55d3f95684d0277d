"""Whether an actor still learns, and tells weights apart.

A trained actor is sure of itself: low entropy at the end is no sign of trouble. Three things are: to be sure before
there was time to explore, to write one slate whatever the weights are, and to fall behind what it could do before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ranker.training.config import HealthLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """What is looked at, at a report."""

    share: float
    """Of the run behind it, in [0, 1]."""
    entropy: float
    """Of a choice, as a share of that of a uniform one over the same candidates."""
    distinct: float
    """Share of distinct greedy slates among corner weights, mean over requests."""
    reward: float
    """Mean reward of greedy slates."""


@dataclass(slots=True, kw_only=True)
class Health:
    """Remembers the best reward, and how long each sign has been bad."""

    limits: HealthLimits
    best_reward: float = -math.inf
    bad: dict[str, int] = field(default_factory=dict)

    def look(self, signs: Signs) -> str | None:
        """Why the run has collapsed, or None."""
        self.best_reward = max(self.best_reward, signs.reward)
        reasons = self._reasons(signs)
        self.bad = {reason: self.bad.get(reason, 0) + 1 for reason in reasons}
        lasting = [said for reason, said in reasons.items() if self.bad[reason] >= self.limits.patience]
        return "; ".join(lasting) or None

    def _reasons(self, signs: Signs) -> dict[str, str]:
        limits, reasons = self.limits, {}
        if signs.share < limits.early and signs.entropy < limits.entropy:
            reasons["entropy"] = (
                f"choices have {signs.entropy:.2%} of full entropy after {signs.share:.0%} of the run"
            )
        if signs.distinct < limits.distinct_slates:
            reasons["distinct"] = f"of the slates for unlike weights {signs.distinct:.0%} are distinct"
        least = self.best_reward - limits.loss_of_reward * abs(self.best_reward)
        if not signs.reward >= least:
            reasons["reward"] = f"the reward is {signs.reward:.4g} and was {self.best_reward:.4g}"
        return reasons


def distinct_share(slate_BVN: Tensor) -> float:
    """The share of distinct slates among V for a request, mean over requests; 1 / V if all are one."""
    counts = [len(torch.unique(slate_VN, dim=0)) for slate_VN in slate_BVN]
    return sum(counts) / (len(counts) * slate_BVN.shape[1])
