"""What is decided on policies."""

from __future__ import annotations

import asyncio

import pytest

from reward_llm.domain.goal import Window
from reward_llm.domain.lifecycle import PolicyState, Verdict, state_of
from reward_llm.domain.ports import Governance, Store
from reward_llm.domain.review import Review, ReviewReason
from reward_llm.domain.review_rules import RaisedRule
from reward_llm.errors import (
    ApprovalsMissing,
    ContentHashMismatch,
    GateRefused,
    IdempotencyConflict,
    NotTheAuthor,
    PolicyInForce,
    PolicyRejected,
    PolicyUnknown,
    PolicyWithdrawn,
    SelfApprovalForbidden,
)
from tests.activations import ALL, NOON
from tests.contracts.governance.acts import (
    ANN,
    BO,
    CLAIM,
    CY,
    FREE,
    ONE,
    OTHER_REQUEST,
    RENAMED,
    TWO,
    actions,
    activate,
    admission,
    approve,
    edited,
    later,
    proposed,
    state,
    window,
)


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
