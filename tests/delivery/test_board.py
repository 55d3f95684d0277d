from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.delivery.board import Board, BoardConfig
from reward_llm.domain.act import Act
from reward_llm.domain.activation import Activation
from reward_llm.domain.goal import Window
from reward_llm.domain.policy import RewardPolicy, Source
from reward_llm.domain.ports import Freeze, ServingChanges
from reward_llm.domain.rollout import bucket
from reward_llm.domain.scenario import Scope
from reward_llm.domain.serving import Rollout, Rule
from reward_llm.domain.weights import Weights
from reward_llm.errors import ScenarioUnknown, SegmentUnknown, StoreUnavailable
from reward_llm.store import SqlStore, upgrade
from reward_llm.store.database import Database
from reward_llm.store.governance import SqlGovernance
from tests.activations import ALL, MATURE, NEW, NOON, activation, at, moment, schedules
from tests.contracts.governance.acts import FREE
from tests.strategies import HOME_FEED, VIDEO_FEED, weights_within

SCENARIOS = {s.name: s for s in (HOME_FEED, VIDEO_FEED)}


class Ledger:
    """The changes that a store tells of, oldest first; it can be away."""

    def __init__(self, *changes: Activation | Freeze) -> None:
        self.changes: list[Activation | Freeze] = list(changes)
        self.away = False

    async def serving(self, *, since: int = 0) -> ServingChanges:
        if self.away:
            raise StoreUnavailable("the disk is gone")
        new = self.changes[since:]
        return ServingChanges(
            latest=len(self.changes),
            activations=tuple(c for c in new if isinstance(c, Activation)),
            freezes=tuple(c for c in new if isinstance(c, Freeze)),
        )


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def board_over(ledger: Ledger, time: Time | None = None, config: BoardConfig | None = None) -> Board:
    return Board(
        scenarios=SCENARIOS,
        store=ledger,
        clock=time or Time(),
        config=config or BoardConfig(),
    )


def freeze(scope: Scope = ALL, *, frozen: bool = True, minutes: float = 0) -> Freeze:
    return Freeze(scope=scope, frozen=frozen, at=moment(minutes), by="li", reason="stop")


async def refreshed(*changes: Activation | Freeze) -> Board:
    board = board_over(Ledger(*changes))
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


async def test_a_scheduled_activation_takes_over_from_one_that_was_made_after_it() -> None:
    board = await refreshed(activation(1, start=10, end=20), activation(2))
    assert board.lookup(ALL, NOON).valid_until == at(10)
    assert [board.lookup(ALL, moment(m)).policy.version for m in (9, 10, 20)] == [2, 1, 2]


async def test_the_defaults_hold_until_the_first_activation_begins() -> None:
    board = await refreshed(activation(1, NEW, start=10))
    assert board.lookup(NEW, NOON).valid_until == at(10)
    assert board.lookup(MATURE, NOON).valid_until is None


SCOPES = (ALL, NEW, MATURE)
UNITS = st.sampled_from([None, "ann", "bo", "cy"])
FREEZES = st.lists(st.builds(freeze, st.sampled_from([ALL, NEW]), frozen=st.booleans()), max_size=3)


def slow_lookup(made: list[Activation], freezes: list[Freeze], scope: Scope, when: datetime, unit: str | None) -> int:
    """The version that is served, from trying everything; 0 is the defaults."""
    layers = dict.fromkeys([scope, Scope(scope.scenario)])
    for layer in layers:
        switched = [f.frozen for f in freezes if f.scope == layer]
        if switched and switched[-1]:
            return 0
    for layer in layers:
        serving = [
            a
            for a in made
            if a.policy.scope == layer
            and a.covers(when)
            and (a.percent == 100 or (unit is not None and bucket(a.policy.policy_id, unit) < a.percent))
        ]
        if serving:
            return max(serving, key=lambda a: (a.start, a.sequence)).policy.version
    return 0


@given(made=schedules(), freezes=FREEZES, unit=UNITS, offsets=st.lists(st.integers(-16, 16), min_size=1, max_size=8))
async def test_lookup_agrees_with_trying_every_activation(
    made: list[Activation], freezes: list[Freeze], unit: str | None, offsets: list[int]
) -> None:
    board = await refreshed(*made, *freezes)
    for when in (moment(offset / 2) for offset in offsets):
        for scope in SCOPES:
            served = board.lookup(scope, when, unit)
            assert served.policy.version == slow_lookup(made, freezes, scope, when, unit)
            assert (served.rule is Rule.FROZEN) <= (served.policy.source is Source.DEFAULT)


@given(made=schedules(), unit=UNITS, offset=st.integers(-16, 16))
async def test_the_same_weights_hold_exactly_until_valid_until(
    made: list[Activation], unit: str | None, offset: int
) -> None:
    board, when = await refreshed(*made), moment(offset / 2)
    for scope in (ALL, NEW):
        served = board.lookup(scope, when, unit)
        for later in (when + timedelta(minutes=m / 2) for m in range(60)):
            if served.valid_until is None or later < served.valid_until:
                assert slow_lookup(made, [], scope, later, unit) == served.policy.version
        if served.valid_until is not None:
            assert slow_lookup(made, [], scope, served.valid_until, unit) != served.policy.version


@given(made=schedules(), changed=schedules(), offset=st.integers(-16, 16))
async def test_what_was_changed_counts_as_if_it_had_always_been_so(
    made: list[Activation], changed: list[Activation], offset: int
) -> None:
    scopes = {a.sequence: a.policy.scope for a in made}
    later = [a for a in changed if scopes.get(a.sequence, a.policy.scope) == a.policy.scope]
    ledger = Ledger(*made)
    board = board_over(ledger)
    await board.refresh()
    board.lookup(ALL, moment(offset / 2))
    ledger.changes += later
    await board.refresh()
    latest = {a.sequence: a for a in (*made, *later)}
    for scope in SCOPES:
        when = moment(offset / 2)
        assert board.lookup(scope, when).policy.version == slow_lookup(list(latest.values()), [], scope, when, None)


@given(made=schedules(), percent=st.sampled_from([1, 20, 100]), raised=st.integers(0, 99))
async def test_raising_a_percentage_takes_nobody_out(made: list[Activation], percent: float, raised: int) -> None:
    before = activation(9, made=9, percent=percent)
    after = activation(9, made=9, percent=min(100, percent + raised))
    first, second = await refreshed(*made, before), await refreshed(*made, after)
    for unit in (f"user_{i}" for i in range(50)):
        if first.lookup(ALL, moment(10), unit).policy == before.policy:
            assert second.lookup(ALL, moment(10), unit).policy == before.policy


async def test_who_is_not_in_the_rollout_gets_what_lies_below() -> None:
    board = await refreshed(activation(1), activation(2, NEW, percent=30), activation(3, NEW, percent=60))
    units = [f"user_{i}" for i in range(300)]
    versions = {u: board.lookup(NEW, NOON, u).policy.version for u in units}
    for unit, version in versions.items():
        in_two, in_three = (bucket(activation(n, NEW).policy.policy_id, unit) < p for n, p in ((2, 30), (3, 60)))
        assert version == (3 if in_three else 2 if in_two else 1)
    assert set(versions.values()) == {1, 2, 3}
    assert board.lookup(NEW, NOON).policy.version == 1
    found = board.lookup(NEW, NOON, next(u for u, v in versions.items() if v == 3))
    assert (found.rule, found.rollout) == (Rule.SEGMENT, Rollout(activation=3, percent=60))


async def test_freezing_wins_over_everything_and_is_over_when_it_is() -> None:
    ledger = Ledger(activation(1), activation(2, NEW, end=30))
    board = board_over(ledger)
    ledger.changes.append(freeze())
    await board.refresh()
    for served in (board.lookup(scope, NOON, "ann") for scope in SCOPES):
        assert (served.rule, served.policy.weights) == (Rule.FROZEN, HOME_FEED.defaults)
        assert (served.valid_until, served.rollout) == (None, None)
    ledger.changes += [freeze(frozen=False), freeze(NEW)]
    await board.refresh()
    assert [board.lookup(s, NOON).rule for s in SCOPES] == [Rule.SCENARIO, Rule.FROZEN, Rule.SCENARIO]


async def test_a_freeze_by_a_clock_that_is_ahead_counts_at_once() -> None:
    assert (await refreshed(activation(1), freeze(minutes=5))).lookup(ALL, NOON).rule is Rule.FROZEN


async def test_the_etag_tells_frozen_from_default() -> None:
    frozen, default = await refreshed(freeze()), await refreshed()
    assert frozen.lookup(ALL, NOON).policy == default.lookup(ALL, NOON).policy
    assert frozen.lookup(ALL, NOON).etag != default.lookup(ALL, NOON).etag


@given(weights=weights_within(HOME_FEED))
async def test_the_etag_follows_the_weights(weights: Weights) -> None:
    before, after = activation(1), activation(1)
    changed = replace(before, policy=replace(before.policy, weights=weights))
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
        async def serving(self, *, since: int = 0) -> ServingChanges:
            await asyncio.sleep(60)
            return ServingChanges(latest=since)

    board = board_over(Hanging(), config=BoardConfig(timeout_s=0.01))
    with pytest.raises(StoreUnavailable):
        await board.refresh()


async def test_refresh_takes_over_only_what_is_new() -> None:
    ledger = Ledger(activation(1))
    board = board_over(ledger)
    await board.refresh()
    assert board.lookup(ALL, NOON).policy.version == 1
    ledger.changes[0] = activation(3)
    ledger.changes.append(activation(2, made=-1))
    await board.refresh()
    assert board.lookup(ALL, NOON).policy.version == 1
    assert board.was_activated(activation(2).policy.policy_id)


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
    board = await refreshed(
        activation(1, made=-60),
        activation(2, made=-10),
        activation(3, NEW, made=5),
        freeze(minutes=20),
        freeze(frozen=False, minutes=30),
    )
    assert board.held_at(ALL, NOON - timedelta(minutes=90)).version == 0
    assert board.held_at(ALL, NOON - timedelta(minutes=30)).version == 1
    assert board.held_at(NEW, NOON).version == 2
    assert [board.held_at(NEW, moment(m)).version for m in (5, 19, 20, 29, 30)] == [3, 3, 0, 0, 3]


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
    database = Database.open(url)
    store, governance = SqlStore(database), SqlGovernance(database)
    board = Board(scenarios=SCENARIOS, store=governance, clock=Time(), config=BoardConfig())
    wang = Act(actor="wang", at=NOON)
    edited = await store.record_edit(NEW, HOME_FEED.defaults, act=wang)
    made = await governance.activate(edited.policy_id, Window(valid_until=at(5)), wang, FREE)
    await board.refresh()
    served = board.lookup(NEW, NOON)
    assert (served.policy, served.policy_id, served.valid_until) == (edited, edited.policy_id, at(5))
    await governance.end_activation(made.sequence, Act(actor="li", at=NOON), FREE)
    await board.refresh()
    assert board.lookup(NEW, NOON).rule is Rule.DEFAULT
    await governance.freeze(ALL, Act(actor="li", at=NOON), frozen=True)
    await board.refresh()
    assert board.lookup(NEW, NOON).rule is Rule.FROZEN
    await database.aclose()
