from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from reward_llm.domain.control import ControllerState, Exposure, Hold, Memory, Quota, Reading
from reward_llm.domain.control_grant import moved
from reward_llm.domain.goal import Window
from reward_llm.domain.lifecycle import Verdict
from reward_llm.domain.loop import LoopKind, LoopRecord
from reward_llm.domain.metrics import Metric, MetricWindow
from reward_llm.domain.ports.control import Move
from reward_llm.domain.scenario import Scope
from reward_llm.domain.source import Source
from reward_llm.domain.weights import Weights
from reward_llm.errors import ApprovalsMissing, ControllerNotReady, MoveNotGranted, ScopeFrozen
from tests.loop.control.plans import plan
from tests.loop.control.room import RULES, SCOPE, Room
from tests.strategies import HOME_FEED

NEW_USERS = Scope("home_feed", "new_user")


async def holds(room: Room, record: LoopRecord) -> list[Hold | None]:
    return [r.held for r in await room.readings(record)]


async def test_a_move_is_a_version_in_force_with_its_source_its_origin_and_its_reason(room: Room) -> None:
    record = await room.running()
    await room.minute(0.1)
    policy = await room.in_force()
    assert (policy.source, policy.origin) == (Source.CONTROLLER, record.id)
    assert policy.weights == moved(room.base.weights, "cold_start", 0.12, HOME_FEED)
    (reading,) = await room.readings(record)
    assert (reading.held, reading.weight, reading.measured, reading.setpoint) == (None, 0.12, 0.1, 0.2)
    assert reading.policy_id == policy.policy_id
    audit = await room.store.audit(subject=policy.policy_id)
    assert {(r.action, r.actor) for r in audit} == {
        ("policy.edited", "controller"),
        ("policy.activated", "controller"),
    }
    assert "cold_start_share 0.1 in 5m, set-point 0.2" in audit[0].reason
    assert "cold_start 0.1000 → 0.1200" in audit[0].reason


async def test_each_move_takes_the_place_of_the_one_before_and_a_rollback_brings_the_base_back(room: Room) -> None:
    record = await room.running()
    for _ in range(3):
        await room.minute(0.1)
    stack = (await room.governance.scope(SCOPE, room.clock())).stack
    assert [a.policy.version for a in stack] == [4, 1]
    await room.governance.roll_back(SCOPE, None, room.act("li"), RULES)
    assert (await room.in_force()).policy_id == room.base.policy_id
    await room.minute(0.1)
    assert await room.state(record) == ControllerState.OVERTAKEN
    assert (await room.in_force()).policy_id == room.base.policy_id


async def test_a_new_process_goes_on_where_the_one_before_was(room: Room) -> None:
    of = plan(slew=0.5, dead_band=0.0)
    record = await room.running(of)
    for value in (0.1, 0.14, 0.17):
        await room.minute(value)
    weights = [r.weight for r in await room.readings(record)]
    integral, gains = 0.1, of.gains
    for value, weight in zip((0.1, 0.14, 0.17), weights, strict=True):
        integral += gains.integral * (0.2 - value)
        assert weight == pytest.approx(gains.proportional * (0.2 - value) + integral, abs=6e-5)


async def test_nothing_is_looked_at_before_the_period_is_over(room: Room) -> None:
    record = await room.running(plan(period=timedelta(minutes=5)))
    for _ in range(4):
        await room.minute(0.1)
    assert await room.readings(record) == []
    await room.minute(0.1)
    assert len(await room.readings(record)) == 1


async def test_a_stale_feed_holds_and_what_it_held_for_isnt_made_up_for(room: Room) -> None:
    record = await room.running(plan(slew=0.5))
    await room.minute(0.1)
    room.told.newest_at = room.clock()
    for _ in range(13):
        await room.minute(0.1)
    readings = await room.readings(record)
    stale = [r for r in readings if r.held is Hold.STALE]
    assert readings[-10:] == stale[-10:]
    assert len({(r.weight, r.memory.integral) for r in stale}) == 1
    room.told.newest_at = None
    await room.minute(0.15)
    after = (await room.readings(record))[-1].memory.integral
    assert after - stale[-1].memory.integral == pytest.approx(0.05 * (0.05 - 0.01))


@pytest.mark.parametrize(("value", "events"), [(None, 0), (0.1, 99)])
async def test_too_few_events_move_nothing(room: Room, value: float | None, events: int) -> None:
    record = await room.running()
    room.told.events = events
    await room.minute(value)
    assert await holds(room, record) == [Hold.FEW]
    assert (await room.in_force()).policy_id == room.base.policy_id


async def test_a_frozen_scope_holds_and_goes_on_when_it_is_unfrozen(room: Room) -> None:
    record = await room.running()
    await room.governance.freeze(SCOPE, room.act(), frozen=True)
    await room.minute(0.1)
    await room.governance.freeze(SCOPE, room.act(), frozen=False)
    await room.minute(0.1)
    assert await holds(room, record) == [Hold.FROZEN, None]


async def test_a_rollout_to_a_part_of_the_units_holds(room: Room) -> None:
    record = await room.running()
    await room.put_into_force(moved(HOME_FEED.defaults, "gmv", 0.25, HOME_FEED), percent=10.0)
    await room.minute(0.1)
    assert await holds(room, record) == [Hold.ROLLOUT]


async def test_what_people_put_into_force_overtakes_it(room: Room) -> None:
    record = await room.running()
    await room.minute(0.1)
    policy = await room.put_into_force(moved(HOME_FEED.defaults, "gmv", 0.25, HOME_FEED))
    await room.minute(0.1)
    assert await room.state(record) == ControllerState.OVERTAKEN
    assert (await room.in_force()) == policy
    document = (await room.records.record(LoopKind.CONTROLLER, record.id)).document
    assert policy.policy_id in document["note"]
    assert ("controller.overtaken", "controller", record.id) in await room.audited()


async def test_a_paused_controller_moves_nothing(room: Room) -> None:
    record = await room.running(state=ControllerState.PAUSED)
    await room.minute(0.1)
    assert await room.readings(record) == []


async def test_one_that_lacks_approvals_moves_nothing_whatever_its_state_says(room: Room) -> None:
    record = await room.running(needed=2)
    await room.minute(0.1)
    assert (await room.readings(record))[0].held is Hold.REFUSED
    assert (await room.in_force()).policy_id == room.base.policy_id


async def test_one_that_fails_doesnt_stop_the_others(room: Room) -> None:
    other = await room.running()
    room.base = await room.put_into_force(HOME_FEED.defaults, NEW_USERS)
    failing = await room.running(plan(target=Quota(**{**_quota(room), "until": room.clock() + timedelta(days=90)})))
    room.clock.advance(31 * 86_400)
    await room.minute(0.1)
    assert await room.readings(failing) == []
    assert len(await room.readings(other)) == 1


async def test_one_whose_record_cant_be_read_doesnt_stop_the_others(room: Room) -> None:
    other = await room.running()
    await room.records.create(LoopKind.CONTROLLER, NEW_USERS, ControllerState.RUNNING, {}, room.act())
    await room.minute(0.1)
    assert len(await room.readings(other)) == 1


async def test_a_move_that_its_scenario_has_no_room_for_any_more_is_refused_and_noted(room: Room) -> None:
    record = await room.running()
    tight = [
        u if u.name == "cold_start" else replace(u, bounds=replace(u.bounds, min=u.default))
        for u in HOME_FEED.utilities
    ]
    changed = replace(HOME_FEED, utilities=tuple(tight))
    room.clock.advance(60)
    await room.controllers(replace(RULES, scenario=changed)).run()
    (reading,) = await room.readings(record)
    assert reading.held is Hold.REFUSED
    assert "bounds" in reading.note
    assert (await room.in_force()).policy_id == room.base.policy_id


async def test_of_two_who_look_at_once_one_puts_it_down(room: Room) -> None:
    record = await room.running()
    room.told.value = 0.2
    room.clock.advance(60)
    await asyncio.gather(*(room.controllers().run() for _ in range(3)))
    (reading,) = await room.readings(record)
    assert reading.held is Hold.DEAD_BAND


def _quota(room: Room) -> dict[str, object]:
    now = room.clock()
    return {
        "metric": Metric.BOOST_SPEND,
        "amount": 1_000.0,
        "since": now,
        "until": now + timedelta(hours=10),
    }


async def test_a_quota_is_paced_by_what_should_have_been_delivered(room: Room) -> None:
    record = await room.running(plan(target=Quota(**_quota(room)), dead_band=0.005))
    await room.minute(30.0, minutes=60)
    await room.minute(260.0, minutes=60)
    await room.minute(302.0, minutes=60)
    behind, ahead, even = await room.readings(record)
    assert (behind.setpoint, behind.measured) == (pytest.approx(0.1, abs=1e-4), 0.03)
    assert behind.weight > 0.1
    assert ahead.weight < behind.weight
    assert even.held is Hold.DEAD_BAND
    await room.minute(1_000.0, minutes=7.5 * 60)
    assert await room.state(record) == ControllerState.ENDED
    assert (await room.in_force()).policy_id == ahead.policy_id


async def test_a_quota_ends_with_its_time_in_a_frozen_scope_too(room: Room) -> None:
    record = await room.running(plan(target=Quota(**_quota(room))))
    await room.governance.freeze(SCOPE, room.act(), frozen=True)
    await room.minute(30.0, minutes=60)
    assert await holds(room, record) == [Hold.FROZEN]
    await room.minute(30.0, minutes=9 * 60)
    assert await room.state(record) == ControllerState.ENDED


async def test_impressions_of_new_items_are_paced_of_all_users(room: Room) -> None:
    target = Quota(**{**_quota(room), "metric": Metric.COLD_START_SHARE, "amount": 4_000.0})
    record = await room.running(plan(target=target))
    room.told.events = 1_000
    await room.minute(0.25, minutes=60)
    (reading,) = await room.readings(record)
    assert reading.measured == pytest.approx(0.25 * 1_000 / 0.5 / 4_000)


async def test_a_segments_share_is_what_its_controller_asks_for(room: Room) -> None:
    target = Exposure(metric=Metric.CTR, setpoint=0.3, window=MetricWindow.parse("1h"))
    await room.running(plan(target=target))
    await room.minute(0.1)
    assert room.told.asked == [(SCOPE, Metric.CTR, MetricWindow.parse("1h"))]


async def wanted(room: Room, record: LoopRecord, **changes: object) -> Move:
    weights = moved(room.base.weights, "cold_start", 0.12, HOME_FEED)
    reading = Reading(
        at=room.clock(), policy_id="", weight=0.12, memory=Memory(integral=0.1), setpoint=0.2, measured=0.1
    )
    given = {"over": room.base.policy_id, "after": 0, "weights": weights, "reading": reading}
    return Move(controller_id=record.id, **{**given, **changes})  # type: ignore[arg-type]


async def test_the_store_takes_no_move_that_nobody_granted(room: Room) -> None:
    record = await room.running()
    act = room.act("controller")
    outside = moved(room.base.weights, "cold_start", 0.31, HOME_FEED)
    skewed = dict(moved(room.base.weights, "cold_start", 0.12, HOME_FEED))
    skewed["gmv"], skewed["click"] = skewed["gmv"] + 0.02, skewed["click"] - 0.02
    for bad in ({"weights": outside}, {"weights": Weights(skewed)}, {"over": "pol_none"}):
        with pytest.raises(MoveNotGranted):
            await room.moves.move(await wanted(room, record, **bad), act, RULES)
    with pytest.raises(ControllerNotReady, match="looked again"):
        await room.moves.move(await wanted(room, record, after=3), act, RULES)
    ended = await room.running(state=ControllerState.ENDED)
    with pytest.raises(ControllerNotReady, match="is ended"):
        await room.moves.move(await wanted(room, ended), act, RULES)
    await room.governance.freeze(SCOPE, room.act(), frozen=True)
    with pytest.raises(ScopeFrozen):
        await room.moves.move(await wanted(room, record), act, RULES)
    assert [a for a, *_ in await room.audited()].count("policy.activated") == 1


async def test_of_two_who_decide_at_once_one_moves(room: Room) -> None:
    record = await room.running()
    move, act = await wanted(room, record), room.act("controller")
    await room.moves.move(move, act, RULES)
    with pytest.raises(ControllerNotReady):
        await room.moves.move(move, act, RULES)
    assert len(await room.readings(record)) == 1


async def test_a_person_who_activates_a_controllers_old_move_needs_the_usual_approvals(room: Room) -> None:
    await room.running(plan(slew=0.25))
    await room.minute(-1.0)
    far = await room.in_force()
    assert far.weights["cold_start"] == 0.3
    await room.governance.roll_back(SCOPE, None, room.act("li"), RULES)
    await room.put_into_force(moved(HOME_FEED.defaults, "cold_start", 0.05, HOME_FEED))
    with pytest.raises(ApprovalsMissing):
        await room.governance.activate(far.policy_id, Window(), room.act("li"), RULES)
    await room.governance.decide(far.policy_id, far.content_hash, Verdict.APPROVE, room.act("li"), RULES)
    await room.governance.activate(far.policy_id, Window(), room.act("li"), RULES)
    assert await room.in_force() == far


async def test_a_move_ends_when_the_policy_that_it_replaces_would_have(room: Room) -> None:
    until = room.clock() + timedelta(hours=1)
    room.base = await room.put_into_force(moved(HOME_FEED.defaults, "gmv", 0.22, HOME_FEED), valid_until=until)
    record = await room.running()
    await room.minute(0.1)
    (first, *_) = (await room.governance.scope(SCOPE, room.clock())).stack
    assert first.end == until
    await room.minute(0.1, minutes=61)
    assert await room.state(record) == ControllerState.OVERTAKEN
