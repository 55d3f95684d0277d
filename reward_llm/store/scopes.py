"""Whole scopes: rolled back, frozen and looked at."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.act import Act
from reward_llm.domain.activation import PLANNED, Activation, EndingKind
from reward_llm.domain.activation_changes import ended
from reward_llm.domain.admission import Admission
from reward_llm.domain.goal import Window
from reward_llm.domain.lifecycle import Standing
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports import Freeze, IdempotencyClaim, Rollback, ScopeState
from reward_llm.domain.scenario import Scope
from reward_llm.errors import NotRollbackable
from reward_llm.store import hindsight, schedules, standings
from reward_llm.store.activation_rows import insert_activation, update_activation
from reward_llm.store.admitting import not_frozen
from reward_llm.store.database import Repository
from reward_llm.store.feed import count_change
from reward_llm.store.governance_codec import freeze_values
from reward_llm.store.ledger import Action, claimed, remember
from reward_llm.store.tables import freezes
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried
from reward_llm.store.writing import Writing


class SqlScopes(Repository):
    """The part of a `reward_llm.domain.ports.Governance` that is about scopes."""

    @to_the_end
    @retried
    async def roll_back(
        self,
        scope: Scope,
        to_policy: str | None,
        act: Act,
        admission: Admission,
        claim: IdempotencyClaim | None = None,
        guard: Callable[[Activation | None], None] | None = None,
    ) -> Rollback:
        """Take the scope's winning policy out of force at once, with all its activations that aren't over."""
        action = Action.SCOPE_ROLLED_BACK
        async with self._database.writing(act) as writing:
            if known := await claimed(writing.connection, claim, action):
                return await _remembered(writing.connection, known)
            now = await schedules.now_in(writing.connection, scope, act.at)
            winning = await schedules.winning(writing.connection, scope, now)
            if guard is not None:
                guard(winning)
            target = await _target(writing, scope, to_policy, winning, admission)
            out = await _taken_out(writing, winning)
            back = await insert_activation(writing, await _from_now_on(writing, target)) if target else None
            details = {"policy_id": winning.policy.policy_id if winning else None, "to_policy": to_policy}
            await writing.put_on_record(action, str(scope), chain=scope.scenario, details=details)
            done = Rollback(ended=out, activation=back)
            await remember(writing.connection, claim, action, _reminder(done), writing.at)
        return done

    @to_the_end
    @retried
    async def freeze(
        self, scope: Scope, act: Act, *, frozen: bool, claim: IdempotencyClaim | None = None
    ) -> ScopeState:
        """Freeze or unfreeze a scope; what is so already stays as it is."""
        action = Action.SCOPE_FROZEN if frozen else Action.SCOPE_UNFROZEN
        async with self._database.writing(act) as writing:
            if not await claimed(writing.connection, claim, action):
                over = await schedules.freezes_over(writing.connection, scope)
                if any(f.scope == scope for f in over) is not frozen:
                    await _put_freeze(writing, scope, action, frozen=frozen)
                await remember(writing.connection, claim, action, str(scope), writing.at)
            return await _state(writing.connection, scope, act.at)

    @to_the_end
    @retried
    async def scope(self, scope: Scope, at: datetime) -> ScopeState:
        """What is in force, what is to come and what is frozen, in exactly this scope."""
        async with self._database.reading() as connection:
            return await _state(connection, scope, at)

    @to_the_end
    @retried
    async def scope_at(self, scope: Scope, moment: datetime) -> ScopeState:
        """What was in force in exactly this scope at a moment, for whom it was then, and what was frozen then."""
        async with self._database.reading() as connection:
            return await hindsight.scope_at(connection, scope, moment)


async def _put_freeze(writing: Writing, scope: Scope, action: Action, *, frozen: bool) -> None:
    act = writing.act
    fact = Freeze(scope=scope, frozen=frozen, at=act.at, by=act.actor, reason=act.reason)
    changed = await count_change(writing.connection)
    await writing.insert(freezes, freeze_values(fact) | {"changed": changed})
    await writing.put_on_record(action, str(scope), chain=scope.scenario)


async def _target(
    writing: Writing, scope: Scope, to_policy: str | None, winning: Activation | None, admission: Admission
) -> Standing | None:
    """What the scope is rolled back to; None is whatever lies below."""
    if to_policy is None:
        if winning is None:
            raise NotRollbackable(f"nothing is in force in {scope}", hint="What holds there comes from elsewhere.")
        return None
    await not_frozen(writing, scope)
    target = await standings.standing(writing.connection, to_policy, writing.at)
    active = await schedules.active_policy(writing.connection, scope, writing.at)
    if reason := _why_not(target, scope, winning, active, admission, writing.at):
        raise NotRollbackable(f"{to_policy} can't be rolled back to: {reason}")
    return target


def _why_not(
    target: Standing,
    scope: Scope,
    winning: Activation | None,
    active: RewardPolicy | None,
    admission: Admission,
    now: datetime,
) -> str | None:
    policy = target.policy
    if policy.scope != scope:
        return f"it is a policy of {policy.scope}"
    if winning is not None and winning.policy == policy:
        return "it is in force"
    if target.rejected or target.withdrawn:
        return "it was rejected" if target.rejected else "it was withdrawn"
    if not admission.fits(policy):
        return "its scenario has other utilities now"
    if any(a.was_in_force(now) for a in target.activations) or admission.approves(target, active):
        return None
    return "it was never in force, and isn't approved"


async def _taken_out(writing: Writing, winning: Activation | None) -> tuple[Activation, ...]:
    """All activations of the winning policy that aren't over, ended."""
    if winning is None:
        return ()
    remaining = await schedules.open_ones(writing.connection, winning.policy.policy_id, writing.at)
    out = tuple(ended(a, None, writing.act, EndingKind.ROLLED_BACK) for a in remaining if not a.is_over(writing.at))
    for activation in out:
        await update_activation(writing, activation)
    return out


async def _from_now_on(writing: Writing, target: Standing) -> Activation:
    return Activation(
        sequence=PLANNED,
        policy=target.policy,
        window=Window(),
        activated_at=await schedules.now_in(writing.connection, target.policy.scope, writing.at),
        activated_by=writing.act.actor,
    )


async def _state(connection: AsyncConnection, scope: Scope, at: datetime) -> ScopeState:
    return ScopeState(
        scope=scope,
        stack=tuple(await schedules.covering(connection, scope, at)),
        coming=tuple(await schedules.coming(connection, scope, at)),
        frozen_by=await schedules.freezes_over(connection, scope),
    )


def _reminder(done: Rollback) -> str:
    """What an idempotency key keeps of a rollback."""
    back = done.activation.sequence if done.activation else None
    return json.dumps({"ended": [a.sequence for a in done.ended], "activation": back})


async def _remembered(connection: AsyncConnection, reminder: str) -> Rollback:
    kept = json.loads(reminder)
    out: Sequence[Activation] = [await schedules.activation(connection, s) for s in kept["ended"]]
    back = kept["activation"]
    return Rollback(ended=tuple(out), activation=await schedules.activation(connection, back) if back else None)
