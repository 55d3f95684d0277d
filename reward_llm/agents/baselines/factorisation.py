"""A factorisation model with an exploration tower.

The main towers are a factorisation machine over ids and content (Rendle 2010, "Factorization machines"): the logit of
a click that follows a look is b_i + b(content_i) + p_u · (q_i + Q content_i), trained every night on the last days'
impressions, whose chance of a click is that of a look at the slot times that of a click that follows. The exploration
tower is told how much is known of an item, and learns by how much the main towers' forecast of its click rate is off;
what may be better than its forecast is shown more for it.
"""

# B users present, U users, I items, E impressions, C columns of content, D factors

from __future__ import annotations

from typing import Final

import numpy as np
import torch
from torch import Tensor, nn

from reward_llm.agents.allocation import FloatArray, IntArray, MarketView, StepOutcome
from reward_llm.agents.baselines.features import content_columns, evidence_columns
from reward_llm.agents.baselines.memory import ImpressionLog, Impressions
from reward_llm.agents.baselines.scored import ScoredRecommender

_FACTORS: Final = 16
_DAYS: Final = 3
_BATCH: Final = 1_024
_STEPS: Final = 60
_RATE: Final = 0.02
_DECAY: Final = 1e-4
_START_LOGIT: Final = -2.5
_TOWER_WIDTH: Final = 8
_TOWER_STEPS: Final = 40
_BONUS: Final = 1.0
"""Forecast errors that an item is given the benefit of."""
_FEWEST: Final = 5
"""Impressions of an item from which on its click rate says anything."""
_MOST_ERROR: Final = 3.0
_SMALLEST: Final = 1e-6


class FactorisationNetwork(nn.Module):
    """The main towers; there is room for ids that are still to come."""

    def __init__(self, users: int, items: int, columns: int) -> None:
        super().__init__()
        self.user = nn.Embedding(users, _FACTORS)
        self.item = nn.Embedding(items, _FACTORS + 1)
        self.content = nn.Linear(columns, _FACTORS + 1)
        nn.init.normal_(self.user.weight, std=0.1)
        nn.init.zeros_(self.item.weight)
        nn.init.normal_(self.content.weight, std=0.05)
        nn.init.zeros_(self.content.bias)
        with torch.no_grad():
            self.content.bias[0] = _START_LOGIT

    def forward(self, user_E: Tensor, item_E: Tensor, content_EC: Tensor) -> Tensor:
        """Give the logit of a click that follows a look."""
        own_ED = self.item(item_E) + self.content(content_EC)
        logit_E: Tensor = own_ED[:, 0] + (self.user(user_E) * own_ED[:, 1:]).sum(dim=1)
        return logit_E

    def factors(self, content_IC: Tensor) -> tuple[Tensor, Tensor]:
        """Give every user's and every item's side of the logits of all pairs."""
        own_ID = self.item.weight[: len(content_IC)] + self.content(content_IC)
        ones_U1 = torch.ones(len(self.user.weight), 1)
        return torch.cat([ones_U1, self.user.weight], dim=1), own_ID


class Factorisation(ScoredRecommender):
    """Forecasts clicks by factors, and gives what it may be wrong about a chance."""

    def begin(self, view: MarketView, generator: np.random.Generator) -> None:
        """Start with factors that say little."""
        super().begin(view, generator)
        torch.manual_seed(int(generator.integers(2**31)))
        self._log = ImpressionLog(_DAYS)
        columns = content_columns(view).shape[1]
        self._network = FactorisationNetwork(*_room(view), columns)
        evidence = evidence_columns(view).shape[1]
        self._tower = nn.Sequential(nn.Linear(evidence, _TOWER_WIDTH), nn.Tanh(), nn.Linear(_TOWER_WIDTH, 1))
        self._forecast(view)

    def begin_day(self, view: MarketView) -> None:
        """Train on the last days, from when its own slates count."""
        super().begin_day(view)
        if view.day < 0:
            return
        self._network = _with_room(self._network, view)
        seen = self._log.impressions(view)
        if len(seen):
            content_IC = torch.from_numpy(content_columns(view))
            self._train(seen, content_IC)
            self._train_tower(seen, content_IC, torch.from_numpy(evidence_columns(view)))
        self._forecast(view)

    def relevance(self, view: MarketView, users_B: IntArray) -> FloatArray:
        """Give the forecast chance of a click, and what may be missing in it."""
        logit_BI: FloatArray = self._side_UD[users_B] @ self._side_ID.T
        relevance_BI: FloatArray = self._benefit_I / (1 + np.exp(-np.clip(logit_BI, -15, 15)))
        return relevance_BI

    def observe(self, outcome: StepOutcome) -> None:
        """Remember the impressions."""
        super().observe(outcome)
        self._log.add(outcome)

    def _train(self, seen: Impressions, content_IC: Tensor) -> None:
        optimizer = torch.optim.Adam(self._network.parameters(), lr=_RATE, weight_decay=_DECAY)
        drawn = seen.drawn(_BATCH * _STEPS, self._generator)
        user_E, item_E = torch.from_numpy(drawn.user_E), torch.from_numpy(drawn.item_E)
        looked_E, clicked_E = torch.from_numpy(drawn.examination_E), torch.from_numpy(drawn.clicked_E)
        for start in range(0, len(drawn), _BATCH):
            part = slice(start, start + _BATCH)
            logit_E = self._network(user_E[part], item_E[part], content_IC[item_E[part]])
            chance_E = looked_E[part] * torch.sigmoid(logit_E)
            loss = nn.functional.binary_cross_entropy(chance_E.clamp(_SMALLEST, 1 - _SMALLEST), clicked_E[part])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    def _train_tower(self, seen: Impressions, content_IC: Tensor, evidence_IC: Tensor) -> None:
        """Teach it the errors of click rates: |clicks / forecast clicks - 1| by item."""
        with torch.no_grad():
            item_E = torch.from_numpy(seen.item_E)
            logit_E = self._network(torch.from_numpy(seen.user_E), item_E, content_IC[item_E])
            chance_E = torch.from_numpy(seen.examination_E) * torch.sigmoid(logit_E)
        items = len(content_IC)
        shown_I = np.bincount(seen.item_E, minlength=items)
        clicked_I = np.bincount(seen.item_E, seen.clicked_E, items)
        forecast_I = np.bincount(seen.item_E, chance_E.numpy(), items)
        place_K = np.flatnonzero(shown_I >= _FEWEST)
        error_K = np.abs(clicked_I[place_K] / np.maximum(forecast_I[place_K], _SMALLEST) - 1)
        target_K = torch.from_numpy(np.log1p(np.minimum(error_K, _MOST_ERROR)).astype(np.float32))
        optimizer = torch.optim.Adam(self._tower.parameters(), lr=_RATE)
        for _ in range(_TOWER_STEPS if len(place_K) else 0):
            loss = nn.functional.mse_loss(self._tower(evidence_IC[place_K])[:, 0], target_K)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimizer.step()

    @torch.no_grad()
    def _forecast(self, view: MarketView) -> None:
        side_UD, side_ID = self._network.factors(torch.from_numpy(content_columns(view)))
        self._side_UD, self._side_ID = side_UD.numpy(), side_ID.numpy()
        error_I = torch.expm1(self._tower(torch.from_numpy(evidence_columns(view)))[:, 0])
        self._benefit_I = (1 + _BONUS * error_I.clamp(0, _MOST_ERROR)).numpy()


def _room(view: MarketView) -> tuple[int, int]:
    return 2 * len(view.users.tenure_days_U), 2 * len(view.items.age_days_I)


def _with_room(network: FactorisationNetwork, view: MarketView) -> FactorisationNetwork:
    """The network itself, or one with more room and the same weights."""
    users, items = network.user.num_embeddings, network.item.num_embeddings
    if len(view.users.tenure_days_U) <= users and len(view.items.age_days_I) <= items:
        return network
    larger = FactorisationNetwork(*_room(view), network.content.in_features)
    with torch.no_grad():
        larger.user.weight[:users] = network.user.weight
        larger.item.weight[:items] = network.item.weight
        larger.content.load_state_dict(network.content.state_dict())
    return larger
