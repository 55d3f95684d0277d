"""The users of a market: what they are like, which nobody sees, and what is on record."""

# U users of the whole run, B users, N slate, T topics, H items of history, I items

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reward_llm.agents.allocation import NO_ITEM, BoolArray, FloatArray, IntArray
from reward_llm.agents.market.behaviour import Boredom, tastes
from reward_llm.agents.market.config import MarketConfig
from reward_llm.agents.market.draws import poisson_by_day


@dataclass(frozen=True, slots=True, kw_only=True)
class Minds:
    """What users are like; hidden."""

    taste_UT: FloatArray
    """Of length 1; drifts."""
    boredom: Boredom
    satisfaction_U: FloatArray
    curiosity_U: FloatArray
    fatigue_U: FloatArray
    loyalty_U: FloatArray
    """Standard normal."""
    visiting_U: BoolArray
    clicked_UI: BoolArray
    """What each has ever clicked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """What is on record of users; `allocation.UserFacts` says what each is."""

    first_day_U: IntArray
    last_day_U: IntArray
    """Day of the last visit."""
    active_days_U: IntArray
    pages_U: IntArray
    recent_UT: FloatArray
    shown_UT: FloatArray
    clicked_UT: FloatArray
    completed_UT: FloatArray
    dwell_s_U: FloatArray
    spent_U: FloatArray
    history_UH: IntArray
    depth_UH: IntArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """Users by number, which is their order of registration."""

    minds: Minds
    records: Records

    @classmethod
    def drawn(cls, config: MarketConfig, items: int, generator: np.random.Generator) -> Users:
        """Draw the users of a market's whole run, over a catalogue of so many items."""
        scale, moods = config.scale, config.moods
        opening = -scale.warm_up_days
        tenure = generator.exponential(config.visits.tenure_days, scale.users).astype(np.int64) + 1
        early = np.sort(opening - tenure)
        first_day_U = np.concatenate(
            [early, poisson_by_day(generator, scale.users_a_day, range(opening, scale.days))]
        )
        users, topics, history = len(first_day_U), scale.topics, scale.history
        minds = Minds(
            taste_UT=tastes(users, config.tastes, topics=topics, generator=generator),
            boredom=Boredom.none(users, config.tastes, topics=topics),
            satisfaction_U=np.full(users, moods.satisfaction_start, dtype=np.float32),
            curiosity_U=np.full(users, moods.curiosity_start, dtype=np.float32),
            fatigue_U=np.zeros(users, dtype=np.float32),
            loyalty_U=generator.standard_normal(users, dtype=np.float32),
            visiting_U=np.zeros(users, dtype=np.bool_),
            clicked_UI=np.zeros((users, items), dtype=np.bool_),
        )
        by_topic = np.zeros((4, users, topics), dtype=np.float32)
        records = Records(
            first_day_U=first_day_U,
            last_day_U=first_day_U.copy(),
            active_days_U=np.zeros(users, dtype=np.int64),
            pages_U=np.zeros(users, dtype=np.int64),
            recent_UT=by_topic[0],
            shown_UT=by_topic[1],
            clicked_UT=by_topic[2],
            completed_UT=by_topic[3],
            dwell_s_U=np.zeros(users, dtype=np.float32),
            spent_U=np.zeros(users, dtype=np.float32),
            history_UH=np.full((users, history), NO_ITEM, dtype=np.int64),
            depth_UH=np.zeros((users, history), dtype=np.int64),
        )
        return cls(minds=minds, records=records)

    def registered(self, day: int) -> int:
        """Count the users that are registered by the end of a day."""
        return int(np.searchsorted(self.records.first_day_U, day, side="right"))


def remember(records: Records, users_B: IntArray, item_BN: IntArray, depth_BN: IntArray) -> None:
    """Append what was clicked, where the depth isn't 0, to the users' histories."""
    count_B = (depth_BN > 0).sum(1)
    row = np.flatnonzero(count_B)
    if not len(row):
        return
    history = records.history_UH.shape[1]
    order = np.argsort(depth_BN[row] == 0, axis=1, kind="stable")
    place = np.arange(history)[None, :] + count_B[row][:, None]
    for kept_UH, new_BN in ((records.history_UH, item_BN), (records.depth_UH, depth_BN)):
        new = np.take_along_axis(new_BN[row], order, axis=1)
        both = np.concatenate([kept_UH[users_B[row]], new], axis=1)
        kept_UH[users_B[row]] = np.take_along_axis(both, place, axis=1)
