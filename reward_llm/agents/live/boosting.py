"""Paid exposure: who asks for it, who may have it, and how much of it there is.

new items ─► not caught cheating, money left ─► the pool: first chance, or good enough ─► bids ─► at most a fifth
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reward_llm.agents.live.config import DecisionConfig
from reward_llm.agents.live.counts import MICROS, Counts
from reward_llm.agents.live.estimates import Prospect
from reward_llm.domain.scenario import Concept


@dataclass(frozen=True, slots=True, kw_only=True)
class Bid:
    """What a content agent offers for one impression, in money."""

    prospect: Prospect
    amount: float


def money_left(counts: Counts, config: DecisionConfig) -> float:
    """What an item may still spend: its grant and what completions and shares earned, less what it spent."""
    if is_cheating(counts, config):
        return 0.0
    earned = config.earned * (counts.completes + counts.shares)
    return max(0.0, config.grant + earned - counts.spent_micros / MICROS)


def is_cheating(counts: Counts, config: DecisionConfig) -> bool:
    """Whether its clicks look bought: many of them, after which hardly anybody watches or shares."""
    finished = counts.completes + counts.shares
    return counts.clicks >= config.cheat_clicks and finished < config.cheat_finish * counts.clicks


def bids(found: Sequence[Prospect], config: DecisionConfig) -> list[Bid]:
    """What the new items in the pool offer, by their quality and expected clicks; those without money offer none."""
    asking = [p for p in found if p.is_new and money_left(p.counts, config) > 0]
    proven = sorted(p.finish for p in asking if not _awaits_chance(p, config))
    bar = proven[int(config.pool_quantile * (len(proven) - 1))] if proven else 0.0
    pool = [p for p in asking if _awaits_chance(p, config) or p.finish >= bar]
    return [Bid(prospect=p, amount=_amount(p, config)) for p in pool]


def ranked(offers: Sequence[Bid], weights: Mapping[Concept, float], config: DecisionConfig) -> list[Bid]:
    """The bids, those first that are worth most under the served weights.

    A bid is worth the match with the user and the item's quality to clicks, satisfaction and retention, its money to
    the transaction value, and a first chance to the cold start.
    """
    to_user = sum(weights.get(c, 0.0) for c in (Concept.CLICK, Concept.SATISFACTION, Concept.RETENTION))

    def worth(bid: Bid) -> tuple[float, str]:
        prospect = bid.prospect
        value = to_user * prospect.finish * (1 + prospect.match) / 2
        value += weights.get(Concept.GMV, 0.0) * bid.amount / config.highest_bid
        value += weights.get(Concept.COLD_START, 0.0) * _awaits_chance(prospect, config)
        return -value, prospect.candidate.item_id

    return sorted(offers, key=worth)


class Quota:
    """How many slots may be boosted, so that no run of decisions has more than its share of them.

    Args:
        config: The share, and how much of it may be saved up.
    """

    def __init__(self, config: DecisionConfig) -> None:
        self._config = config
        self._credit: defaultdict[str, float] = defaultdict(float)

    def room(self, scenario: str, size: int) -> int:
        """How many of a slate's slots may be boosted."""
        share = self._config.boosted_share * size
        self._credit[scenario] = min(self._credit[scenario] + share, self._config.most_credit + share)
        return min(math.floor(self._credit[scenario]), math.ceil(share))

    def use(self, scenario: str, boosted: int) -> None:
        """Note how many were."""
        self._credit[scenario] -= boosted


def _awaits_chance(prospect: Prospect, config: DecisionConfig) -> bool:
    return prospect.counts.impressions < config.first_chance


def _amount(prospect: Prospect, config: DecisionConfig) -> float:
    quality = min(1.0, prospect.finish / config.expected_finish)
    clicks = min(1.0, prospect.ctr / config.expected_ctr)
    return min(money_left(prospect.counts, config), config.highest_bid * quality * clicks)
