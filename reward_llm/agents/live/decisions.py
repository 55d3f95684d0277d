"""One decision: the user agent's mode, the content agents' bids, and the orchestrator's slate.

state ─► explore or exploit ─► estimates ─► slate, best first under the weights ─► boosted slots ─► allocation
                                   └► bids ─► pool ─► the best of them, within the quota ───┘
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence

from reward_llm.agents.live.boosting import Bid, Quota, bids, ranked
from reward_llm.agents.live.cache import StateReader
from reward_llm.agents.live.config import DecisionConfig, StateConfig
from reward_llm.agents.live.counts import Counts
from reward_llm.agents.live.estimates import Prospect, estimates, prospects
from reward_llm.agents.live.mood import Mood
from reward_llm.agents.live.stores import StateStore
from reward_llm.agents.live.user_state import UserState
from reward_llm.domain.agents import Allocation, AllocationRequest, Allotted, Feelings, Mode, StateSource
from reward_llm.domain.scenario import Concept, Scenario
from reward_llm.errors import EventsUnavailable, RankingInvalid


class LiveAgents:
    """A `reward_llm.domain.ports.agents.Allocator` over the state that events have made.

    Args:
        store: Where the state is kept.
        state: How users are kept.
        config: How is decided.
        generator: Draws who explores, and what of.
    """

    def __init__(
        self, store: StateStore, state: StateConfig, config: DecisionConfig, generator: random.Random
    ) -> None:
        self._store = store
        self._reader = StateReader(store, state)
        self._state_config = state
        self._config = config
        self._generator = generator
        self._quota = Quota(config)

    async def decide(
        self, scenario: Scenario, weights: Mapping[str, float], request: AllocationRequest
    ) -> Allocation:
        """What is shown; where the state is away, by the neutral state of somebody new, and saying so."""
        violations = tuple(request.problems())
        if violations:
            message = "nothing can be decided: " + "; ".join(map(str, violations))
            raise RankingInvalid(message, violations=violations)
        allowed = [c for c in request.candidates if not c.forbidden]
        reason = None
        try:
            state, counts = await self._reader.read(scenario.name, request.user, [c.item_id for c in allowed])
        except EventsUnavailable as exc:
            state, counts, reason = UserState(self._state_config), {c.item_id: Counts() for c in allowed}, exc.message
        mood, now_s = state.now(), request.at.timestamp()
        feelings = _feelings(mood, now_s, self._config)
        chance = exploring(feelings, self._config)
        mode = Mode.EXPLORE if self._generator.random() < chance else Mode.EXPLOIT
        draw_with = self._generator if mode is Mode.EXPLORE else None
        found = prospects(allowed, counts, mood, now_s, self._config, draw_with=draw_with)
        by_concept = {u.concept: weights.get(u.name, 0.0) for u in scenario.utilities if u.concept}
        boosts = self._boosts(scenario.name, found, by_concept, feelings, request.size)
        return Allocation(
            slots=_slots(found, mood, by_concept, boosts, request.size, self._config),
            mode=mode,
            explore_probability=chance,
            feelings=feelings,
            weights=dict(weights),
            ignored=tuple(u.name for u in scenario.utilities if not u.concept and weights.get(u.name, 0.0) > 0),
            state=StateSource.LIVE if reason is None else StateSource.NEUTRAL,
            reason=reason,
        )

    async def aclose(self) -> None:
        """Let the connection go."""
        await self._store.aclose()

    def _boosts(
        self,
        scenario: str,
        found: Sequence[Prospect],
        weights: Mapping[Concept, float],
        feelings: Feelings,
        size: int,
    ) -> list[Bid]:
        """The bids that are taken; on protected users nothing is tried out that hasn't proved itself."""
        room = self._quota.room(scenario, size)
        tried = [p for p in found if not feelings.protected or p.counts.impressions >= self._config.first_chance]
        taken = ranked(bids(tried, self._config), weights, self._config)[:room]
        self._quota.use(scenario, len(taken))
        return taken


def exploring(feelings: Feelings, config: DecisionConfig) -> float:
    """The probability of exploring: more for the curious and the less satisfied, none for the protected."""
    if feelings.protected:
        return 0.0
    span = config.most_exploring - config.least_exploring
    return config.least_exploring + span * feelings.curiosity * (1 - feelings.satisfaction)


def _feelings(mood: Mood, now_s: float, config: DecisionConfig) -> Feelings:
    is_new = mood.first_ms is None or now_s - mood.first_ms / 1_000 < config.protected_s
    return Feelings(
        satisfaction=mood.satisfaction,
        curiosity=mood.curiosity,
        fatigue=mood.fatigue,
        events=mood.events,
        protected=is_new,
    )


def _slots(
    found: Sequence[Prospect],
    mood: Mood,
    weights: Mapping[Concept, float],
    boosts: Sequence[Bid],
    size: int,
    config: DecisionConfig,
) -> tuple[Allotted, ...]:
    """The slate, greedily: what is worth most beside what is shown already; boosted ones spread over it."""
    worth = estimates(found, mood, config)
    score = [sum(weights.get(c, 0.0) * values[n] for c, values in worth.items()) for n in range(len(found))]
    paid = {b.prospect.candidate.item_id: b.amount for b in boosts}
    boosted = [n for n, p in enumerate(found) if p.candidate.item_id in paid]
    left = [n for n in range(len(found)) if found[n].candidate.item_id not in paid]
    due = {_place(k, len(boosted), size): n for k, n in enumerate(sorted(boosted, key=lambda n: -score[n]))}
    shown: Counter[str | None] = Counter(category for _, category in mood.clicks[-size:])
    slots = []
    for place in range(size):
        gains = {n: score[n] + weights.get(Concept.DIVERSITY, 0.0) / (1 + shown[_category(found[n])]) for n in left}
        chosen = due[place] if place in due else max(left, key=lambda n: (gains[n], -n))
        gain = gains.get(chosen, score[chosen])
        if place not in due:
            left.remove(chosen)
        shown[_category(found[chosen])] += 1
        item = found[chosen].candidate.item_id
        slots.append(Allotted(item_id=item, score=gain, boosted=item in paid, cost=paid.get(item, 0.0)))
    return tuple(slots)


def _category(prospect: Prospect) -> str | None:
    return prospect.candidate.category


def _place(number: int, boosted: int, size: int) -> int:
    """The slot of a boosted item, in the middle of its part of the slate."""
    return (2 * number + 1) * size // (2 * boosted)
