"""A marketplace whose agents try things and are paid for what comes of it."""

from __future__ import annotations

import numpy as np
import torch

from reward_llm.agents.allocation import IntArray, MarketView, Slates, StepOutcome
from reward_llm.agents.learning.minds import KINDS, Kind
from reward_llm.agents.learning.recording import RecordingMinds
from reward_llm.agents.learning.rewards import RewardConfig, content_reward, page_reward
from reward_llm.agents.learning.rollout import Rollout
from reward_llm.agents.orchestrator.marketplace import LearnedMarketplace, MarketplaceConfig

_ORCHESTRATOR = np.zeros(1, dtype=np.int64)


class Student:
    """A `Recommender` that records its run."""

    def __init__(self, config: MarketplaceConfig, minds: RecordingMinds, rewards: RewardConfig) -> None:
        self._minds, self._rewards = minds, rewards
        self._marketplace = LearnedMarketplace(config, minds=minds)
        self._view: MarketView | None = None

    def begin(self, view: MarketView, generator: np.random.Generator) -> None:
        """Start the marketplace."""
        self._marketplace.begin(view, generator)

    def begin_day(self, view: MarketView) -> None:
        """Note the day of what is decided from now on."""
        self._minds.day = view.day
        self._marketplace.begin_day(view)

    def slates(self, view: MarketView, users_B: IntArray) -> Slates:
        """Let the agents decide."""
        self._view = view
        return self._marketplace.slates(view, users_B)

    def observe(self, outcome: StepOutcome) -> None:
        """Pay the agents, if it was they who decided."""
        self._marketplace.observe(outcome)
        view, rewards = self._view, self._rewards
        if view is None or outcome.day < 0 or not len(outcome.users_B):
            return
        items = view.items
        reward_B = page_reward(outcome, items.category_I, items.is_new_I, view.weights, rewards)
        self._minds.reward("user", outcome.users_B, reward_B)
        self._minds.reward("orchestrator", _ORCHESTRATOR, reward_B.mean(keepdims=True))
        earned_I = content_reward(outcome, view.boost_price, len(items.age_days_I), rewards)
        moved_X = np.flatnonzero(earned_I)
        self._minds.reward("content", moved_X, earned_I[moved_X])

    def end_day(self, view: MarketView) -> None:
        """Close the marketplace's day."""
        self._marketplace.end_day(view)

    def rollouts(self, retention: float) -> dict[Kind, Rollout]:
        """What the kinds did; the weight of retention pays users for having come back."""
        self._minds.reward_return(retention * self._rewards.back)
        found = {kind: self._minds.rollout(kind) for kind in KINDS}
        return {kind: rollout for kind, rollout in found.items() if rollout is not None}


def sampled_weights(base: dict[str, float], spread: float, generator: torch.Generator) -> dict[str, float]:
    """Weights around a base, on the simplex: each multiplied by a log-normal factor of this spread."""
    factor_K = torch.exp(spread * torch.randn(len(base), generator=generator)).tolist()
    drawn = {name: weight * factor for (name, weight), factor in zip(base.items(), factor_K, strict=True)}
    total = sum(drawn.values())
    return {name: weight / total for name, weight in drawn.items()}
