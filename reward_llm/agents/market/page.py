"""A page of many users: who clicks what, and what it does to their minds."""

# B users, N slate, T topics, X clicks of all pages

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reward_llm.agents.allocation import BoolArray, FloatArray, IntArray
from reward_llm.agents.market import behaviour, moods
from reward_llm.agents.market.catalogue import Catalogue
from reward_llm.agents.market.commerce import Responses, purchase_chance, undercut
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.users import Minds

FRAGILE_RATE_MOST = 1.0
"""No experience weighs more than all that came before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """What users are shown, and the facts about it that they react to."""

    users_B: IntArray
    item_BN: IntArray
    category_BN: IntArray
    topic_BNT: FloatArray
    age_days_BN: IntArray

    @classmethod
    def of(cls, users_B: IntArray, item_BN: IntArray, catalogue: Catalogue, day: int) -> Page:
        """Look the items up."""
        return cls(
            users_B=users_B,
            item_BN=item_BN,
            category_BN=catalogue.category_I[item_BN],
            topic_BNT=catalogue.topic_IT[item_BN],
            age_days_BN=day - catalogue.published_I[item_BN],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaction:
    """What users did with a page."""

    clicked_BN: BoolArray
    completed_BN: BoolArray
    shared_BN: BoolArray
    bought_BN: BoolArray
    dwell_s_BN: FloatArray
    value_BN: FloatArray

    def depth(self) -> IntArray:
        """How far each item went, as in `allocation.UserFacts.depth_UH`."""
        deepest_BN = np.where(self.completed_BN, 2, self.clicked_BN.astype(np.int64))
        deepest_BN[self.shared_BN] = 3
        deepest_BN[self.bought_BN] = 4
        return deepest_BN


def click_chances(
    page: Page, minds: Minds, catalogue: Catalogue, recent_BT: FloatArray, config: MarketConfig
) -> tuple[FloatArray, FloatArray]:
    """Give the probability of each click, and each item's relevance, which what follows a click depends on."""
    clicks = config.clicks
    users_B, topics = page.users_B, config.scale.topics
    interest_BT = np.where(minds.boredom.bored_UT[users_B], 0.0, minds.taste_UT[users_B])
    score_BN = np.einsum("bnt,bt->bn", page.topic_BNT, interest_BT)
    explore_B = moods.exploration(minds.satisfaction_U[users_B], config.moods)
    open_B = clicks.foreign * explore_B * minds.curiosity_U[users_B]
    foreign_BN = np.take_along_axis(recent_BT, page.category_BN, axis=1) == 0
    relevance_BN = behaviour.relevance(score_BN + open_B[:, None] * foreign_BN, clicks)
    appeal_BN = catalogue.appeal_I[page.item_BN]
    aged_BN = 1 - clicks.ageing * (1 - 0.5 ** (page.age_days_BN / clicks.half_life_days))
    attraction_BN = clicks.attraction * relevance_BN * (1 + clicks.appeal * (appeal_BN - 0.5)) * aged_BN
    attraction_BN *= np.where(minds.clicked_UI[users_B[:, None], page.item_BN], clicks.repeat, 1.0)
    crowded_B = behaviour.crowded(behaviour.topic_counts(page.category_BN, topics), clicks)
    page_B = (1 - clicks.fatigue * minds.fatigue_U[users_B]) / np.where(crowded_B, clicks.crowd_penalty, 1.0)
    looked_N = behaviour.examination(page.item_BN.shape[1], clicks)
    chance_BN = np.clip(attraction_BN * page_B[:, None], 0, 1) * looked_N
    return chance_BN.astype(np.float32), relevance_BN


def react(
    page: Page,
    chance_BN: FloatArray,
    relevance_BN: FloatArray,
    uniform_BNR: FloatArray,
    catalogue: Catalogue,
    config: MarketConfig,
) -> Reaction:
    """Decide by uniform numbers what users do."""
    clicked_BN = uniform_BNR[:, :, 0] < chance_BN
    row_X, slot_X = np.nonzero(clicked_BN)
    item_X, relevance_X = page.item_BN[row_X, slot_X], relevance_BN[row_X, slot_X]
    quality_X, price_X = catalogue.quality_I[item_X], catalogue.price_I[item_X]
    rival_X = undercut(page.category_BN[row_X], catalogue.price_I[page.item_BN[row_X]], slot_X)
    responses = Responses.to(
        quality_X=quality_X,
        relevance_X=relevance_X,
        purchase_X=purchase_chance(price_X, rival_X, quality_X, relevance_X, config.responses),
        uniform_X=uniform_BNR[row_X, slot_X],
        config=config.responses,
    )
    flags_3BN = np.zeros((3, *clicked_BN.shape), dtype=np.bool_)
    amounts_2BN = np.zeros((2, *clicked_BN.shape), dtype=np.float32)
    flags_3BN[:, row_X, slot_X] = responses.completed_X, responses.shared_X, responses.bought_X
    amounts_2BN[:, row_X, slot_X] = responses.dwell_s_X, price_X * responses.bought_X
    return Reaction(
        clicked_BN=clicked_BN,
        completed_BN=flags_3BN[0],
        shared_BN=flags_3BN[1],
        bought_BN=flags_3BN[2],
        dwell_s_BN=amounts_2BN[0],
        value_BN=amounts_2BN[1],
    )


def affect(
    page: Page,
    reaction: Reaction,
    minds: Minds,
    *,
    recent_BT: FloatArray,
    quality_BN: FloatArray,
    fragile_B: BoolArray,
    config: MarketConfig,
) -> FloatArray:
    """Change the users' minds; give the recent clicks by topic, which is 1 for what they are about to tire of."""
    users_B, clicked_BN = page.users_B, reaction.clicked_BN
    experience_B = moods.experience(quality_BN, clicked_BN, reaction.completed_BN, config.moods)
    harder_B = np.where(fragile_B, config.visits.fragile, 1.0)
    rate_B = np.minimum(config.moods.satisfaction_rate * harder_B, FRAGILE_RATE_MOST)
    minds.satisfaction_U[users_B] = moods.satisfaction(minds.satisfaction_U[users_B], experience_B, rate_B)
    novel_BN = clicked_BN & (np.take_along_axis(recent_BT, page.category_BN, axis=1) == 0)
    minds.curiosity_U[users_B] = moods.curiosity(minds.curiosity_U[users_B], novel_BN.sum(1), config.moods)
    same_B = moods.monotonous(page.category_BN, config.moods.alike)
    minds.fatigue_U[users_B] = moods.fatigue(minds.fatigue_U[users_B], same_B, config.moods)
    minds.taste_UT[users_B] = behaviour.drifted(minds.taste_UT[users_B], clicked_BN, page.topic_BNT, config.tastes)
    row_X, slot_X = np.nonzero(clicked_BN)
    minds.clicked_UI[users_B[row_X], page.item_BN[row_X, slot_X]] = True
    _, count_BT = minds.boredom.page(users_B, clicked_BN, page.category_BN, config.tastes)
    return np.clip(count_BT / config.tastes.boredom, 0, 1).astype(np.float32)
