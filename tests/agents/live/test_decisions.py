from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from reward_llm.agents.live.boosting import is_cheating, money_left
from reward_llm.agents.live.counts import MICROS, Counts
from reward_llm.agents.live.decisions import LiveAgents, exploring
from reward_llm.agents.live.stores import Changed, Versions
from reward_llm.agents.live.stores.memory import MemoryStates
from reward_llm.agents.live.updater import Updater
from reward_llm.domain.agents import Allocation, AllocationRequest, Feelings, Mode, StateSource
from reward_llm.domain.events import Event, EventType
from reward_llm.domain.ranking import Candidate
from reward_llm.errors import EventsUnavailable, RankingInvalid
from tests.events import DECIDING, NOON, STATE, event
from tests.strategies import HOME_FEED

WEEK = timedelta(days=7)
CANDIDATES = [Candidate(item_id=f"i{n}", category="abcd"[n % 4], price=10.0 + n) for n in range(20)]
FEELINGS = Feelings(satisfaction=0.5, curiosity=0.5, fatigue=0.0, events=1, protected=False)


def only(utility: str) -> dict[str, float]:
    return {name: float(name == utility) for name in HOME_FEED.utility_names}


class Surface:
    """Agents over a memory of their own, a week after a user came first."""

    def __init__(self, seed: int = 0) -> None:
        self.store = MemoryStates()
        self.agents = LiveAgents(self.store, STATE, DECIDING, random.Random(seed))
        self.count = 0

    async def happened(self, *events: Event) -> None:
        await Updater(self.store, STATE).apply(events)

    async def repeat(self, kind: EventType, times: int, **changes: Any) -> None:
        made = [event(f"{kind}{self.count + n}", kind, n / 100, **changes) for n in range(times)]
        self.count += times
        await self.happened(*made)

    async def decide(
        self,
        weights: Mapping[str, float] | None = None,
        candidates: Sequence[Candidate] = CANDIDATES,
        size: int = 5,
        user: str = "u1",
    ) -> Allocation:
        request = AllocationRequest(user=user, candidates=tuple(candidates), size=size, at=NOON + WEEK)
        return await self.agents.decide(HOME_FEED, weights or HOME_FEED.defaults, request)


def items(made: Allocation) -> list[str]:
    return [slot.item_id for slot in made.slots]


async def test_the_weights_decide_who_comes_first() -> None:
    surface = Surface()
    for item, clicks, completes, bought in (("i1", 30, 0, 0), ("i2", 10, 10, 0), ("i3", 10, 0, 5)):
        common = {"item": item, "user": "other", "category": None}
        await surface.repeat(EventType.IMPRESSION, 60, **common)
        await surface.repeat(EventType.CLICK, clicks, **common)
        await surface.repeat(EventType.COMPLETE, completes, **common)
        await surface.repeat(EventType.PURCHASE, bought, value=20.0, **common)
    for utility, best in (("click", "i1"), ("satisfaction", "i2"), ("gmv", "i3")):
        assert items(await surface.decide(only(utility)))[0] == best


async def test_diversity_spreads_categories_and_groups_come_in_order() -> None:
    surface = Surface()
    alike = [Candidate(item_id=f"i{n}", category="a" if n < 10 else f"c{n}", group=20 - n) for n in range(14)]
    made = await surface.decide(only("diversity"), alike)
    assert len({next(c.category for c in alike if c.item_id == item) for item in items(made)}) == 5
    assert items(await surface.decide(only("group_order"), alike)) == ["i13", "i12", "i11", "i10", "i9"]


async def test_new_items_come_first_where_cold_starts_count() -> None:
    published = round((NOON + WEEK).timestamp()) - 3_600
    fresh = [replace(c, published=published) if c.item_id in {"i7", "i8"} else c for c in CANDIDATES]
    surface = Surface()
    assert set(items(await surface.decide(only("cold_start"), fresh, 2))) == {"i7", "i8"}
    await surface.happened(event("p", EventType.PUBLISH, 6.5 * 86_400, item="i9", user=None, creator="c"))
    assert set(items(await surface.decide(only("cold_start"), fresh, 3))) == {"i7", "i8", "i9"}


def test_who_is_new_is_left_alone_and_who_is_unhappy_explores() -> None:
    def chance(**changes: Any) -> float:
        return exploring(replace(FEELINGS, **changes), DECIDING)

    assert chance(protected=True) == 0
    assert chance(satisfaction=0.1) > chance(satisfaction=0.9) >= DECIDING.least_exploring
    assert chance(curiosity=0.9) > chance(curiosity=0.1)
    assert chance(satisfaction=0, curiosity=1) == DECIDING.most_exploring


async def test_users_explore_as_often_as_their_agent_says() -> None:
    surface = Surface()
    await surface.happened(event())
    modes = [await surface.decide() for _ in range(400)]
    chance = modes[0].explore_probability
    explored = sum(made.mode is Mode.EXPLORE for made in modes)
    assert abs(explored - 400 * chance) < 5 * (400 * chance * (1 - chance)) ** 0.5
    stranger = await surface.decide(user="stranger")
    assert (stranger.mode, stranger.explore_probability, stranger.feelings.protected) == (Mode.EXPLOIT, 0.0, True)


async def test_at_most_a_fifth_is_boosted_and_it_is_paid_for() -> None:
    published = round((NOON + WEEK).timestamp()) - 3_600
    fresh = [replace(c, published=published) for c in CANDIDATES]
    surface = Surface()
    await surface.happened(event())
    slots = [slot for _ in range(50) for slot in (await surface.decide(candidates=fresh, size=4)).slots]
    boosted = [slot for slot in slots if slot.boosted]
    assert 0 < len(boosted) <= 0.2 * len(slots)
    assert all(0 < slot.cost <= DECIDING.highest_bid for slot in boosted)
    assert all(slot.cost == 0 for slot in slots if not slot.boosted)
    calm = [await surface.decide(candidates=fresh, user="stranger") for _ in range(10)]
    assert not any(slot.boosted for made in calm for slot in made.slots)


async def test_a_slate_has_no_item_twice_and_no_forbidden_one() -> None:
    published = round((NOON + WEEK).timestamp()) - 3_600
    few = [replace(c, published=published, forbidden=c.item_id == "i0") for c in CANDIDATES[:11]]
    surface = Surface()
    await surface.happened(event())
    for _ in range(20):
        assert sorted(items(await surface.decide(candidates=few, size=10))) == sorted(f"i{n}" for n in range(1, 11))


def test_bought_clicks_cost_the_budget() -> None:
    honest = Counts(impressions=400, clicks=40, completes=10, spent_micros=2 * MICROS)
    bought = Counts(impressions=400, clicks=40, completes=1)
    assert not is_cheating(honest, DECIDING)
    assert is_cheating(bought, DECIDING)
    assert money_left(honest, DECIDING) == DECIDING.grant + 10 * DECIDING.earned - 2
    assert money_left(bought, DECIDING) == 0


async def test_what_cannot_be_decided_is_refused() -> None:
    with pytest.raises(RankingInvalid) as refused:
        await Surface().decide(size=21)
    assert [v.code for v in refused.value.violations] == ["too_few"]


async def test_without_state_the_agents_decide_as_for_a_stranger_and_say_so() -> None:
    class Away(MemoryStates):
        async def changed(self, scenario: str, users: Versions, items: Versions) -> Changed:
            raise EventsUnavailable("the agents' state can't be reached")

    agents = LiveAgents(Away(), STATE, DECIDING, random.Random(0))
    request = AllocationRequest(user="u1", candidates=tuple(CANDIDATES), size=5, at=NOON + WEEK)
    made = await agents.decide(HOME_FEED, HOME_FEED.defaults, request)
    assert (made.state, made.reason) == (StateSource.NEUTRAL, "the agents' state can't be reached")
    assert len(made.slots) == 5
    assert made.mode is Mode.EXPLOIT
