"""Activations: made, changed and ended."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from reward_llm.domain.act import Act
from reward_llm.domain.activation import PLANNED, Activation
from reward_llm.domain.activation_changes import ActivationChange, changed, check_window, ended, widens
from reward_llm.domain.admission import Admission
from reward_llm.domain.goal import Window
from reward_llm.domain.ports import IdempotencyClaim, Page
from reward_llm.domain.scenario import Scope
from reward_llm.domain.schedule import EVERYBODY, Overlap, conflicts
from reward_llm.errors import ApprovalsMissing, GateRefused, RewardLLMError, ScheduleConflict, Violation
from reward_llm.store import admitting, codec, queries, schedules, standings
from reward_llm.store.activation_rows import insert_activation, update_activation
from reward_llm.store.ledger import Action, claimed, remember
from reward_llm.store.pages import page
from reward_llm.store.serving_log import SqlServingLog
from reward_llm.store.tables import activations, policies
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried
from reward_llm.store.writing import Writing


class SqlActivations(SqlServingLog):
    """The part of a `reward_llm.domain.ports.Governance` that is about activations."""

    @to_the_end
    @retried
    async def activate(
        self,
        policy_id: str,
        window: Window,
        act: Act,
        admission: Admission,
        *,
        percent: float = EVERYBODY,
        accept_conflicts: bool = False,
        claim: IdempotencyClaim | None = None,
    ) -> Activation:
        """Put a policy into force, and with it the goal that it came from."""
        action = Action.POLICY_ACTIVATED
        async with self._database.writing(act) as writing:
            if known := await claimed(writing.connection, claim, action):
                return await schedules.activation(writing.connection, int(known))
            activation = await put_into_force(
                writing, policy_id, window, admission, percent=percent, accept_conflicts=accept_conflicts
            )
            await remember(writing.connection, claim, action, str(activation.sequence), writing.at)
        return activation

    @to_the_end
    @retried
    async def change_activation(
        self,
        sequence: int,
        revision: int,
        change: ActivationChange,
        act: Act,
        admission: Admission,
        *,
        accept_conflicts: bool = False,
        claim: IdempotencyClaim | None = None,
    ) -> Activation:
        """Change an activation that has this revision; what raises its share or moves its start is checked anew."""
        action = Action.ACTIVATION_CHANGED
        async with self._database.writing(act) as writing:
            before = await schedules.activation(writing.connection, sequence)
            if await claimed(writing.connection, claim, action):
                return before
            after = changed(before, revision, change, act.at)
            if widens(before, after):
                await _admit_again(writing, after, admission)
            if after.window != before.window and not accept_conflicts:
                await admitting.no_conflicts(writing, after)
            dependents = await _admitted_over(writing, before, admission) if widens(after, before) else []
            await update_activation(writing, after)
            await _check_still_admitted(writing, dependents, admission)
            await _put_on_record(writing, after, action)
            await remember(writing.connection, claim, action, str(sequence), writing.at)
        return after

    @to_the_end
    @retried
    async def end_activation(
        self,
        sequence: int,
        act: Act,
        admission: Admission,
        *,
        revision: int | None = None,
        claim: IdempotencyClaim | None = None,
    ) -> Activation:
        """End an activation now; one that hasn't begun never will."""
        action = Action.ACTIVATION_ENDED
        async with self._database.writing(act) as writing:
            before = await schedules.activation(writing.connection, sequence)
            if await claimed(writing.connection, claim, action):
                return before
            after = await take_out_of_force(writing, before, admission, revision=revision)
            await remember(writing.connection, claim, action, str(sequence), writing.at)
        return after

    @to_the_end
    @retried
    async def activation(self, sequence: int) -> Activation:
        """One activation."""
        async with self._database.reading() as connection:
            return await schedules.activation(connection, sequence)

    @to_the_end
    @retried
    async def activations(
        self,
        *,
        scope: Scope | None = None,
        scenario: str | None = None,
        scenarios: Collection[str] | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Activation]:
        """Activations, the last made first."""
        query = schedules.ACTIVATIONS
        if scope is not None:
            query = query.where(queries.in_scope(scope))
        if scenario is not None:
            query = query.where(policies.c.scenario == scenario)
        if scenarios is not None:
            query = query.where(policies.c.scenario.in_(scenarios))
        order = activations.c.sequence
        async with self._database.reading() as connection:
            return await page(connection, query, order, codec.activation, cursor=cursor, limit=limit)

    @to_the_end
    @retried
    async def conflicts(self, policy_id: str, window: Window, at: datetime) -> Sequence[Overlap]:
        """What an activation of the policy would conflict with, in the order of their starts."""
        async with self._database.reading() as connection:
            policy = await queries.policy(connection, policy_id)
            planned = Activation(sequence=PLANNED, policy=policy, window=window, activated_at=at, activated_by="")
            return conflicts(planned, await schedules.interruptible(connection, planned, at), at)


async def put_into_force(
    writing: Writing,
    policy_id: str,
    window: Window,
    admission: Admission,
    *,
    percent: float = EVERYBODY,
    accept_conflicts: bool = False,
) -> Activation:
    """Activate a policy within a transaction, and put that on record; see `Governance.activate`."""
    connection, at = writing.connection, writing.at
    standing = await standings.standing(connection, policy_id, at)
    scope = standing.policy.scope
    admitting.check_open(standing)
    check_window(window, percent, at)
    await admitting.not_frozen(writing, scope)
    planned = Activation(
        sequence=PLANNED,
        policy=standing.policy,
        window=window,
        activated_at=await schedules.now_in(connection, scope, at),
        activated_by=writing.act.actor,
        percent=percent,
    )
    await admitting.admit(writing, standing, planned, admission)
    if not accept_conflicts:
        await admitting.no_conflicts(writing, planned)
    activation = await insert_activation(writing, planned)
    await writing.put_on_record(Action.POLICY_ACTIVATED, policy_id, chain=scope.scenario)
    return activation


async def take_out_of_force(
    writing: Writing, before: Activation, admission: Admission, *, revision: int | None = None
) -> Activation:
    """End an activation within a transaction, and put that on record; see `Governance.end_activation`."""
    after = ended(before, revision, writing.act)
    dependents = await _admitted_over(writing, before, admission)
    await update_activation(writing, after)
    await _check_still_admitted(writing, dependents, admission)
    await _put_on_record(writing, after, Action.ACTIVATION_ENDED)
    return after


async def _admit_again(writing: Writing, activation: Activation, admission: Admission) -> None:
    await admitting.not_frozen(writing, activation.policy.scope)
    await _admit(writing, activation, admission)


async def _admit(writing: Writing, activation: Activation, admission: Admission) -> None:
    standing = await standings.standing(writing.connection, activation.policy.policy_id, writing.at)
    others = tuple(a for a in standing.activations if a.sequence != activation.sequence)
    await admitting.admit(writing, replace(standing, activations=others), activation, admission)


async def _admitted_over(writing: Writing, activation: Activation, admission: Admission) -> list[Activation]:
    """What begins while it is to hold, and may as things are."""
    coming = await schedules.coming_within(writing.connection, activation.policy.scope, writing.at)
    begun = [a for a in coming if a.sequence != activation.sequence and activation.covers(a.start)]
    return [a for a in begun if await _objection(writing, a, admission) is None]


async def _check_still_admitted(writing: Writing, coming: Iterable[Activation], admission: Admission) -> None:
    """Accept a change after which all of these may begin.

    Raises:
        ScheduleConflict: With every activation that would begin as a step that nobody has allowed.
    """
    violations = []
    for activation in coming:
        objection = await _objection(writing, activation, admission)
        if objection is not None:
            message = f"{activation.policy.policy_id} begins {activation.start.isoformat()}: {objection.message}"
            path = f"activations/{activation.sequence}"
            violations.append(Violation(path=path, code="depends", message=message))
    if violations:
        raise ScheduleConflict(
            "what is scheduled was admitted over it: " + "; ".join(v.message for v in violations),
            hint="End what is scheduled first.",
            violations=violations,
        )


async def _objection(writing: Writing, activation: Activation, admission: Admission) -> RewardLLMError | None:
    try:
        await _admit(writing, activation, admission)
    except (GateRefused, ApprovalsMissing) as exc:
        return exc
    return None


async def _put_on_record(writing: Writing, activation: Activation, action: Action) -> None:
    policy = activation.policy
    details = {"activation": activation.sequence}
    await writing.put_on_record(action, policy.policy_id, chain=policy.scope.scenario, details=details)
