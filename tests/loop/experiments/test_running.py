"""Experiments from their plan to their end: a real store, a real board, a real log of events."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from reward_llm.delivery.board import Board, BoardConfig
from reward_llm.domain.activation_changes import ActivationChange
from reward_llm.domain.experiments import Decision, Experiment, ExperimentState, Guardrail, SizeQuestion
from reward_llm.domain.goal import Window
from reward_llm.domain.loop import LoopKind
from reward_llm.domain.metrics import Metric
from reward_llm.domain.ports.audit import AuditQuery
from reward_llm.domain.scenario import Scope
from reward_llm.errors import (
    ExperimentInvalid,
    ExperimentOver,
    ExperimentUnderway,
    LoopRecordUnknown,
    PolicyUnknown,
    SegmentUnknown,
    StoreUnavailable,
)
from reward_llm.loop.experiments import running
from reward_llm.loop.experiments.running import Laboratory
from reward_llm.store import experimenting
from reward_llm.store.audit_log import SqlAuditLog
from tests.loop.experiments.worlds import FEED, PLAN, World
from tests.strategies import HOME_FEED

RETENTION = (Guardrail(metric=Metric.NEXT_DAY_RETENTION, margin=0.02),)


async def actions(here: World) -> list[tuple[str, str]]:
    page = await SqlAuditLog(here.database).records(AuditQuery(), limit=50)
    return [(r.action, r.actor) for r in reversed(page.items)]


async def test_a_winner_is_held_out_and_then_left_to_people(here: World) -> None:
    experiment = await here.started(guardrails=RETENTION)
    treated = experiment.plan.treatment
    await here.live(2, lambda policy, _: (0.45 if policy == treated else 0.3, 0.7))
    now = await here.laboratory.experiment(experiment.id)
    assert (now.state, len(now.looks)) == (ExperimentState.RUNNING, 2)
    assert now.looks[-1].measurements[0].standing == "better", "and yet it is too early"
    await here.live(1, lambda policy, _: (0.45 if policy == treated else 0.3, 0.7))
    now = await here.laboratory.experiment(experiment.id)
    assert (now.state, now.held_out_since) == (ExperimentState.HOLDOUT, 3)
    await here.live(2, lambda policy, _: (0.45 if policy == treated else 0.3, 0.7))
    now = await here.laboratory.experiment(experiment.id)
    assert (now.state, now.outcome, len(now.looks)) == (ExperimentState.CONCLUDED, "better", 5)
    activation = await here.governance.activation(now.activation or 0)
    assert (activation.ended, activation.percent) == (None, 50.0), "it is a person who promotes it"


async def test_a_loss_of_a_guardrail_is_rolled_back_at_once_and_on_record(here: World) -> None:
    experiment = await here.started(guardrails=RETENTION)
    treated = experiment.plan.treatment
    await here.live(4, lambda policy, _: (0.4 if policy == treated else 0.3, 0.3 if policy == treated else 0.9))
    now = await here.laboratory.experiment(experiment.id)
    assert (now.state, now.outcome) == (ExperimentState.ROLLED_BACK, "guardrail_next_day_retention_all")
    assert now.looks[-1].decision is Decision.ROLL_BACK
    assert len(now.looks) < 4
    assert here.board.lookup(FEED, here.clock(), "u1").policy.policy_id == now.control
    assert (await actions(here))[-2:] == [
        ("activation.ended", "experiments"),
        ("experiment.rolled_back", "experiments"),
    ]


async def test_a_win_on_day_one_that_loses_in_the_second_week_is_rolled_back(here: World) -> None:
    experiment = await here.started(guardrails=RETENTION, min_days=7, max_days=9, holdout_days=10)
    treated = experiment.plan.treatment

    def late(policy: str, _: int) -> tuple[float, float]:
        return (0.5, 0.7) if policy == treated else (0.3, 0.7)

    def later(policy: str, _: int) -> tuple[float, float]:
        return (0.5, 0.3) if policy == treated else (0.3, 0.7)

    await here.live(8, late)
    assert (await here.laboratory.experiment(experiment.id)).state is ExperimentState.HOLDOUT
    await here.live(9, later, seed=2)
    now = await here.laboratory.experiment(experiment.id)
    assert now.state is ExperimentState.ROLLED_BACK
    assert now.outcome.startswith("guardrail_next_day_retention")
    assert {m.span for m in now.looks[-1].measurements} == {"all", "recent"}


async def test_no_difference_ends_as_unclear_and_on_the_control(here: World) -> None:
    experiment = await here.started(guardrails=RETENTION)
    await here.live(6, lambda *_: (0.3, 0.7))
    now = await here.laboratory.experiment(experiment.id)
    assert (now.state, now.outcome, len(now.looks)) == (ExperimentState.CONCLUDED, "unclear", 5)
    assert (await here.governance.activation(now.activation or 0)).ended is not None


async def test_users_who_go_missing_from_one_arm_are_noticed(here: World) -> None:
    experiment = await here.started(percent=30.0)
    treated = experiment.plan.treatment
    original = here.metrics.publish

    async def losing(events: list) -> None:  # type: ignore[type-arg]
        await original([e for e in events if e.policy_id != treated or not (e.user or "").endswith(("1", "3", "5"))])

    object.__setattr__(here.metrics, "publish", losing)
    await here.live(2, lambda policy, _: (0.6 if policy == treated else 0.3, 0.7), users=3_000)
    now = await here.laboratory.experiment(experiment.id)
    assert now.looks[-1].decision is Decision.SAMPLE_RATIO_MISMATCH
    assert now.looks[-1].ratio_p < 0.0005
    assert now.state is ExperimentState.RUNNING


async def test_looks_that_were_missed_are_made_up_for_and_are_the_same(here: World) -> None:
    experiment = await here.started()
    looks, laboratory = here.laboratory.look, here.laboratory

    async def asleep() -> None:
        return

    object.__setattr__(laboratory, "look", asleep)
    await here.live(3, lambda *_: (0.3, 0.7))
    object.__setattr__(laboratory, "look", looks)
    here.clock.now += timedelta(hours=2)
    await laboratory.look()
    caught_up = await laboratory.experiment(experiment.id)
    assert [look.day for look in caught_up.looks] == [1, 2, 3]
    await laboratory.look()
    assert (await laboratory.experiment(experiment.id)).looks == caught_up.looks


async def test_who_changes_what_is_served_ends_the_experiment(here: World) -> None:
    experiment = await here.started()
    other = await here.policy()
    rules = here.laboratory._room.rules("home_feed")
    await here.governance.activate(other.policy_id, Window(), here.act("elsewhere"), rules)
    await here.board.refresh()
    await here.laboratory.look()
    now = await here.laboratory.experiment(experiment.id)
    assert (now.state, now.outcome) == (ExperimentState.STOPPED, "control_changed")


async def test_who_promotes_the_treatment_takes_it_over(here: World) -> None:
    experiment = await here.started()
    activation = await here.governance.activation(experiment.activation or 0)
    rules = here.laboratory._room.rules("home_feed")
    everybody = ActivationChange(window=activation.window, percent=100.0)
    await here.governance.change_activation(activation.sequence, 1, everybody, here.act("promoted"), rules)
    await here.board.refresh()
    await here.laboratory.look()
    now = await here.laboratory.experiment(experiment.id)
    assert (now.state, now.outcome) == (ExperimentState.STOPPED, "activation_changed")
    assert here.board.lookup(FEED, here.clock()).policy.policy_id == experiment.plan.treatment


async def test_who_has_the_treatment_end_at_some_time_takes_it_over(here: World) -> None:
    experiment = await here.started()
    activation = await here.governance.activation(experiment.activation or 0)
    rules, until = here.laboratory._room.rules("home_feed"), here.clock() + timedelta(days=1)
    ending = ActivationChange(window=Window(valid_until=until), percent=activation.percent)
    await here.governance.change_activation(activation.sequence, 1, ending, here.act("one day"), rules)
    await here.laboratory.look()
    now = await here.laboratory.experiment(experiment.id)
    assert (now.state, now.outcome) == (ExperimentState.STOPPED, "activation_changed")
    assert (await here.governance.activation(activation.sequence)).end == until


async def test_a_freeze_ends_an_experiment_on_the_defaults(here: World) -> None:
    experiment = await here.started()
    await here.governance.freeze(FEED, here.act("sale"), frozen=True)
    await here.laboratory.look()
    now = await here.laboratory.experiment(experiment.id)
    assert (now.state, now.outcome) == (ExperimentState.STOPPED, "control_changed")


async def test_a_service_that_has_just_started_knows_the_control(here: World) -> None:
    control, rules = await here.policy(), here.laboratory._room.rules("home_feed")
    await here.governance.activate(control.policy_id, Window(), here.act("before"), rules)
    experiment = await here.started()
    assert experiment.control == control.policy_id
    board = Board(
        scenarios={HOME_FEED.name: HOME_FEED}, store=here.governance, clock=here.clock, config=BoardConfig()
    )
    await Laboratory(replace(here.laboratory._room, board=board)).look()
    assert (await here.laboratory.experiment(experiment.id)).state is ExperimentState.RUNNING


async def test_of_two_who_look_in_the_same_instant_one_puts_it_down(here: World) -> None:
    experiment = await here.started()
    here.clock.now += timedelta(days=2, hours=2)
    await asyncio.gather(*(Laboratory(here.laboratory._room).look() for _ in range(3)))
    assert [look.day for look in (await here.laboratory.experiment(experiment.id)).looks] in ([1], [1, 2])
    await here.laboratory.look()
    assert [look.day for look in (await here.laboratory.experiment(experiment.id)).looks] == [1, 2]


async def test_all_that_run_are_looked_at_and_one_that_cant_be_stops_no_other(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_PAGE", 1)
    loop, mature = here.laboratory._room.loop, replace(FEED, segment="mature_user")
    plan = replace(PLAN, scope=mature, treatment=(await here.policy(mature)).policy_id)
    planned = await here.laboratory.create(plan, here.act())
    experiment = await here.laboratory.start(planned.id, here.act())
    broken = replace(FEED, segment="new_user")
    await loop.create(LoopKind.EXPERIMENT, broken, ExperimentState.RUNNING, {}, here.act())
    here.clock.now += timedelta(days=1, hours=2)
    await here.laboratory.look()
    assert [look.day for look in (await here.laboratory.experiment(experiment.id)).looks] == [1]


async def test_what_breaks_off_leaves_all_as_it_was(here: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("the database went away")

    planned = await here.laboratory.create(replace(PLAN, treatment=(await here.policy()).policy_id), here.act())
    with monkeypatch.context() as patch:
        patch.setattr(experimenting, "changed", away)
        with pytest.raises(StoreUnavailable):
            await here.laboratory.start(planned.id, here.act())
    assert (await here.governance.activations()).items == ()
    started = await here.laboratory.start(planned.id, here.act())
    with monkeypatch.context() as patch:
        patch.setattr(experimenting, "changed", away)
        with pytest.raises(StoreUnavailable):
            await here.laboratory.stop(started.id, here.act("enough"))
    assert (await here.governance.activation(started.activation or 0)).ended is None
    assert (await here.laboratory.stop(started.id, here.act("enough"))).outcome == "stopped"
    (served,) = (await here.governance.activations()).items
    assert served.ended is not None


async def test_the_control_is_what_holds_when_it_starts(here: World) -> None:
    planned = await here.laboratory.create(replace(PLAN, treatment=(await here.policy()).policy_id), here.act())
    control, rules = await here.policy(), here.laboratory._room.rules("home_feed")
    await here.governance.activate(control.policy_id, Window(), here.act("by another service"), rules)
    assert (await here.laboratory.start(planned.id, here.act())).control == control.policy_id
    await here.laboratory.look()
    assert (await here.laboratory.experiment(planned.id)).state is ExperimentState.RUNNING


async def test_an_experiment_starts_once_alone_and_stops_once(here: World) -> None:
    experiment = await here.started()
    with pytest.raises(ExperimentOver):
        await here.laboratory.start(experiment.id, here.act())
    second = await here.laboratory.create(replace(PLAN, treatment=(await here.policy()).policy_id), here.act())
    with pytest.raises(ExperimentUnderway):
        await here.laboratory.start(second.id, here.act())
    stopped = await here.laboratory.stop(experiment.id, here.act("enough"))
    assert (stopped.state, stopped.outcome) == (ExperimentState.STOPPED, "stopped")
    assert here.board.lookup(FEED, here.clock(), "u1").policy.policy_id == experiment.control
    with pytest.raises(ExperimentOver):
        await here.laboratory.stop(experiment.id, here.act())
    assert (await here.laboratory.start(second.id, here.act())).state is ExperimentState.RUNNING
    assert [e.id for e in (await here.laboratory.experiments()).items] == [second.id, experiment.id]
    found = await here.laboratory.experiments(states=[ExperimentState.STOPPED], scenarios=["home_feed"])
    assert [e.id for e in found.items] == [experiment.id]


async def test_of_several_that_are_started_in_the_same_instant_one_runs(here: World) -> None:
    async def of(segment: str | None) -> Experiment:
        scope = replace(FEED, segment=segment)
        plan = replace(PLAN, scope=scope, treatment=(await here.policy(scope)).policy_id)
        return await here.laboratory.create(plan, here.act())

    planned = [await of(segment) for segment in (None, "new_user", None)]
    starts = (here.laboratory.start(one.id, here.act()) for one in planned)
    results = await asyncio.gather(*starts, return_exceptions=True)
    running = [r.id for r in results if isinstance(r, Experiment)]
    assert len(running) == 1
    assert sum(isinstance(r, ExperimentUnderway) for r in results) == 2
    served = await here.governance.activations(scenario="home_feed")
    assert [a.activated_by for a in served.items] == ["ann"], "and nothing of the others is served"
    found = await here.laboratory.experiments(states=[ExperimentState.RUNNING])
    assert [e.id for e in found.items] == running


async def test_a_segment_isnt_experimented_on_beside_the_whole_scenario(here: World) -> None:
    async def of(scope: Scope) -> Experiment:
        plan = replace(PLAN, scope=scope, treatment=(await here.policy(scope)).policy_id)
        return await here.laboratory.create(plan, here.act())

    whole, new, mature = [await of(replace(FEED, segment=name)) for name in (None, "new_user", "mature_user")]
    await here.laboratory.start(whole.id, here.act())
    with pytest.raises(ExperimentUnderway, match=whole.id):
        await here.laboratory.start(new.id, here.act())
    await here.laboratory.stop(whole.id, here.act())
    for segment in (new, mature):
        assert (await here.laboratory.start(segment.id, here.act())).state is ExperimentState.RUNNING
    other = await of(FEED)
    with pytest.raises(ExperimentUnderway):
        await here.laboratory.start(other.id, here.act())


async def test_what_cant_be_run_is_refused(here: World) -> None:
    plan = replace(PLAN, treatment=(await here.policy()).policy_id)
    guardrail = Guardrail(metric=Metric.CTR)
    for changes, path in (
        ({"percent": 100.0}, "percent"),
        ({"alpha": 0.0}, "alpha"),
        ({"min_days": 6}, "min_days"),
        ({"holdout_days": -1}, "holdout_days"),
        ({"max_days": 30}, "max_days"),
        ({"primary": Metric.NDCG}, "primary"),
        ({"guardrails": (guardrail,)}, "guardrails/0/metric"),
        ({"guardrails": (Guardrail(metric=Metric.GMV, margin=0.9),)}, "guardrails/0/margin"),
    ):
        with pytest.raises(ExperimentInvalid) as refused:
            await here.laboratory.create(replace(plan, **changes), here.act())  # type: ignore[arg-type]
        assert [v.path for v in refused.value.violations] == [path]
    with pytest.raises(PolicyUnknown):
        await here.laboratory.create(replace(plan, treatment="pol_none"), here.act())
    with pytest.raises(SegmentUnknown):
        await here.laboratory.create(replace(plan, scope=Scope("home_feed", "nobody")), here.act())
    with pytest.raises(ExperimentInvalid):
        await here.laboratory.create(replace(plan, scope=Scope("home_feed", "new_user")), here.act())
    with pytest.raises(LoopRecordUnknown):
        await here.laboratory.experiment("exp_none")


async def test_a_plan_is_sized_by_the_last_weeks_events(here: World) -> None:
    question = SizeQuestion(scope=FEED, metric=Metric.CTR, effect=0.05)
    with pytest.raises(ExperimentInvalid):
        await here.laboratory.size(question)
    with pytest.raises(ExperimentInvalid, match="ndcg isn't told user by user"):
        await here.laboratory.size(replace(question, metric=Metric.NDCG))
    await here.live(3, lambda *_: (0.3, 0.7))
    found = await here.laboratory.size(question)
    assert found.value == pytest.approx(0.3, abs=0.02)
    assert found.units_a_week == 400
    assert found.sequential_days is not None
    assert found.sequential_units > found.fixed_units > 400
    assert found.sequential_days == pytest.approx(7 * found.sequential_units / 400)


async def test_the_size_is_that_of_the_textbook(here: World) -> None:
    """Cohen 1988, table 2.4.1: d = 0.5 at a two-sided 0.05 and power 0.8 takes groups of 64, by the normal 63."""
    question = SizeQuestion(scope=FEED, metric=Metric.GMV, effect=0.5, value=1.0, deviation=1.0, units_a_week=70.0)
    found = await here.laboratory.size(question)
    assert found.fixed_units == 126
    assert found.fixed_days == pytest.approx(12.6)
