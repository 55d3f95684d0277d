"""Item-to-item collaborative filtering with manual boosting: what a platform has before it learns to do better.

Items are related by how often users who clicked the one click the other when they look at it (Sarwar et al. 2001,
"Item-based collaborative filtering recommendation algorithms", with conditional probabilities); dividing by looks and
not by users keeps what was shown often from resembling everything. A user's relevance is the mean over what they
have clicked, worked out every night. New content resembles nothing yet, so an editor pushes it: each day the
best-looking of what is new goes into two fixed slots of every slate, whoever looks at it.
"""

# B users present, U users, I items, N slate, P picks

from __future__ import annotations

from typing import Final

import numpy as np

from reward_llm.agents.allocation import FloatArray, IntArray, MarketView, Slates, StepOutcome
from reward_llm.agents.baselines.filling import put_in
from reward_llm.agents.baselines.memory import grown
from reward_llm.agents.baselines.scored import ScoredRecommender

BOOSTED_SLOTS: Final = (3, 6)
"""Slots that the editor fills, from 0; a fifth of a slate of ten."""
_PICKED_SHARE: Final = 0.25
"""Of what is new and that the editor pushes on a day."""
_PRIOR_LOOKS: Final = 3.0
"""Looks at the item's own click rate that each pair of items is credited with."""
_PRIOR_LOOKS_OF_ALL: Final = 20.0
"""Looks at everything's click rate that each item is credited with."""


class ItemCF(ScoredRecommender):
    """Shows what resembles what a user clicked, and in two slots what an editor picked."""

    def begin(self, view: MarketView, generator: np.random.Generator) -> None:
        """Start afresh."""
        super().begin(view, generator)
        self._looked_UI = np.zeros(self._clicked.clicked_UI.shape, dtype=np.float32)
        self._learn(view)

    def begin_day(self, view: MarketView) -> None:
        """Relate the items anew, and have the editor pick."""
        super().begin_day(view)
        if view.day >= 0:
            self._learn(view)

    def relevance(self, view: MarketView, users_B: IntArray) -> FloatArray:
        """Give the mean chance of a click after those that the user made before."""
        relevance: FloatArray = self._relevance_UI[users_B]
        return relevance

    def slates(self, view: MarketView, users_B: IntArray) -> Slates:
        """Fill slates with the most relevant items, and the editor's slots with picks in turn."""
        plain = super().slates(view, users_B)
        if not len(self._pick_P):
            return plain
        slots = [slot for slot in BOOSTED_SLOTS if slot < view.slate]
        for number, slot in enumerate(slots[: len(self._pick_P)]):
            turn_B = (users_B * len(BOOSTED_SLOTS) + number + view.step) % len(self._pick_P)
            put_in(plain.item_BN, slot, self._pick_P[turn_B])
            plain.boosted_BN[:, slot] = True
            plain.cost_BN[:, slot] = view.boost_price * view.examination_N[slot]
        return plain

    def observe(self, outcome: StepOutcome) -> None:
        """Note who looked at what, as far as one knows, and who clicked."""
        super().observe(outcome)
        self._looked_UI = grown(self._looked_UI, self._clicked.clicked_UI.shape).astype(np.float32, copy=False)
        self._looked_UI[outcome.users_B[:, None], outcome.item_BN] += self._examination_N

    def _learn(self, view: MarketView) -> None:
        self._examination_N = view.examination_N
        clicked_UI = self._clicked.clicked_UI.astype(np.float32)
        self._looked_UI = grown(self._looked_UI, clicked_UI.shape).astype(np.float32, copy=False)
        clicks_I, looks_I = clicked_UI.sum(axis=0), self._looked_UI.sum(axis=0)
        overall = float(clicks_I.sum()) / max(float(looks_I.sum()), 1.0)
        rate_I = (clicks_I + _PRIOR_LOOKS_OF_ALL * overall) / (looks_I + _PRIOR_LOOKS_OF_ALL)
        both_II, looked_II = clicked_UI.T @ clicked_UI, clicked_UI.T @ self._looked_UI
        np.fill_diagonal(both_II, 0.0)
        np.fill_diagonal(looked_II, 0.0)
        chance_II = (both_II + _PRIOR_LOOKS * rate_I) / (looked_II + _PRIOR_LOOKS)
        known_U1 = clicked_UI.sum(axis=1, keepdims=True)
        self._relevance_UI = (clicked_UI @ chance_II + rate_I) / (known_U1 + 1)
        self._pick_P = _picks(view)


def _picks(view: MarketView) -> IntArray:
    """What of the new content looks best."""
    items = view.items
    new_P = np.flatnonzero(items.is_new_I & ~items.caught_I)
    most = round(_PICKED_SHARE * len(new_P))
    return new_P[np.argsort(-items.preview_I[new_P], kind="stable")[:most]].astype(np.int64)
