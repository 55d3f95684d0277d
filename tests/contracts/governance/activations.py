"""What is put into force, changed and ended."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from reward_llm.domain.activation import Activation, EndingKind
from reward_llm.domain.activation_changes import ActivationChange
from reward_llm.domain.goal import GoalState, Window
from reward_llm.domain.lifecycle import PolicyState
from reward_llm.domain.ports import Governance, Store
from reward_llm.domain.review_rules import RaisedRule
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weights import Weights
from reward_llm.errors import (
    ActivationOver,
    ActivationUnknown,
    ApprovalsMissing,
    GateRefused,
    IdempotencyConflict,
    InvalidInput,
    Outdated,
    ScheduleConflict,
)
from tests.activations import ALL, MATURE, NEW, NOON, moment
from tests.contracts.governance.acts import (
    ANN,
    BO,
    CLAIM,
    FREE,
    NARROW,
    ONE,
    OTHER_REQUEST,
    TWO,
    actions,
    activate,
    admission,
    approve,
    edited,
    later,
    proposed,
    served,
    state,
    window,
)
from tests.strategies import HOME_FEED


class ActivationContract:
    """Inherit it beside fixtures `store` and `governance` over one empty database."""

    async def test_a_draft_that_needs_no_approval_is_put_into_force(
        self, store: Store, governance: Governance
    ) -> None:
        read = await proposed(store)
        made = await activate(governance, read, window=window(end=60), percent=25)
        assert (made.policy, made.activated_by, made.percent, made.revision) == (read, "ann", 25, 1)
        assert await governance.activation(made.sequence) == made
        assert await state(governance, read) is PolicyState.ACTIVE
        assert (await store.goal("goal_1")).state is GoalState.ACTIVATED
        assert await actions(store) == ["goal.received", "goal.proposed", "policy.activated"]

    async def test_approvals_are_counted_when_it_is_put_into_force(
        self, store: Store, governance: Governance
    ) -> None:
        policy = await edited(store)
        with pytest.raises(ApprovalsMissing, match="1 of 1 approvals are missing"):
            await activate(governance, policy, rules=ONE)
        await approve(governance, policy, BO)
        with pytest.raises(ApprovalsMissing, match="1 of 2 approvals are missing"):
            await activate(governance, policy, rules=TWO)
        await activate(governance, policy, rules=ONE)

    async def test_the_step_is_measured_from_what_is_in_force_at_the_start(
        self, store: Store, governance: Governance
    ) -> None:
        careful = admission(raised=(RaisedRule(approvals=1, step_over=0.15),))
        low, high = await edited(store, gmv=0.1), await edited(store, gmv=0.25)
        await activate(governance, high, rules=careful)
        await approve(governance, low, BO)
        await activate(governance, low, rules=careful, window=window(10, 20))
        also_low = await edited(store, gmv=0.12)
        with pytest.raises(ApprovalsMissing, match=r"an L1 step of 0\.26 is over 0\.15"):
            await activate(governance, also_low, rules=careful)
        await activate(governance, also_low, rules=careful, window=window(12, 18), accept_conflicts=True)

    async def test_a_step_that_was_admitted_over_another_doesnt_outlive_it(
        self, store: Store, governance: Governance
    ) -> None:
        careful = admission(raised=(RaisedRule(approvals=1, step_over=0.15),))
        helper, far = await edited(store, gmv=0.26), await edited(store, gmv=0.32)
        first = await activate(governance, helper, rules=careful, window=window(10))
        second = await activate(governance, far, rules=careful, window=window(20))
        with pytest.raises(ScheduleConflict, match=r"an L1 step of 0\.24 is over 0\.15"):
            await governance.end_activation(first.sequence, later(1), careful)
        shorter = ActivationChange(window=window(10, 15))
        with pytest.raises(ScheduleConflict, match=far.policy_id):
            await governance.change_activation(first.sequence, 1, shorter, later(1), careful)
        await governance.end_activation(second.sequence, later(2), careful)
        await governance.end_activation(first.sequence, later(3), careful)
        assert await served(governance, 30) == []

    async def test_an_activation_ends_where_what_follows_may_begin_without_it(
        self, store: Store, governance: Governance
    ) -> None:
        careful = admission(raised=(RaisedRule(approvals=1, step_over=0.15),))
        helper, far = await edited(store, gmv=0.26), await edited(store, gmv=0.32)
        first = await activate(governance, helper, rules=careful, window=window(10))
        await activate(governance, far, rules=careful, window=window(20))
        await approve(governance, far, BO)
        await governance.end_activation(first.sequence, later(1), careful)
        assert await served(governance, 30) == [far.policy_id]

    async def test_of_two_far_apart_at_the_same_moment_one_is_refused(
        self, store: Store, governance: Governance
    ) -> None:
        one_way, other_way = await edited(store, gmv=0.1), await edited(store, gmv=0.3)
        outcomes = await asyncio.gather(
            activate(governance, one_way, rules=NARROW),
            activate(governance, other_way, rules=NARROW),
            return_exceptions=True,
        )
        assert sorted(type(o) for o in outcomes if not isinstance(o, Activation)) == [GateRefused]
        assert len(await served(governance, 0)) == 1

    async def test_what_was_in_force_before_needs_no_gate_but_its_approvals(
        self, store: Store, governance: Governance
    ) -> None:
        first, second, third = [await edited(store, gmv=g) for g in (0.1, 0.2, 0.3)]
        for minutes, policy in enumerate((first, second, third)):
            await activate(governance, policy, later(minutes), NARROW)
        again = await activate(governance, first, later(4), NARROW)
        assert (await served(governance, 5))[0] == again.policy.policy_id
        with pytest.raises(ApprovalsMissing):
            await activate(governance, second, later(5), ONE)

    async def test_what_was_in_force_before_keeps_to_the_bounds_of_today(
        self, store: Store, governance: Governance
    ) -> None:
        policy = await edited(store, gmv=0.3)
        made = await activate(governance, policy)
        await governance.end_activation(made.sequence, later(1), FREE)
        utilities = tuple(
            replace(u, bounds=replace(u.bounds, max=0.25)) if u.name == "gmv" else u for u in HOME_FEED.utilities
        )
        tighter = replace(FREE, scenario=replace(FREE.scenario, utilities=utilities))
        with pytest.raises(GateRefused, match="outside"):
            await activate(governance, policy, later(2), tighter)

    async def test_being_scheduled_and_called_off_is_not_having_been_in_force(
        self, store: Store, governance: Governance
    ) -> None:
        far = await edited(store, gmv=0.3)
        scheduled = await activate(governance, far, ANN, NARROW, window=window(10))
        await governance.end_activation(scheduled.sequence, later(1), FREE)
        await activate(governance, await edited(store, gmv=0.1), later(2), NARROW)
        with pytest.raises(GateRefused):
            await activate(governance, far, later(3), NARROW)

    async def test_weights_over_other_utilities_are_refused(self, store: Store, governance: Governance) -> None:
        strange = await store.record_edit(ALL, Weights({"click": 0.5, "glitter": 0.5}), act=ANN)
        with pytest.raises(GateRefused, match="glitter"):
            await activate(governance, strange)

    @pytest.mark.parametrize("percent", [0, -1, 100.1, float("nan"), float("inf")])
    async def test_a_share_that_is_none_is_refused(
        self, store: Store, governance: Governance, percent: float
    ) -> None:
        with pytest.raises(InvalidInput, match="percent"):
            await activate(governance, await edited(store), percent=percent)

    async def test_a_window_that_is_over_is_refused(self, store: Store, governance: Governance) -> None:
        with pytest.raises(InvalidInput, match="over"):
            await activate(governance, await edited(store), window=window(-10, 0))

    async def test_a_repeated_activation_is_one(self, store: Store, governance: Governance) -> None:
        policy = await edited(store)
        first = await activate(governance, policy, claim=CLAIM)
        assert await activate(governance, policy, claim=CLAIM) == first
        with pytest.raises(IdempotencyConflict):
            await activate(governance, policy, claim=OTHER_REQUEST)
        assert (await governance.activations()).items == (first,)

    async def test_the_latest_start_wins_whatever_was_activated_last(
        self, store: Store, governance: Governance
    ) -> None:
        sale, base = await edited(store, gmv=0.3), await edited(store)
        await activate(governance, sale, window=window(10, 20))
        await activate(governance, base, later(5))
        assert [await served(governance, m) for m in (6, 10, 20)] == [
            [base.policy_id],
            [sale.policy_id, base.policy_id],
            [base.policy_id],
        ]
        assert [await state(governance, base, m) for m in (6, 10, 20)] == [
            PolicyState.ACTIVE,
            PolicyState.SUPERSEDED,
            PolicyState.ACTIVE,
        ]
        assert [await state(governance, sale, m) for m in (6, 10, 20)] == [
            PolicyState.SCHEDULED,
            PolicyState.ACTIVE,
            PolicyState.EXPIRED,
        ]

    async def test_what_is_activated_last_holds_though_its_clock_is_behind(
        self, store: Store, governance: Governance
    ) -> None:
        ahead, behind = await edited(store, gmv=0.3), await edited(store)
        await activate(governance, ahead, later(5))
        made = await activate(governance, behind, later(3, BO))
        assert made.start == moment(5)
        assert await served(governance, 5) == [behind.policy_id, ahead.policy_id]

    async def test_ending_what_a_clock_far_ahead_has_made_frees_the_scope(
        self, store: Store, governance: Governance
    ) -> None:
        far = await activate(governance, await edited(store, gmv=0.3), later(60 * 24 * 365))
        await governance.end_activation(far.sequence, later(1), FREE)
        policy = await edited(store)
        assert (await activate(governance, policy, later(2))).start == moment(2)
        assert await served(governance, 3) == [policy.policy_id]

    async def test_an_interrupted_window_is_a_conflict_that_names_it(
        self, store: Store, governance: Governance
    ) -> None:
        sale, other = await edited(store, gmv=0.3), await edited(store)
        made = await activate(governance, sale, window=window(10, 20), percent=50)
        (found,) = await governance.conflicts(other.policy_id, window(15), NOON)
        assert (found.activation, found.since, found.until) == (made, moment(15), moment(20))
        with pytest.raises(ScheduleConflict, match=sale.policy_id) as caught:
            await activate(governance, other, window=window(15))
        assert [v.path for v in caught.value.violations] == [f"activations/{made.sequence}"]
        assert len((await governance.activations()).items) == 1
        await activate(governance, other, window=window(15), accept_conflicts=True)

    async def test_other_scopes_never_conflict(self, store: Store, governance: Governance) -> None:
        await activate(governance, await edited(store, NEW), window=window(10, 20))
        for scope in (ALL, MATURE, Scope("video_feed", "new_user")):
            policy = await edited(store, scope)
            assert await governance.conflicts(policy.policy_id, window(15), NOON) == ()

    async def test_a_change_needs_the_revision_that_is_there(self, store: Store, governance: Governance) -> None:
        made = await activate(governance, await edited(store), percent=10)
        change = ActivationChange(window=Window(), percent=50)
        after = await governance.change_activation(made.sequence, 1, change, later(1), FREE)
        assert (after.percent, after.revision) == (50, 2)
        assert await governance.activation(made.sequence) == after
        with pytest.raises(Outdated) as caught:
            await governance.change_activation(made.sequence, 1, change, later(2), FREE)
        assert caught.value.current == after
        with pytest.raises(Outdated):
            await governance.end_activation(made.sequence, later(2), FREE, revision=1)

    async def test_of_many_changes_at_once_one_is_made(self, store: Store, governance: Governance) -> None:
        made = await activate(governance, await edited(store), percent=10)
        outcomes = await asyncio.gather(
            *(
                governance.change_activation(
                    made.sequence, 1, ActivationChange(window=Window(), percent=p), later(1), FREE
                )
                for p in (20, 30, 40)
            ),
            governance.end_activation(made.sequence, later(1), FREE, revision=1),
            return_exceptions=True,
        )
        assert sorted(isinstance(o, Outdated) for o in outcomes) == [False, True, True, True]

    async def test_the_start_can_change_until_it_has_begun(self, store: Store, governance: Governance) -> None:
        made = await activate(governance, await edited(store), window=window(10))
        sooner = await governance.change_activation(
            made.sequence, 1, ActivationChange(window=window(None, 30)), later(5), FREE
        )
        assert (sooner.start, sooner.end) == (moment(5), moment(30))
        with pytest.raises(InvalidInput, match="can't be changed"):
            await governance.change_activation(made.sequence, 2, ActivationChange(window=window(20)), later(6), FREE)
        for over in (window(5, 6), window(5, 5.5)):
            with pytest.raises(InvalidInput, match="over"):
                await governance.change_activation(made.sequence, 2, ActivationChange(window=over), later(6), FREE)

    async def test_what_widens_is_checked_anew_and_what_narrows_is_not(
        self, store: Store, governance: Governance
    ) -> None:
        made = await activate(governance, await edited(store), percent=50)
        fewer = ActivationChange(window=window(None, 30), percent=10)
        await governance.change_activation(made.sequence, 1, fewer, later(1), ONE)
        for more in (replace(fewer, percent=20.0), replace(fewer, window=window(None, 31))):
            with pytest.raises(ApprovalsMissing):
                await governance.change_activation(made.sequence, 2, more, later(2), ONE)

    async def test_a_schedule_cannot_be_moved_past_the_gate(self, store: Store, governance: Governance) -> None:
        far, high = await edited(store, gmv=0.1), await edited(store, gmv=0.3)
        made = await activate(governance, far, ANN, NARROW, window=window(10, 20))
        await activate(governance, high, later(1), NARROW, window=window(30, 60))
        moved = ActivationChange(window=window(40, 50))
        with pytest.raises(GateRefused):
            await governance.change_activation(made.sequence, 1, moved, later(2), NARROW, accept_conflicts=True)

    async def test_a_change_that_would_interrupt_is_a_conflict(self, store: Store, governance: Governance) -> None:
        made = await activate(governance, await edited(store), window=window(10, 20))
        other = await activate(governance, await edited(store, gmv=0.3), window=window(20, 30))
        longer = ActivationChange(window=window(10, 25))
        with pytest.raises(ScheduleConflict, match=other.policy.policy_id):
            await governance.change_activation(made.sequence, 1, longer, ANN, FREE)
        await governance.change_activation(made.sequence, 1, longer, ANN, FREE, accept_conflicts=True)

    async def test_a_cancelled_schedule_never_fires(self, store: Store, governance: Governance) -> None:
        policy = await edited(store)
        made = await activate(governance, policy, window=window(10))
        ended = await governance.end_activation(made.sequence, later(5, BO), FREE)
        assert ended.ended is not None
        assert (ended.ended.at, ended.ended.by, ended.ended.kind) == (moment(5), "bo", EndingKind.ENDED)
        assert [await served(governance, m) for m in (6, 10, 11, 1000)] == [[], [], [], []]
        assert await state(governance, policy, 20) is PolicyState.DRAFT
        with pytest.raises(ActivationOver):
            await governance.end_activation(made.sequence, later(6), FREE)

    async def test_ending_makes_room_for_what_lies_below(self, store: Store, governance: Governance) -> None:
        base, over = await edited(store), await edited(store, gmv=0.3)
        await activate(governance, base)
        made = await activate(governance, over, later(1))
        for _ in range(2):
            ended = await governance.end_activation(made.sequence, later(2), FREE, claim=CLAIM)
        assert await governance.activation(made.sequence) == ended
        assert await served(governance, 3) == [base.policy_id]
        assert await state(governance, over, 3) is PolicyState.EXPIRED

    async def test_an_activation_of_nobodys_is_unknown(self, store: Store, governance: Governance) -> None:
        for refused in (
            governance.activation(9),
            governance.end_activation(9, ANN, FREE),
            governance.change_activation(9, 1, ActivationChange(window=Window()), ANN, FREE),
        ):
            with pytest.raises(ActivationUnknown, match="9"):
                await refused

    async def test_activations_are_listed_by_scope_the_last_first(self, store: Store, governance: Governance) -> None:
        everyone = await activate(governance, await edited(store))
        new = await activate(governance, await edited(store, NEW))
        assert (await governance.activations(scenario="home_feed")).items == (new, everyone)
        assert (await governance.activations(scope=NEW)).items == (new,)
        assert (await governance.activations(scenario="video_feed")).items == ()
        assert (await governance.activations(scenarios={"video_feed"})).items == ()
        assert (await governance.activations(scenarios={"home_feed"}, scope=NEW)).items == (new,)
        page = await governance.activations(limit=1)
        assert (await governance.activations(limit=1, cursor=page.next_cursor)).items == (everyone,)

    async def test_every_change_is_told_once_in_its_order(self, store: Store, governance: Governance) -> None:
        first = await activate(governance, await edited(store))
        told = await governance.serving()
        assert told.activations == (first,)
        assert await governance.serving(since=told.latest) == replace(told, activations=())
        second = await activate(governance, await edited(store, NEW), window=window(10))
        ended = await governance.end_activation(first.sequence, later(1), FREE)
        await governance.freeze(NEW, later(2), frozen=True)
        changes = await governance.serving(since=told.latest)
        assert changes.activations == (second, ended)
        assert [(f.scope, f.frozen) for f in changes.freezes] == [(NEW, True)]
        assert (await governance.serving(since=changes.latest)).latest == changes.latest
