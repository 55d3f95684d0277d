"""Rollbacks, freezes, and what a scope holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reward_llm.domain.activation import EndingKind
from reward_llm.domain.activation_changes import ActivationChange
from reward_llm.domain.lifecycle import PolicyState, Verdict
from reward_llm.domain.ports import Governance, Store
from reward_llm.domain.review_rules import ReviewRules
from reward_llm.errors import (
    IdempotencyConflict,
    NotRollbackable,
    ScopeFrozen,
)
from tests.activations import ALL, MATURE, NEW, moment
from tests.contracts.governance.acts import (
    ANN,
    BO,
    CLAIM,
    CY,
    FREE,
    NARROW,
    ONE,
    OTHER_REQUEST,
    RENAMED,
    TWO,
    actions,
    activate,
    approve,
    edited,
    later,
    served,
    state,
    window,
)


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

    async def test_a_scope_is_known_as_it_was_at_a_moment(self, store: Store, governance: Governance) -> None:
        made = await activate(governance, await edited(store), percent=50)
        for minutes, percent in ((5, 10.0), (15, 80.0)):
            revision = (await governance.activation(made.sequence)).revision
            change = ActivationChange(window=window(), percent=percent)
            await governance.change_activation(made.sequence, revision, change, later(minutes), FREE)
        await governance.freeze(ALL, later(20, BO), frozen=True)
        await governance.freeze(ALL, later(30, BO), frozen=False)
        await governance.end_activation(made.sequence, later(40), FREE)
        then = [await governance.scope_at(ALL, moment(m)) for m in (-1, 1, 6, 16, 25, 35, 45)]
        assert [[a.percent for a in s.stack] for s in then] == [[], [50], [10], [80], [80], [80], []]
        assert [bool(s.frozen_by) for s in then] == [False, False, False, False, True, False, False]
        assert (await governance.scope_at(NEW, moment(25))).frozen_by == then[4].frozen_by
