"""What every `reward_llm.domain.ports.Governance` does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from reward_llm.domain.act import Act
from reward_llm.domain.activation import Activation, EndingKind
from reward_llm.domain.activation_changes import ActivationChange
from reward_llm.domain.admission import Admission
from reward_llm.domain.goal import Goal, GoalState, Window
from reward_llm.domain.interpretation import Decision, Interpretation
from reward_llm.domain.lifecycle import PolicyState, Verdict, state_of
from reward_llm.domain.policy import Proposal, RewardPolicy, Source
from reward_llm.domain.ports import Governance, IdempotencyClaim, Store
from reward_llm.domain.review import Review, ReviewReason
from reward_llm.domain.review_rules import RaisedRule, ReviewRules
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weights import Weights
from reward_llm.errors import (
    ActivationOver,
    ActivationUnknown,
    ApprovalsMissing,
    ContentHashMismatch,
    GateRefused,
    IdempotencyConflict,
    InvalidInput,
    NotRollbackable,
    NotTheAuthor,
    Outdated,
    PolicyInForce,
    PolicyRejected,
    PolicyUnknown,
    PolicyWithdrawn,
    ScheduleConflict,
    ScopeFrozen,
    SelfApprovalForbidden,
)
from reward_llm.validation import gate
from tests.activations import ALL, MATURE, NEW, NOON, at, moment
from tests.strategies import HOME_FEED

ANN, BO, CY = (Act(actor=name, at=NOON, reason=f"{name} says so") for name in ("ann", "bo", "cy"))
CLAIM = IdempotencyClaim(key="key-1", request_hash="a" * 64)
OTHER_REQUEST = IdempotencyClaim(key="key-1", request_hash="b" * 64)


def admission(**rules: Any) -> Admission:
    return Admission(scenario=replace(HOME_FEED, review=ReviewRules(**rules)), gate=gate.check)


FREE, ONE, TWO = admission(), admission(approvals=1), admission(approvals=2)
NARROW = Admission(
    scenario=replace(HOME_FEED, guardrails=replace(HOME_FEED.guardrails, max_step=0.25)), gate=gate.check
)

RENAMED = Admission(
    scenario=replace(HOME_FEED, utilities=(replace(HOME_FEED.utilities[0], name="taps"), *HOME_FEED.utilities[1:])),
    gate=gate.check,
)


def weights(gmv: float = 0.2) -> Weights:
    """The defaults, with clicks given for or taken from gmv."""
    return Weights.rounded({**HOME_FEED.defaults, "gmv": gmv, "click": 0.45 - gmv})


def later(minutes: float, act: Act = ANN) -> Act:
    return replace(act, at=moment(minutes))


def window(start: float | None = None, end: float | None = None) -> Window:
    return Window(valid_from=at(start), valid_until=at(end))


async def edited(store: Store, scope: Scope = ALL, gmv: float = 0.2, act: Act = ANN) -> RewardPolicy:
    return await store.record_edit(scope, weights(gmv), act=act)


async def proposed(store: Store, review: Review | None = None) -> RewardPolicy:
    goal = Goal(id="goal_1", scope=ALL, text="more", submitted_at=NOON, submitted_by="cy")
    await store.record_goal(goal)
    reading = Interpretation(decision=Decision.PROPOSE)
    proposal = Proposal(interpretation=reading, weights=weights(0.3), source=Source.VLLM, review=review)
    record = await store.record_proposal("goal_1", proposal, NOON)
    assert record.policy is not None
    return record.policy


async def state(governance: Governance, policy: RewardPolicy, minutes: float = 0) -> PolicyState:
    return state_of(await governance.standing(policy.policy_id, moment(minutes)), moment(minutes))


async def approve(governance: Governance, policy: RewardPolicy, *acts: Act, rules: Admission = ONE) -> None:
    for act in acts:
        await governance.decide(policy.policy_id, policy.content_hash, Verdict.APPROVE, act, rules)


async def activate(
    governance: Governance, policy: RewardPolicy, act: Act = ANN, rules: Admission = FREE, **more: Any
) -> Activation:
    made = more.pop("window", Window())
    return await governance.activate(policy.policy_id, made, act, rules, **more)


async def served(governance: Governance, minutes: float, scope: Scope = ALL) -> list[str]:
    found = await governance.scope(scope, moment(minutes))
    return [a.policy.policy_id for a in found.stack]


async def actions(store: Store) -> list[str]:
    return [record.action for record in reversed(await store.audit(limit=200))]


class ReviewContract:
    """Inherit it beside fixtures `store` and `governance` over one empty database."""

    async def test_a_new_policy_is_a_draft_of_its_author(self, store: Store, governance: Governance) -> None:
        by_hand, read = await edited(store), await proposed(store)
        found = await governance.standings([by_hand, read], NOON)
        assert [found[p.policy_id].author for p in (by_hand, read)] == ["ann", "cy"]
        assert {state_of(s, NOON) for s in found.values()} == {PolicyState.DRAFT}
        assert not found[read.policy_id].unsure

    async def test_a_reading_that_needs_a_person_is_unsure(self, store: Store, governance: Governance) -> None:
        read = await proposed(store, Review(reason=ReviewReason.LOW_CONFIDENCE))
        assert (await governance.standing(read.policy_id, NOON)).unsure
        careful = admission(raised=(RaisedRule(approvals=1, unsure=True),))
        with pytest.raises(ApprovalsMissing, match="needs a person"):
            await activate(governance, read, rules=careful)

    async def test_a_review_is_asked_for_and_given(self, store: Store, governance: Governance) -> None:
        policy = await edited(store)
        asked = await governance.request_review(policy.policy_id, ANN)
        assert state_of(asked, NOON) is PolicyState.IN_REVIEW
        approved = await governance.decide(policy.policy_id, policy.content_hash, Verdict.APPROVE, BO, ONE)
        assert state_of(approved, NOON) is PolicyState.APPROVED
        assert [(f.actor, f.comment) for f in approved.facts] == [("ann", "ann says so"), ("bo", "bo says so")]
        assert await actions(store) == ["policy.edited", "policy.review_requested", "policy.approved"]

    async def test_a_decision_on_a_draft_opens_its_review(self, store: Store, governance: Governance) -> None:
        policy = await edited(store)
        await approve(governance, policy, BO, rules=TWO)
        assert await state(governance, policy) is PolicyState.IN_REVIEW
        await approve(governance, policy, BO, CY, rules=TWO)
        assert await state(governance, policy) is PolicyState.APPROVED

    async def test_a_decision_binds_to_the_hash(self, store: Store, governance: Governance) -> None:
        policy, other = await edited(store), await edited(store, gmv=0.3)
        for verdict in Verdict:
            with pytest.raises(ContentHashMismatch):
                await governance.decide(policy.policy_id, other.content_hash, verdict, BO, ONE)
        assert await state(governance, policy) is PolicyState.DRAFT

    async def test_approvals_do_not_survive_an_edit(self, store: Store, governance: Governance) -> None:
        first = await edited(store)
        await approve(governance, first, BO)
        second = await edited(store)
        assert second.weights == first.weights
        with pytest.raises(ApprovalsMissing):
            await activate(governance, second, rules=ONE)
        assert (await activate(governance, first, rules=ONE)).policy == first

    async def test_the_authors_own_approval_counts_only_where_it_may(
        self, store: Store, governance: Governance
    ) -> None:
        policy, own = await edited(store), admission(approvals=1, self_approval=True)
        with pytest.raises(SelfApprovalForbidden):
            await approve(governance, policy, ANN)
        await approve(governance, policy, ANN, rules=own)
        assert await state(governance, policy) is PolicyState.APPROVED
        with pytest.raises(ApprovalsMissing):
            await activate(governance, policy, rules=ONE)
        await activate(governance, policy, rules=own)

    async def test_a_rejection_is_for_good(self, store: Store, governance: Governance) -> None:
        policy = await edited(store)
        await approve(governance, policy, BO)
        await governance.decide(policy.policy_id, policy.content_hash, Verdict.REJECT, CY, ONE)
        for refused in (
            approve(governance, policy, CY),
            activate(governance, policy),
            governance.request_review(policy.policy_id, ANN),
            governance.withdraw(policy.policy_id, ANN),
        ):
            with pytest.raises(PolicyRejected):
                await refused
        assert await state(governance, policy) is PolicyState.REJECTED

    async def test_what_fits_its_scenario_no_longer_can_still_be_rejected(
        self, store: Store, governance: Governance
    ) -> None:
        policy = await edited(store)
        with pytest.raises(GateRefused):
            await approve(governance, policy, BO, rules=RENAMED)
        await governance.decide(policy.policy_id, policy.content_hash, Verdict.REJECT, BO, RENAMED)
        assert await state(governance, policy) is PolicyState.REJECTED

    async def test_its_author_may_withdraw_a_policy_and_others_only_if_they_may_any(
        self, store: Store, governance: Governance
    ) -> None:
        mine, theirs = await edited(store), await edited(store, gmv=0.3)
        with pytest.raises(NotTheAuthor):
            await governance.withdraw(mine.policy_id, BO)
        await governance.withdraw(mine.policy_id, ANN)
        await governance.withdraw(theirs.policy_id, BO, anybodys=True)
        for policy in (mine, theirs):
            assert await state(governance, policy) is PolicyState.WITHDRAWN
            with pytest.raises(PolicyWithdrawn):
                await activate(governance, policy)

    async def test_what_is_in_force_or_scheduled_is_neither_withdrawn_nor_rejected(
        self, store: Store, governance: Governance
    ) -> None:
        now, soon = await edited(store), await edited(store, gmv=0.3)
        await activate(governance, now)
        scheduled = await activate(governance, soon, window=window(10))
        for policy in (now, soon):
            with pytest.raises(PolicyInForce):
                await governance.withdraw(policy.policy_id, ANN)
            with pytest.raises(PolicyInForce):
                await governance.decide(policy.policy_id, policy.content_hash, Verdict.REJECT, BO, ONE)
        await governance.end_activation(scheduled.sequence, later(1), FREE)
        await governance.withdraw(soon.policy_id, later(1))

    async def test_a_repeated_decision_is_one(self, store: Store, governance: Governance) -> None:
        policy = await edited(store)
        for _ in range(2):
            found = await governance.decide(policy.policy_id, policy.content_hash, Verdict.APPROVE, BO, ONE, CLAIM)
            assert len(found.facts) == 1
        with pytest.raises(IdempotencyConflict):
            await governance.decide(policy.policy_id, policy.content_hash, Verdict.APPROVE, CY, ONE, OTHER_REQUEST)
        assert await actions(store) == ["policy.edited", "policy.approved"]

    async def test_two_approvals_at_once_both_count(self, store: Store, governance: Governance) -> None:
        policy = await edited(store)
        await asyncio.gather(*(approve(governance, policy, act, rules=TWO) for act in (BO, CY)))
        found = await governance.standing(policy.policy_id, NOON)
        assert set(found.approvers(self_approval=False)) == {"bo", "cy"}
        await activate(governance, policy, rules=TWO)

    async def test_of_an_approval_and_a_rejection_at_once_the_rejection_stands(
        self, store: Store, governance: Governance
    ) -> None:
        policy = await edited(store)
        verdicts = ((Verdict.APPROVE, BO), (Verdict.REJECT, CY))
        decided = (
            governance.decide(policy.policy_id, policy.content_hash, verdict, act, ONE) for verdict, act in verdicts
        )
        outcomes = await asyncio.gather(*decided, return_exceptions=True)
        assert all(not isinstance(o, BaseException) or isinstance(o, PolicyRejected) for o in outcomes)
        assert await state(governance, policy) is PolicyState.REJECTED

    async def test_a_policy_of_nobodys_is_unknown(self, store: Store, governance: Governance) -> None:
        for refused in (
            governance.request_review("pol_9", ANN),
            governance.decide("pol_9", "0", Verdict.APPROVE, ANN, ONE),
            governance.withdraw("pol_9", ANN),
            governance.activate("pol_9", Window(), ANN, FREE),
            governance.standing("pol_9", NOON),
            governance.conflicts("pol_9", Window(), NOON),
            governance.roll_back(ALL, "pol_9", ANN, FREE),
        ):
            with pytest.raises(PolicyUnknown, match="pol_9"):
                await refused
        assert await store.audit() == []


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


class ScopeContract:
    """Inherit it beside fixtures `store` and `governance` over one empty database."""

    async def test_a_rollback_takes_the_winner_out_and_what_lies_below_returns(
        self, store: Store, governance: Governance
    ) -> None:
        good, bad = await edited(store), await edited(store, gmv=0.3)
        await activate(governance, good)
        await activate(governance, bad, later(1))
        await activate(governance, bad, later(2), window=window(60, 70))
        done = await governance.roll_back(ALL, None, later(3, BO), FREE)
        assert done.activation is None
        assert [(a.policy, a.ended and a.ended.kind) for a in done.ended] == [(bad, EndingKind.ROLLED_BACK)] * 2
        assert [await served(governance, m) for m in (3, 65)] == [[good.policy_id]] * 2
        assert await state(governance, bad, 4) is PolicyState.ROLLED_BACK
        assert await state(governance, good, 4) is PolicyState.ACTIVE
        await governance.roll_back(ALL, None, later(5), FREE)
        assert await served(governance, 6) == []
        with pytest.raises(NotRollbackable, match="nothing is in force"):
            await governance.roll_back(ALL, None, later(7), FREE)

    async def test_a_partial_rollout_on_top_is_what_is_rolled_back(
        self, store: Store, governance: Governance
    ) -> None:
        base, canary = await edited(store), await edited(store, gmv=0.3)
        await activate(governance, base)
        await activate(governance, canary, later(1), percent=1)
        await governance.roll_back(ALL, None, later(2), FREE)
        assert await served(governance, 3) == [base.policy_id]

    async def test_a_rollback_by_a_clock_that_is_behind_takes_out_what_was_activated_last(
        self, store: Store, governance: Governance
    ) -> None:
        good, bad = await edited(store), await edited(store, gmv=0.3)
        await activate(governance, good)
        await activate(governance, bad, later(5))
        done = await governance.roll_back(ALL, None, later(3, BO), FREE)
        assert [a.policy for a in done.ended] == [bad]
        assert [await served(governance, m) for m in (3, 6)] == [[good.policy_id]] * 2
        assert await state(governance, bad, 6) is PolicyState.ROLLED_BACK

    async def test_approvals_of_laxer_rules_are_too_few_to_be_rolled_back_to(
        self, store: Store, governance: Governance
    ) -> None:
        bad, approved = await edited(store), await edited(store, gmv=0.3)
        await activate(governance, bad)
        await approve(governance, approved, BO)
        with pytest.raises(NotRollbackable, match="isn't approved"):
            await governance.roll_back(ALL, approved.policy_id, later(1), TWO)
        await governance.roll_back(ALL, approved.policy_id, later(1), ONE)
        assert (await served(governance, 1))[0] == approved.policy_id

    async def test_a_rollback_to_a_policy_passes_review_and_the_largest_step(
        self, store: Store, governance: Governance
    ) -> None:
        strict = replace(NARROW, scenario=replace(NARROW.scenario, review=ReviewRules(approvals=3)))
        old, between, bad = [await edited(store, gmv=g) for g in (0.1, 0.2, 0.3)]
        for minutes, policy in enumerate((old, between, bad)):
            await activate(governance, policy, later(minutes))
        done = await governance.roll_back(ALL, old.policy_id, later(5), strict, CLAIM)
        assert done.activation is not None
        assert (done.activation.policy, done.activation.percent, done.activation.end) == (old, 100, None)
        assert await governance.roll_back(ALL, old.policy_id, later(6), strict, CLAIM) == done
        assert (await served(governance, 7))[0] == old.policy_id
        assert await state(governance, bad, 7) is PolicyState.ROLLED_BACK
        assert (await actions(store))[-1] == "scope.rolled_back"

    async def test_only_what_was_in_force_or_approved_is_rolled_back_to(
        self, store: Store, governance: Governance
    ) -> None:
        bad, draft, approved, rejected = [await edited(store, gmv=0.2 + i / 100) for i in range(4)]
        elsewhere = await edited(store, NEW)
        await activate(governance, bad)
        await activate(governance, elsewhere)
        await approve(governance, approved, BO)
        await governance.decide(rejected.policy_id, rejected.content_hash, Verdict.REJECT, BO, ONE)
        for target, why in (
            (draft, "never in force"),
            (rejected, "rejected"),
            (elsewhere, "home_feed/new_user"),
            (bad, "is in force"),
        ):
            with pytest.raises(NotRollbackable, match=why):
                await governance.roll_back(ALL, target.policy_id, later(1), FREE)
        assert await served(governance, 1) == [bad.policy_id]
        await governance.roll_back(ALL, approved.policy_id, later(1), FREE)
        assert (await served(governance, 1))[0] == approved.policy_id

    async def test_weights_that_no_longer_fit_are_not_rolled_back_to(
        self, store: Store, governance: Governance
    ) -> None:
        old = await edited(store)
        made = await activate(governance, old)
        await governance.end_activation(made.sequence, later(1), FREE)
        with pytest.raises(NotRollbackable, match="other utilities"):
            await governance.roll_back(ALL, old.policy_id, later(2), RENAMED)

    async def test_a_frozen_scope_takes_no_activation(self, store: Store, governance: Governance) -> None:
        policy, new = await edited(store), await edited(store, NEW)
        made = await activate(governance, policy, window=window(10, 20))
        found = await governance.freeze(ALL, BO, frozen=True)
        assert [(f.scope, f.by, f.reason) for f in found.frozen_by] == [(ALL, "bo", "bo says so")]
        wider = ActivationChange(window=window(10, 30))
        for refused in (
            activate(governance, policy),
            activate(governance, new),
            governance.change_activation(made.sequence, 1, wider, ANN, FREE),
            governance.roll_back(ALL, policy.policy_id, ANN, FREE),
        ):
            with pytest.raises(ScopeFrozen, match="bo says so"):
                await refused
        await governance.end_activation(made.sequence, ANN, FREE)
        await governance.freeze(ALL, CY, frozen=False)
        await activate(governance, new)

    async def test_freezing_a_segment_leaves_the_others_alone(self, store: Store, governance: Governance) -> None:
        await governance.freeze(NEW, BO, frozen=True)
        with pytest.raises(ScopeFrozen):
            await activate(governance, await edited(store, NEW))
        await activate(governance, await edited(store))
        await activate(governance, await edited(store, MATURE))

    async def test_freezing_twice_is_freezing_once(self, store: Store, governance: Governance) -> None:
        for frozen in (False, True, True, False, False):
            await governance.freeze(ALL, BO, frozen=frozen)
        assert await actions(store) == ["scope.frozen", "scope.unfrozen"]
        assert len((await governance.serving()).freezes) == 2

    async def test_a_repeated_freeze_never_freezes_again(self, store: Store, governance: Governance) -> None:
        await governance.freeze(ALL, BO, frozen=True)
        await governance.freeze(ALL, ANN, frozen=True, claim=CLAIM)
        await governance.freeze(ALL, BO, frozen=False)
        assert (await governance.freeze(ALL, ANN, frozen=True, claim=CLAIM)).frozen_by == ()
        with pytest.raises(IdempotencyConflict):
            await governance.freeze(ALL, ANN, frozen=True, claim=OTHER_REQUEST)

    async def test_a_scope_says_what_is_in_force_and_what_is_coming(
        self, store: Store, governance: Governance
    ) -> None:
        base, sale = await edited(store), await edited(store, gmv=0.3)
        first = await activate(governance, base)
        second = await activate(governance, sale, window=window(20, 30))
        third = await activate(governance, sale, window=window(10, 15))
        found = await governance.scope(ALL, moment(1))
        assert (found.stack, found.coming, found.frozen_by) == ((first,), (third, second), ())
        assert (await governance.scope(NEW, moment(1))).stack == ()


class GovernanceContract(ReviewContract, ActivationContract, ScopeContract):
    """The whole port."""

    async def test_no_change_names_the_policy_that_holds_then(self, store: Store, governance: Governance) -> None:
        sale, base, ours = await edited(store, gmv=0.3), await edited(store), await edited(store, NEW)
        await activate(governance, sale, window=window(10, 20))
        await activate(governance, base, later(5))
        await activate(governance, ours, window=window(12))
        canary = await edited(store, gmv=0.25)
        await activate(governance, canary, later(6), percent=50)
        expected = {(6, ALL): base, (11, ALL): sale, (11, NEW): sale, (13, NEW): ours, (21, ALL): base}
        for (minutes, scope), policy in expected.items():
            assert await no_change(store, moment(minutes), scope) == policy
        await governance.freeze(ALL, later(22), frozen=True)
        assert await no_change(store, moment(23), NEW) is None


async def no_change(store: Store, when: datetime, scope: Scope) -> RewardPolicy | None:
    goal = Goal(id=f"goal_{scope}_{when}", scope=scope, text="hello", submitted_at=when)
    await store.record_goal(goal)
    proposal = Proposal(
        interpretation=Interpretation(decision=Decision.NO_CHANGE), weights=weights(), source=Source.RULES
    )
    return (await store.record_proposal(goal.id, proposal, when)).policy
