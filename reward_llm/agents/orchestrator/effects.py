"""Online logistic regression with an effect for every user, item and creator, and for a few facts.

    logit p = bias + facts . global + topic . (usual + taste_u) + quality_i + skill_creator(i)

Each coefficient has a mean and a precision (a diagonal Laplace approximation, as Chapelle & Li 2011, algorithm 3), so
that it is known how sure it is; of the few that all share, the whole covariance is kept. A click needs a look first:
with e the probability of one (the examination of the slot), P(click) = e p, and both the gradient and the Fisher
information are those of e p.
"""

# B users present, N slate, I items, U users, C creators, T topics, F facts

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray, ItemFacts

LARGEST = 1 - 1e-4
"""Probabilities stay below it where they stand in a denominator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectsConfig:
    """Prior and pace of a regression."""

    start: float
    """Probability of an unknown item for an unknown user."""
    taste_precision: float = 0.3
    """Of the prior of a user's taste for a topic, in 1 / logit squared; its mean is 0."""
    item_precision: float = 2.0
    """Of the prior of an item's quality, beside its creator's skill."""
    creator_precision: float = 4.0
    """Of the prior of a creator's skill."""
    fact_precision: float = 1.0
    """Of the prior of a fact's coefficient."""
    damping: float = 0.5
    """Share of a Newton step that is taken; the kinds of effects step at the same time."""
    forget: float = 0.03
    """Share of what is known of a taste, or of what all share, that is forgotten in a night, as tastes drift."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """What was tried: slots of pages, each with a user, an item, its creator and facts."""

    users_B: IntArray
    item_BN: IntArray
    creator_BN: IntArray
    topic_BNT: FloatArray
    """What of the items' topics the users aren't tired of."""
    facts_BNF: FloatArray
    examination_BN: FloatArray
    """Probability of a look; 0 leaves the trial out."""
    success_BN: BoolArray


class Effects:
    """One regression."""

    def __init__(self, config: EffectsConfig, *, topics: int, facts: int) -> None:
        self._config = config
        self.bias = float(np.log(config.start / (1 - config.start)))
        self.fact_F = np.zeros(facts, dtype=np.float32)
        self.usual_T = np.zeros(topics, dtype=np.float32)
        """Taste that users have in common; `taste_UT` is what each one's differs by."""
        self._shared_precision_XX = config.fact_precision * np.eye(facts + topics)
        self.taste_UT = np.zeros((0, topics), dtype=np.float32)
        self.taste_precision_UT = np.zeros((0, topics), dtype=np.float32)
        self.item_I = np.zeros(0, dtype=np.float32)
        self.item_precision_I = np.zeros(0, dtype=np.float32)
        self.creator_C = np.zeros(0, dtype=np.float32)
        self.creator_precision_C = np.zeros(0, dtype=np.float32)

    def grow(self, users: int, items: int, creators: int) -> None:
        """Make room for new users, items and creators."""
        config, topics = self._config, self.taste_UT.shape[1]
        more_users, more_items = users - len(self.taste_UT), items - len(self.item_I)
        fresh = np.zeros(creators - len(self.creator_C), dtype=np.float32)
        self.creator_C = np.concatenate([self.creator_C, fresh])
        self.creator_precision_C = np.concatenate([self.creator_precision_C, fresh + config.creator_precision])
        if more_users:
            rows = np.zeros((more_users, topics), dtype=np.float32)
            self.taste_UT = np.concatenate([self.taste_UT, rows])
            self.taste_precision_UT = np.concatenate([self.taste_precision_UT, rows + config.taste_precision])
        if more_items:
            fresh = np.zeros(more_items, dtype=np.float32)
            self.item_I = np.concatenate([self.item_I, fresh])
            self.item_precision_I = np.concatenate([self.item_precision_I, fresh + config.item_precision])

    def forget(self) -> None:
        """Let a night pass: what is known of tastes comes nearer to the prior's certainty."""
        kept = 1 - self._config.forget
        prior = self._config.taste_precision
        self._shared_precision_XX *= kept
        self.taste_precision_UT += self._config.forget * (prior - self.taste_precision_UT)

    def logits(
        self, users_B: IntArray, items: ItemFacts, shared_BI: FloatArray, open_BT: FloatArray | float = 1.0
    ) -> FloatArray:
        """For users and all items; `shared_BI` is what the facts come to, `open_BT` is 0 for what tires a user."""
        own_I = self.quality(items.creator_I) + self.bias
        taste_BT = open_BT * (self.usual_T + self.taste_UT[users_B])
        logit_BI: FloatArray = taste_BT @ items.topic_IT.T + own_I + shared_BI
        return logit_BI

    def drawn(
        self,
        users_B: IntArray,
        items: ItemFacts,
        scale_B: FloatArray,
        generator: np.random.Generator,
        open_BT: FloatArray | float = 1.0,
    ) -> FloatArray:
        """What tastes and qualities drawn from what is known would add to those logits (Thompson 1933).

        `scale_B` scales the deviations of the draw for each user; 0 adds nothing.
        """
        taste_BT = generator.standard_normal((len(users_B), self.taste_UT.shape[1]), dtype=np.float32)
        taste_BT *= open_BT * scale_B[:, None] / np.sqrt(self.taste_precision_UT[users_B])
        item_I = generator.standard_normal(len(self.item_I), dtype=np.float32) * self.deviation(items.creator_I)
        drawn_BI: FloatArray = taste_BT @ items.topic_IT.T + scale_B[:, None] * item_I
        return drawn_BI

    def quality(self, creator_I: IntArray) -> FloatArray:
        """What the logit owes to each item and its creator."""
        return self.item_I + self.creator_C[creator_I]

    def deviation(self, creator_I: IntArray) -> FloatArray:
        """The standard deviation of that."""
        variance_I = 1 / self.item_precision_I + 1 / self.creator_precision_C[creator_I]
        return np.sqrt(variance_I)

    def learn(self, trials: Trials) -> None:
        """One damped Newton step of every effect that the trials touch, of one kind after the other.

        A user stands in the trials once.
        """
        self._step_shared(trials, *self._slopes(trials))
        self._step_tastes(trials, *self._slopes(trials))
        self._step_group(self.item_I, self.item_precision_I, trials.item_BN, *self._slopes(trials))
        self._step_group(self.creator_C, self.creator_precision_C, trials.creator_BN, *self._slopes(trials))

    def _slopes(self, trials: Trials) -> tuple[FloatArray, FloatArray]:
        """The gradient of each trial's log-likelihood by its logit, and the Fisher information."""
        p_BN = chances(self._own_logits(trials))
        look_BN = trials.examination_BN
        seen_BN = np.minimum(look_BN * p_BN, LARGEST)
        missed_BN = -(1 - p_BN) * seen_BN / (1 - seen_BN)
        slope_BN = np.where(trials.success_BN, 1 - p_BN, missed_BN) * (look_BN > 0)
        return slope_BN, seen_BN * np.square(1 - p_BN) / (1 - seen_BN)

    def _own_logits(self, trials: Trials) -> FloatArray:
        taste_BT = self.usual_T + self.taste_UT[trials.users_B]
        taste_BN = np.einsum("bnt,bt->bn", trials.topic_BNT, taste_BT)
        quality_BN = self.item_I[trials.item_BN] + self.creator_C[trials.creator_BN]
        logit_BN: FloatArray = taste_BN + quality_BN + self.bias + trials.facts_BNF @ self.fact_F
        return logit_BN

    def _step_shared(self, trials: Trials, slope_BN: FloatArray, weight_BN: FloatArray) -> None:
        """Of the facts' coefficients and the usual taste, which are few enough to be known with all covariances."""
        columns_BNX = np.concatenate([trials.facts_BNF, trials.topic_BNT], axis=-1)
        columns_EX = columns_BNX.reshape(-1, columns_BNX.shape[-1])
        self._shared_precision_XX += (columns_EX * weight_BN.reshape(-1, 1)).T @ columns_EX
        step_X = np.linalg.solve(self._shared_precision_XX, columns_EX.T @ slope_BN.ravel()).astype(np.float32)
        self.fact_F += self._config.damping * step_X[: len(self.fact_F)]
        self.usual_T += self._config.damping * step_X[len(self.fact_F) :]

    def _step_tastes(self, trials: Trials, slope_BN: FloatArray, weight_BN: FloatArray) -> None:
        users_B = trials.users_B
        self.taste_precision_UT[users_B] += (weight_BN[..., None] * np.square(trials.topic_BNT)).sum(1)
        step_BT = (slope_BN[..., None] * trials.topic_BNT).sum(1) / self.taste_precision_UT[users_B]
        self.taste_UT[users_B] += self._config.damping * step_BT

    def _step_group(
        self,
        mean_G: FloatArray,
        precision_G: FloatArray,
        group_BN: IntArray,
        slope_BN: FloatArray,
        weight_BN: FloatArray,
    ) -> None:
        """Of the items, or of the creators; in place."""
        flat, groups = group_BN.ravel(), len(mean_G)
        precision_G += np.bincount(flat, weight_BN.ravel(), groups).astype(np.float32)
        step_G = np.bincount(flat, slope_BN.ravel(), groups).astype(np.float32) / precision_G
        mean_G += self._config.damping * step_G


def chances(logit: FloatArray) -> FloatArray:
    """The logistic function."""
    chance: FloatArray = (1 / (1 + np.exp(-logit))).astype(np.float32)
    return chance
