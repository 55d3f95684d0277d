"""The market as a gymnasium environment: one user's page at a time.

An agent sees the user who waits and some candidates, scores these, and the best-scored fill the page. All who wait on
a page of the day are served in turn; a step's reward is R_w of the page under the served weights. An episode is a
whole run, which is truncated after its last day.
"""

# M candidates, N slate, F features

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import gymnasium
import numpy as np
from gymnasium import spaces

from reward_llm.agents.allocation import FloatArray, IntArray, Slates
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.market import Market
from reward_llm.agents.market.observation import affinity, item_features, item_width, user_features, user_width
from reward_llm.agents.market.play import turned, warm_up
from reward_llm.agents.market.reward import page_reward
from reward_llm.domain.weights import Weights

NEW_SHARE: Final = 0.25
"""Of the candidates, drawn from new content."""
RANDOM_SHARE: Final = 0.25
"""Of the candidates, drawn from everything; the rest are closest to the user's clicks."""
_MOST_SEED: Final = 2**31 - 1

Observation = dict[str, FloatArray]


class MarketEnv(gymnasium.Env[Observation, FloatArray]):  # type: ignore[misc]
    """Serves the users of a market one after the other.

    The action scores the candidates, each in [-1, 1].

    Args:
        candidates: M, at least the slots of a page.

    Raises:
        ValueError: If there are fewer candidates than slots, or fewer items.
    """

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012 - gymnasium's declaration

    def __init__(self, config: MarketConfig, *, weights: Callable[[], Weights], candidates: int = 40) -> None:
        if not config.scale.slate <= candidates <= config.scale.items:
            raise ValueError("candidates must be at least the slots of a page and at most the items")
        self.config = config
        self._weights = weights
        self._candidates = candidates
        topics = config.scale.topics
        self.observation_space = spaces.Dict(
            {
                "user": spaces.Box(0, 1, (user_width(topics),), np.float32),
                "candidates": spaces.Box(0, 1, (candidates, item_width(topics)), np.float32),
                "affinity": spaces.Box(-1, 1, (candidates,), np.float32),
            }
        )
        self.action_space = spaces.Box(-1, 1, (candidates,), np.float32)
        self._market: Market | None = None
        self._item_M: IntArray = np.zeros(0, dtype=np.int64)

    @property
    def market(self) -> Market:
        """The market of this episode.

        Raises:
            gymnasium.error.ResetNeeded: If there is none yet.
        """
        if self._market is None:
            raise gymnasium.error.ResetNeeded("call reset() first")
        return self._market

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Open a new market, past its warm-up."""
        super().reset(seed=seed)
        market = Market(self.config, seed=int(self.np_random.integers(_MOST_SEED)), weights=self._weights)
        warm_up(market)
        turned(market)
        self._market = market
        return self._observed(), self._info()

    def step(self, action: FloatArray) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Show the best-scored candidates to the user who waits."""
        market = self.market
        order_M = np.argsort(-np.asarray(action), kind="stable")
        item_BN = self._item_M[order_M[: self.config.scale.slate]][None, :]
        view = market.view()
        outcome = market.step(Slates.plain(item_BN), self._user())
        reward = float(page_reward(outcome, view.items, view.weights)[0])
        more = turned(market)
        observation = self._observed() if more else self._nothing()
        return observation, reward, False, not more, self._info()

    def _user(self) -> IntArray:
        return self.market.present()[:1]

    def _observed(self) -> Observation:
        view, users_B = self.market.view(), self._user()
        liked_T = affinity(view, users_B)[0]
        self._item_M = self._recalled(view.items.topic_IT @ liked_T, np.flatnonzero(view.items.is_new_I))
        return {
            "user": user_features(view, users_B)[0],
            "candidates": item_features(view, self._item_M),
            "affinity": np.clip(view.items.topic_IT[self._item_M] @ liked_T, -1, 1).astype(np.float32),
        }

    def _recalled(self, match_I: FloatArray, new_X: IntArray) -> IntArray:
        """Draw candidates: some of what is new, some of everything, the rest by match."""
        count = self._candidates
        new_M = self.np_random.permutation(new_X)[: int(NEW_SHARE * count)]
        any_M = self.np_random.permutation(len(match_I))[: int(RANDOM_SHARE * count)]
        noise_I = 1e-3 * self.np_random.random(len(match_I))
        best_M = np.argsort(-(match_I + noise_I))
        both_M = np.concatenate([new_M, any_M, best_M])
        _, first = np.unique(both_M, return_index=True)
        return both_M[np.sort(first)][:count]

    def _nothing(self) -> Observation:
        sizes = {name: space.shape for name, space in self.observation_space.items()}
        return {name: np.zeros(size, dtype=np.float32) for name, size in sizes.items()}

    def _info(self) -> dict[str, Any]:
        return {"day": self.market.day, "step": self.market.step_of_day, "items": self._item_M}
