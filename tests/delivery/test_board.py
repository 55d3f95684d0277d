from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.delivery import Board, BoardConfig
from reward_llm.domain.act import Act
from reward_llm.domain.goal import Window
from reward_llm.domain.policy import Activation, RewardPolicy, Source
from reward_llm.domain.ports import Store
from reward_llm.domain.scenario import Scope
from reward_llm.domain.serving import Rule
from reward_llm.domain.weights import Weights
from reward_llm.errors import ScenarioUnknown, SegmentUnknown, StoreUnavailable
from reward_llm.store import SqlStore, upgrade
from tests.strategies import HOME_FEED, VIDEO_FEED, weights_within

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
ALL, NEW, MATURE = (Scope("home_feed", s) for s in (None, "new_user", "mature_user"))
SCENARIOS = {s.name: s for s in (HOME_FEED, VIDEO_FEED)}


class Ledger:
    """The activations of a store, which can be away."""

    def __init__(self, *activations: Activation) -> None:
        self.all = list(activations)
        self.away = False

    async def activations(self, *, since: int = 0) -> Sequence[Activation]:
        if self.away:
            raise StoreUnavailable("the disk is gone")
        return [a for a in self.all if a.sequence > since]


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def at(minutes: float | None) -> datetime | None:
    return None if minutes is None else NOON + timedelta(minutes=minutes)


def activation(
    sequence: int, scope: Scope = ALL, *, start: float | None = None, end: float | None = None, made: float = 0
) -> Activation:
    policy = RewardPolicy(
        scope=scope,
        version=sequence,
        weights=HOME_FEED.defaults,
        source=Source.HUMAN,
        origin="edit",
        created_at=NOON,
    )
    return Activation(
        sequence=sequence,
        policy=policy,
        window=Window(valid_from=at(start), valid_until=at(end)),
        activated_at=NOON + timedelta(minutes=made),
        activated_by="wang",
    )


def board_over(ledger: Ledger, time: Time | None = None, config: BoardConfig | None = None) -> Board:
    return Board(
        scenarios=SCENARIOS,
        store=cast("Store", ledger),
        clock=time or Time(),
        config=config or BoardConfig(),
    )


async def refreshed(*activations: Activation) -> Board:
    board = board_over(Ledger(*activations))
    await board.refresh()
    return board


async def test_the_defaults_hold_while_nothing_is_active() -> None:
    served = (await refreshed()).lookup(NEW, NOON)
    assert (served.rule, served.policy.version, served.policy.source) == (Rule.DEFAULT, 0, Source.DEFAULT)
    assert served.policy.weights == HOME_FEED.defaults
    assert served.valid_until is None


async def test_the_segments_activation_wins_over_a_later_one_of_the_scenario() -> None:
    board = await refreshed(activation(1, NEW), activation(2, ALL))
    assert (board.lookup(NEW, NOON).rule, board.lookup(NEW, NOON).policy.version) == (Rule.SEGMENT, 1)
    assert (board.lookup(MATURE, NOON).rule, board.lookup(MATURE, NOON).policy.version) == (Rule.SCENARIO, 2)
    assert board.lookup(ALL, NOON).policy.version == 2


async def test_of_two_activations_the_later_wins() -> None:
    assert (await refreshed(activation(1), activation(2))).lookup(ALL, NOON).policy.version == 2


async def test_weights_hold_until_their_window_ends() -> None:
    board = await refreshed(activation(1), activation(2, start=-5, end=5))
    assert board.lookup(ALL, NOON).valid_until == at(5)
    assert board.lookup(ALL, NOON + timedelta(minutes=5)).policy.version == 1


async def test_weights_hold_until_the_next_ones_begin() -> None:
    board = await refreshed(activation(1), activation(2, start=30), activation(3, start=10, end=20))
    assert board.lookup(ALL, NOON).valid_until == at(10)
    assert board.lookup(NEW, NOON).valid_until == at(10)


async def test_an_earlier_activation_never_takes_over_from_a_later_one() -> None:
    board = await refreshed(activation(1, start=10), activation(2))
    assert board.lookup(ALL, NOON).valid_until is None


async def test_the_defaults_hold_until_the_first_activation_begins() -> None:
    board = await refreshed(activation(1, NEW, start=10))
    assert board.lookup(NEW, NOON).valid_until == at(10)
    assert board.lookup(MATURE, NOON).valid_until is None


minutes = st.none() | st.integers(-6, 6).map(float)


@st.composite
def activations(draw: st.DrawFn) -> list[Activation]:
    made = []
    for sequence in range(1, draw(st.integers(0, 6)) + 1):
        start, end = draw(minutes), draw(minutes)
        if start is not None and end is not None and end <= start:
            end = None
        made.append(activation(sequence, draw(st.sampled_from([ALL, NEW])), start=start, end=end))
    return made


def slow_lookup(made: list[Activation], scope: Scope, moment: datetime) -> int:
    covering = [a for a in made if a.window.covers(moment)]
    for layer in (scope, Scope(scope.scenario)):
        own = [a.sequence for a in covering if a.policy.scope == layer]
        if own:
            return max(own)
    return 0


@given(made=activations(), offsets=st.lists(st.integers(-16, 16), min_size=1, max_size=8))
async def test_lookup_agrees_with_trying_every_activation(made: list[Activation], offsets: list[int]) -> None:
    board = await refreshed(*made)
    for offset in offsets:
        moment = NOON + timedelta(minutes=offset / 2)
        for scope in (ALL, NEW, MATURE):
            assert board.lookup(scope, moment).policy.version == slow_lookup(made, scope, moment)


@given(made=activations(), offset=st.integers(-16, 16))
async def test_the_same_weights_hold_exactly_until_valid_until(made: list[Activation], offset: int) -> None:
    board, moment = await refreshed(*made), NOON + timedelta(minutes=offset / 2)
    for scope in (ALL, NEW):
        served = board.lookup(scope, moment)
        for later in (moment + timedelta(minutes=m / 2) for m in range(60)):
            if served.valid_until is None or later < served.valid_until:
                assert slow_lookup(made, scope, later) == served.policy.version
        if served.valid_until is not None:
            assert slow_lookup(made, scope, served.valid_until) != served.policy.version


@given(weights=weights_within(HOME_FEED))
async def test_the_etag_follows_the_weights(weights: Weights) -> None:
    before, after = activation(1), activation(1)
    other = RewardPolicy(scope=ALL, version=1, weights=weights, source=Source.HUMAN, origin="edit", created_at=NOON)
    changed = Activation(sequence=1, policy=other, window=Window(), activated_at=NOON, activated_by="wang")
    etags = [(await refreshed(a)).lookup(ALL, NOON).etag for a in (before, after, changed)]
    assert etags[0] == etags[1]
    assert (etags[0] == etags[2]) == (weights == HOME_FEED.defaults)


async def test_the_etag_stays_while_only_the_age_changes() -> None:
    time, ledger = Time(), Ledger(activation(1))
    board = board_over(ledger, time)
    await board.refresh()
    first = board.lookup(ALL, time())
    time.now += timedelta(seconds=60)
    later = board.lookup(ALL, time())
    assert (first.etag, first.freshness.age_s, first.freshness.stale) == (later.etag, 0, False)
    assert (later.freshness.age_s, later.freshness.stale) == (60, True)


async def test_a_board_goes_on_while_the_store_is_away() -> None:
    time, ledger = Time(), Ledger(activation(1))
    board = board_over(ledger, time)
    await board.refresh()
    ledger.away = True
    time.now += timedelta(seconds=11)
    with pytest.raises(StoreUnavailable):
        await board.refresh()
    served = board.lookup(NEW, time())
    assert (served.policy.version, served.freshness.stale, served.freshness.age_s) == (1, True, 11)


async def test_a_board_that_never_saw_the_store_is_stale() -> None:
    freshness = board_over(Ledger()).lookup(ALL, NOON).freshness
    assert (freshness.stale, freshness.confirmed) == (True, False)


async def test_a_store_that_hangs_counts_as_away() -> None:
    class Hanging(Ledger):
        async def activations(self, *, since: int = 0) -> Sequence[Activation]:
            await asyncio.sleep(60)
            return []

    board = board_over(Hanging(), config=BoardConfig(timeout_s=0.01))
    with pytest.raises(StoreUnavailable):
        await board.refresh()


async def test_refresh_takes_over_only_what_is_new() -> None:
    ledger = Ledger(activation(1))
    board = board_over(ledger)
    await board.refresh()
    assert board.lookup(ALL, NOON).policy.version == 1
    ledger.all = [activation(2)]
    await board.refresh()
    assert board.lookup(ALL, NOON).policy.version == 2
    assert board.was_activated(activation(1).policy.policy_id)


async def test_keeping_fresh_survives_the_store() -> None:
    ledger = Ledger(activation(1))
    ledger.away = True
    board = board_over(ledger, config=BoardConfig(refresh_s=0.001))
    keeping = asyncio.create_task(board.keep_fresh())
    await asyncio.sleep(0.02)
    assert not board.freshness(NOON).confirmed
    ledger.away = False
    await asyncio.sleep(0.05)
    assert board.lookup(ALL, NOON).policy.version == 1
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


async def test_weights_over_other_utilities_are_never_served() -> None:
    strange = RewardPolicy(
        scope=ALL,
        version=1,
        weights=Weights({"click": 0.5, "glitter": 0.5}),
        source=Source.HUMAN,
        origin="edit",
        created_at=NOON,
    )
    board = await refreshed(
        Activation(sequence=1, policy=strange, window=Window(), activated_at=NOON, activated_by="wang")
    )
    assert board.lookup(ALL, NOON).rule is Rule.DEFAULT
    assert board.was_activated(strange.policy_id)


async def test_the_past_stays_what_it_was() -> None:
    board = await refreshed(activation(1, made=-60), activation(2, made=-10), activation(3, NEW, made=5))
    assert board.held_at(ALL, NOON - timedelta(minutes=90)).version == 0
    assert board.held_at(ALL, NOON - timedelta(minutes=30)).version == 1
    assert board.held_at(NEW, NOON).version == 2
    assert board.held_at(NEW, NOON + timedelta(minutes=5)).version == 3


async def test_the_snapshot_has_every_scope() -> None:
    board = await refreshed(activation(1, NEW))
    served = {s.scope: s for s in board.snapshot(NOON)}
    assert len(served) == sum(1 + len(s.segments) for s in SCENARIOS.values())
    assert all(s == board.lookup(scope, NOON) for scope, s in served.items())


async def test_what_isnt_there_is_refused_by_name() -> None:
    board = await refreshed()
    with pytest.raises(ScenarioUnknown) as scenario:
        board.lookup(Scope("home_fed"), NOON)
    assert "home_feed" in (scenario.value.hint or "")
    with pytest.raises(SegmentUnknown):
        board.lookup(Scope("home_feed", "vip"), NOON)


async def test_a_board_serves_what_the_database_holds(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    await upgrade(url)
    store = SqlStore.open(url)
    board = Board(scenarios=SCENARIOS, store=store, clock=Time(), config=BoardConfig())
    edited = await store.record_edit(NEW, HOME_FEED.defaults, act=Act(actor="wang", at=NOON))
    await store.activate(edited.policy_id, Window(valid_until=at(5)), act=Act(actor="wang", at=NOON))
    await board.refresh()
    served = board.lookup(NEW, NOON)
    assert (served.policy, served.policy_id, served.valid_until) == (edited, edited.policy_id, at(5))
    await store.aclose()
