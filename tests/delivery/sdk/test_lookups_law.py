"""The client against the board of the service, by which it has to agree at every moment."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_llm.delivery.board import Board
from reward_llm.delivery.sdk.reading import parse
from reward_llm.delivery.sdk.standing import Standing
from reward_llm.delivery.sdk.table import Table
from reward_llm.delivery.sdk.weights import Weights
from reward_llm.delivery.snapshot import SnapshotBook
from reward_llm.domain.activation import Activation
from reward_llm.domain.ports import Freeze
from reward_llm.domain.scenario import Scope
from tests.activations import ALL, MATURE, NEW, NOON, moment, schedules
from tests.delivery.test_board import FREEZES, SCENARIOS, UNITS, refreshed

VIDEO = Scope("video_feed")
SCOPES = (ALL, NEW, MATURE, VIDEO)
HALF_MINUTES = st.integers(-16, 16)


async def table_of(board: Board, now: datetime) -> Table:
    encoded = await SnapshotBook(board).snapshot(now)
    head = {"revision": encoded.revision, "as_of": now.isoformat(), "stale": False, "age_s": 0.0}
    snapshot = parse(json.dumps(head)[:-1].encode() + b', "items": [' + encoded.items + b"]}")
    standing = Standing(revision=1, confirmed_at=0.0, confirmed=True, service_stale=False, stale_after_s=15.0)
    return Table.of(snapshot, standing)


def looked_up(table: Table, scope: Scope, when: datetime, unit: str | None) -> Weights:
    now_s = when.timestamp()
    period = table.period((scope.scenario, scope.segment), now_s)
    return period.everybody if unit is None else table.for_unit(period, unit, now_s)


def check(board: Board, table: Table, when: datetime, unit: str | None) -> None:
    for scope in SCOPES:
        served, found = board.lookup(scope, when, unit), looked_up(table, scope, when, unit)
        assert (found.scenario, found.segment) == (scope.scenario, scope.segment)
        assert (found.policy_id, found.version) == (served.policy_id, served.policy.version)
        assert (found.rule, found.source) == (served.rule.value, served.policy.source.value)
        assert found.utilities == SCENARIOS[scope.scenario].utility_names
        assert dict(found.weights) == dict(served.policy.weights)
        assert found.vector == tuple(served.policy.weights[u] for u in found.utilities)
        assert (found.rollout is None) == (served.rollout is None)
        if found.rollout is not None and served.rollout is not None:
            assert found.rollout.activation == served.rollout.activation
            assert found.rollout.percent == served.rollout.percent


@given(
    made=schedules(), freezes=FREEZES, unit=UNITS, taken=HALF_MINUTES, laters=st.lists(st.integers(0, 40), max_size=8)
)
async def test_one_snapshot_tells_every_scope_unit_and_later_moment(
    made: list[Activation], freezes: list[Freeze], unit: str | None, taken: int, laters: list[int]
) -> None:
    board = await refreshed(*made, *freezes)
    table = await table_of(board, moment(taken / 2))
    for later in [0, *sorted(laters)]:
        check(board, table, moment((taken + later) / 2), unit)


@given(made=schedules(), freezes=FREEZES, unit=UNITS, taken=HALF_MINUTES)
async def test_the_answer_of_now_says_until_when_it_holds(
    made: list[Activation], freezes: list[Freeze], unit: str | None, taken: int
) -> None:
    board, when = await refreshed(*made, *freezes), moment(taken / 2)
    table = await table_of(board, when)
    for scope in SCOPES:
        assert looked_up(table, scope, when, unit).valid_until == board.lookup(scope, when, unit).valid_until


@settings(max_examples=30)
@given(made=schedules(), taken=HALF_MINUTES, laters=st.lists(st.integers(0, 40), min_size=1, max_size=8))
async def test_what_is_kept_for_some_units_never_leaks_to_others(
    made: list[Activation], taken: int, laters: list[int]
) -> None:
    board = await refreshed(*made)
    kept = await table_of(board, moment(taken / 2))
    for later in sorted(laters):
        when = moment((taken + later) / 2)
        fresh = await table_of(board, when)
        for unit in (None, *(f"user_{i}" for i in range(8))):
            for scope in (ALL, NEW):
                assert looked_up(kept, scope, when, unit) == looked_up(fresh, scope, when, unit)


@given(made=schedules(), unit=UNITS, taken=HALF_MINUTES, before=st.integers(0, 40))
async def test_before_a_snapshot_was_made_what_held_then_holds(
    made: list[Activation], unit: str | None, taken: int, before: int
) -> None:
    board, when = await refreshed(*made), moment(taken / 2)
    table = await table_of(board, when)
    for scope in SCOPES:
        found = looked_up(table, scope, moment((taken - before) / 2), unit)
        assert found.policy_id == board.lookup(scope, when, unit).policy_id
    check(board, table, when, unit)


async def test_a_scope_that_is_not_there_is_a_key_error() -> None:
    table = await table_of(await refreshed(), NOON)
    with pytest.raises(KeyError):
        table.period(("home_feed", "vip"), NOON.timestamp())
