"""What each candidate is expected to be worth to each utility, for one user.

Rates of an item are means of Beta posteriors, or draws from them where the user explores (Thompson 1933; Chapelle and
Li 2011). Every estimate is then put on [0, 1] over the candidates, so that a weight means the same for each of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from reward_llm.agents.live.config import DecisionConfig
from reward_llm.agents.live.counts import Counts
from reward_llm.agents.live.mood import Mood
from reward_llm.domain.ranking import Candidate
from reward_llm.domain.scenario import Concept

_LEAST_BETA = 1e-3
"""Both parameters of a Beta distribution are over 0."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """A candidate with what is known of it.

    `ctr` is expected clicks an impression, `finish` completions and shares a click, `buying` purchases a click, all
    in [0, 1]; `match` is the share of the user's interest that its category has.
    """

    candidate: Candidate
    counts: Counts
    ctr: float
    finish: float
    buying: float
    match: float
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Rate:
    successes: int
    trials: int
    expected: float
    trust: float

    def mean(self) -> float:
        return min(1.0, (self.successes + self.expected * self.trust) / (self.trials + self.trust))

    def draw(self, generator: random.Random) -> float:
        good = self.successes + self.expected * self.trust
        bad = max(self.trials + self.trust - good, _LEAST_BETA)
        return generator.betavariate(good, bad)


def prospects(
    candidates: Sequence[Candidate],
    counts: Mapping[str, Counts],
    mood: Mood,
    now_s: float,
    config: DecisionConfig,
    *,
    draw_with: random.Random | None = None,
) -> list[Prospect]:
    """The candidates with what is known of them.

    Args:
        candidates: What may be shown.
        counts: Of each candidate.
        mood: The user's.
        now_s: In seconds since 1970.
        config: What is expected of unknown items, and how much.
        draw_with: Draws rates from their posteriors; None takes the means.
    """

    def rate(successes: int, trials: int, expected: float, trust: float) -> float:
        found = _Rate(successes, trials, expected, trust)
        return found.mean() if draw_with is None else found.draw(draw_with)

    interest = sum(mood.affinity.values())
    found = []
    for candidate in candidates:
        known = counts[candidate.item_id]
        liked = mood.affinity.get(candidate.category or "", 0.0)
        found.append(
            Prospect(
                candidate=candidate,
                counts=known,
                ctr=rate(known.clicks, known.impressions, config.expected_ctr, config.ctr_trust),
                finish=rate(
                    known.completes + known.shares, known.clicks, config.expected_finish, config.finish_trust
                ),
                buying=rate(known.purchases, known.clicks, config.expected_buying, config.buying_trust),
                match=liked / interest if interest > 0 else 0.0,
                is_new=_is_new(candidate, known, now_s, config),
            )
        )
    return found


def _is_new(candidate: Candidate, counts: Counts, now_s: float, config: DecisionConfig) -> bool:
    published_s = counts.published_ms / 1_000 if counts.published_ms else candidate.published
    return published_s is not None and 0 <= now_s - published_s <= config.new_s


def estimates(found: Sequence[Prospect], mood: Mood, config: DecisionConfig) -> dict[Concept, list[float]]:
    """What each prospect is worth to each utility but diversity, which depends on what else is shown."""
    tired = mood.fatigue
    worth: dict[Concept, Callable[[Prospect], float]] = {
        Concept.CLICK: lambda p: p.ctr * (1 + p.match),
        Concept.GMV: lambda p: p.ctr * p.buying * (p.candidate.price or 0.0),
        Concept.SATISFACTION: lambda p: p.finish * (1 + p.match),
        Concept.RETENTION: lambda p: p.finish * ((1 - tired) * p.match + tired * (1 - p.match)),
        Concept.COLD_START: lambda p: _chance_missing(p, config),
        Concept.GROUP_ORDER: lambda p: 1 / (1 + p.candidate.group),
    }
    return {concept: _spread([value(p) for p in found]) for concept, value in worth.items()}


def _chance_missing(prospect: Prospect, config: DecisionConfig) -> float:
    """How much of its first chance a new item has still to get; 0 for others."""
    return max(0.0, 1 - prospect.counts.impressions / config.first_chance) if prospect.is_new else 0.0


def _spread(values: Sequence[float]) -> list[float]:
    """The values from 0 for the least to 1 for the greatest; all 0 where they are the same."""
    low, high = min(values, default=0.0), max(values, default=0.0)
    return [(v - low) / (high - low) if high > low else 0.0 for v in values]
