"""What every `reward_llm.domain.ports.Governance` does."""

from __future__ import annotations

from datetime import datetime

from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Decision, Interpretation
from reward_llm.domain.policy import Proposal, RewardPolicy, Source
from reward_llm.domain.ports import Governance, Store
from reward_llm.domain.scenario import Scope
from tests.activations import ALL, NEW, moment
from tests.contracts.governance.activations import ActivationContract
from tests.contracts.governance.acts import activate, edited, later, weights, window
from tests.contracts.governance.reviews import ReviewContract
from tests.contracts.governance.scopes import ScopeContract


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
