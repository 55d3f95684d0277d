"""What would come of showing an item to a user, learned from pages alone.

Only what was done with pages is learned from: counts that others could have bought don't enter.
"""

# B users present, N slate, I items

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray, MarketView, StepOutcome
from reward_llm.agents.orchestrator.effects import Effects, EffectsConfig, Trials, chances
from reward_llm.agents.orchestrator.facts import FACTS, PAIR_FACTS, Past, item_facts


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimatesConfig:
    """Priors of the three regressions, and of the time on an item."""

    click: EffectsConfig = field(
        default_factory=lambda: EffectsConfig(
            start=0.1, taste_precision=3.0, item_precision=12.0, creator_precision=40.0, forget=0.2
        )
    )
    """Of a click on what is looked at."""
    completion: EffectsConfig = field(default_factory=lambda: EffectsConfig(start=0.4))
    """Of a completed view of what was clicked."""
    purchase: EffectsConfig = field(
        default_factory=lambda: EffectsConfig(start=0.05, taste_precision=8.0, item_precision=4.0)
    )
    """Of a purchase of what was clicked and is sold."""
    dwell_s: float = 60.0
    """On a click on an unknown item."""
    dwell_clicks: float = 4.0
    """Clicks that this guess counts for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospects:
    """For users and all items."""

    click_BI: FloatArray
    """Probability of a click, once looked at."""
    completion_BI: FloatArray
    """Of a completed view, once clicked."""
    purchase_BI: FloatArray
    """Of a purchase, once clicked; 0 where nothing is sold."""
    dwell_s_I: FloatArray
    """Seconds on a click."""


class Estimates:
    """The regressions of one market."""

    def __init__(self, config: EstimatesConfig, topics: int) -> None:
        self._config = config
        self.click = Effects(config.click, topics=topics, facts=FACTS)
        self.completion = Effects(config.completion, topics=topics, facts=FACTS)
        self.purchase = Effects(config.purchase, topics=topics, facts=FACTS)
        self.past = Past(topics)
        self._dwell_I = np.zeros(0, dtype=np.float32)
        self._clicks_I = np.zeros(0, dtype=np.float32)

    def begin_day(self, view: MarketView) -> None:
        """Make room for who and what is new, and let a night pass."""
        users, items = len(view.users.tenure_days_U), len(view.items.age_days_I)
        self.past.begin_day(users, items)
        more = (0, items - len(self._dwell_I))
        self._dwell_I, self._clicks_I = np.pad(self._dwell_I, more), np.pad(self._clicks_I, more)
        for effects in (self.click, self.completion, self.purchase):
            effects.grow(users, items, int(view.items.creator_I.max()) + 1)
            effects.forget()

    def prospects(
        self, view: MarketView, users_B: IntArray, try_B: FloatArray, generator: np.random.Generator
    ) -> Prospects:
        """Of every item for these users.

        `try_B` is how far clicks are drawn from what is known, instead of their mean: at 0 nothing is tried, 1 is
        Thompson sampling (Chapelle & Li 2011).
        """
        items, own_IF = view.items, item_facts(view)
        pairs, open_BT = self.past.pairs(view, users_B), self.past.open(users_B)
        found = {}
        for name, effects in (("click", self.click), ("completion", self.completion), ("purchase", self.purchase)):
            shared_BI = np.broadcast_to(own_IF @ effects.fact_F[PAIR_FACTS:], (len(users_B), len(own_IF))).copy()
            for coefficient, fact_BI in zip(effects.fact_F, pairs, strict=False):
                shared_BI += coefficient * fact_BI
            if effects is self.click:
                shared_BI += effects.drawn(users_B, items, try_B, generator, open_BT)
            found[name] = chances(effects.logits(users_B, items, shared_BI, open_BT))
        return Prospects(
            click_BI=found["click"],
            completion_BI=found["completion"],
            purchase_BI=found["purchase"] * (view.items.price_I > 0),
            dwell_s_I=self._dwell_s(),
        )

    def observe(self, view: MarketView, outcome: StepOutcome) -> None:
        """Learn from a page."""
        item_BN = outcome.item_BN
        facts_BNF = np.concatenate(
            [self.past.pairs_at(view, outcome.users_B, item_BN), item_facts(view)[item_BN]], axis=-1
        )
        open_BNT = view.items.topic_IT[item_BN] * self.past.open(outcome.users_B)[:, None]
        sold_BN = outcome.clicked_BN & (view.items.price_I[item_BN] > 0)
        look_BN = np.broadcast_to(view.examination_N, item_BN.shape)

        def trials(examination_BN: FloatArray | BoolArray, success_BN: BoolArray) -> Trials:
            return Trials(
                users_B=outcome.users_B,
                item_BN=item_BN,
                creator_BN=view.items.creator_I[item_BN],
                topic_BNT=open_BNT,
                facts_BNF=facts_BNF,
                examination_BN=np.asarray(examination_BN, dtype=np.float32),
                success_BN=success_BN,
            )

        self.click.learn(trials(look_BN, outcome.clicked_BN))
        self.completion.learn(trials(outcome.clicked_BN, outcome.completed_BN))
        self.purchase.learn(trials(sold_BN, outcome.bought_BN))
        clicked_X = item_BN[outcome.clicked_BN]
        np.add.at(self._dwell_I, clicked_X, outcome.dwell_s_BN[outcome.clicked_BN])
        np.add.at(self._clicks_I, clicked_X, 1)
        self.past.observe(view, outcome)

    def quality(self, view: MarketView) -> tuple[FloatArray, FloatArray]:
        """What a completed view's logit owes to each item and its creator, and the standard deviation of that."""
        creator_I = view.items.creator_I
        return self.completion.quality(creator_I), self.completion.deviation(creator_I)

    def _dwell_s(self) -> FloatArray:
        prior = self._config.dwell_clicks
        dwell_I: FloatArray = (self._dwell_I + prior * self._config.dwell_s) / (self._clicks_I + prior)
        return dwell_I
