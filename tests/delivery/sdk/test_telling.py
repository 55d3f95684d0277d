"""What a callback is told, against looking at every scope and unit at every moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from reward_llm.delivery.sdk import ClientChange, Weights
from reward_llm.delivery.sdk.clock import ServerClock
from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.fetch import Document
from reward_llm.delivery.sdk.keeper import Keeper
from reward_llm.delivery.sdk.lookups import Lookups
from reward_llm.delivery.sdk.snapshot import ScopeKey
from reward_llm.domain.activation import Activation
from reward_llm.domain.ports import Freeze
from tests.activations import ALL, NEW, NOON, activation, schedules
from tests.delivery.sdk.test_carried import FREEZES, SCOPES, State, states_of
from tests.delivery.test_board import freeze

UNITS = (None, *(f"user_{i}" for i in range(12)))
HALF_S = 30.0
Sight = dict[ScopeKey, tuple[object, ...]]


class Told:
    """A client whose callback is written down."""

    def __init__(self) -> None:
        self.at = 0.0
        self.changes: list[ClientChange] = []
        config = ClientConfig(on_change=self.changes.append)
        clock = ServerClock(monotonic=lambda: self.at, wall=lambda: NOON.timestamp() + self.at)
        self.lookups = Lookups(clock)
        self.keeper = Keeper(lookups=self.lookups, clock=clock, config=config, monotonic=lambda: self.at)

    def fetch(self, state: State) -> None:
        told = Document(body=state.document, etag=state.snapshot.etag, sent=self.at, received=self.at)
        self.keeper.take(self.keeper.prepared(told))

    def sight(self) -> Sight:
        return {key: tuple(_said(self.lookups.weights(*key, unit)) for unit in UNITS) for key in SCOPES}

    def news(self) -> set[ScopeKey]:
        """The scopes that were told of since the last time."""
        found = {scope for change in self.changes for scope in change.scopes}
        self.changes.clear()
        return found


def _said(weights: Weights | None) -> object:
    assert weights is not None
    return weights.policy_id, weights.rule, weights.rollout


def differing(one: Sight, other: Sight) -> set[ScopeKey]:
    return {key for key in SCOPES if one[key] != other[key]}


@given(
    made=schedules(),
    freezes=st.lists(FREEZES, max_size=2),
    pauses=st.lists(st.integers(0, 4), min_size=8, max_size=8),
    asks=st.booleans(),
)
@settings(max_examples=60)
async def test_whatever_is_held_otherwise_is_told(
    made: list[Activation], freezes: list[Freeze], pauses: list[int], asks: bool
) -> None:
    changes: Sequence[Activation | Freeze] = [*made, *freezes]
    states = await states_of(changes, [timedelta(seconds=p * HALF_S) for p in pauses[: len(changes)]])
    partial = any(activation.partial for activation in made)
    client = Told()
    client.fetch(states[0])
    assert client.news() >= set(SCOPES)
    before = client.sight()
    for state in states[1:]:
        while client.at < (state.as_of - NOON).total_seconds():
            client.at += HALF_S
            client.keeper.pass_edges()
            now = client.sight()
            told = client.news()
            assert told >= differing(before, now)
            assert partial or told == differing(before, now), "of a rollout others may hold than those who look"
            before = now
        if asks:
            client.fetch(state)
            now = client.sight()
            assert client.news() >= differing(before, now)
            before = now


@given(made=schedules(), minutes=st.lists(st.integers(0, 4), min_size=1, max_size=6))
@settings(max_examples=60)
async def test_what_comes_by_schedule_is_told_once_though_the_service_says_it_as_well(
    made: list[Activation], minutes: list[int]
) -> None:
    """One client asks at every edge, another never; neither is told of anything twice."""
    known = await states_of(made, [timedelta()] * len(made))
    later = await _moments(made, minutes)
    asking, alone = Told(), Told()
    for client in (asking, alone):
        client.fetch(known[-1])
        client.news()
    for state in later:
        for client in (asking, alone):
            client.at = (state.as_of - NOON).total_seconds()
        asking.fetch(state)
        asking.keeper.pass_edges()
        alone.keeper.pass_edges()
        assert [c.scopes for c in asking.changes] == [c.scopes for c in alone.changes]
        assert asking.news() == alone.news()


async def _moments(made: list[Activation], minutes: list[int]) -> list[State]:
    pauses = [timedelta()] * len(made) + [timedelta(minutes=m) for m in minutes]
    states = await states_of([*made, *([None] * len(minutes))], pauses)
    return states[len(made) + 1 :]


async def test_who_has_no_callback_has_no_edges_looked_for() -> None:
    states = await states_of([activation(1, start=5), freeze(NEW)], [timedelta(), timedelta()])
    told, silent = Told(), Told()
    silent.keeper = Keeper(lookups=silent.lookups, clock=silent.lookups._clock, config=ClientConfig())
    for client in (told, silent):
        client.fetch(states[1])
    assert (told.keeper.edge_in_s, silent.keeper.edge_in_s) == (300.0, None)
    assert silent.keeper.table.edges == ()


async def test_a_change_of_a_scenario_is_told_of_those_of_its_segments_that_follow_it() -> None:
    states = await states_of([activation(1, NEW), activation(2, ALL)], [timedelta(), timedelta()])
    client = Told()
    client.fetch(states[1])
    client.news()
    client.fetch(states[2])
    assert client.news() == {("home_feed", None), ("home_feed", "mature_user")}
