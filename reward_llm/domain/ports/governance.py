"""What is decided on policies, and what is in force."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from reward_llm.domain.act import Act
from reward_llm.domain.activation import Activation
from reward_llm.domain.activation_changes import ActivationChange
from reward_llm.domain.admission import Admission
from reward_llm.domain.goal import Window
from reward_llm.domain.lifecycle import Standing, Verdict
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports.records import IdempotencyClaim, Page
from reward_llm.domain.scenario import Scope
from reward_llm.domain.schedule import EVERYBODY, Overlap


@dataclass(frozen=True, slots=True, kw_only=True)
class Freeze:
    """A scope that was frozen or unfrozen."""

    scope: Scope
    frozen: bool
    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingChanges:
    """Activations, as they are now, and freezes that were made or changed; `latest` counts all such changes."""

    latest: int
    activations: tuple[Activation, ...] = ()
    freezes: tuple[Freeze, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """What was taken out of force, and what was put in its place; None if what lay below returns."""

    ended: tuple[Activation, ...]
    activation: Activation | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeState:
    """What is known of exactly one scope.

    `stack` covers the moment, the winning activation first, and `coming` begins later, the next first. `frozen_by`
    are the freezes that hold: the scope's own, its scenario's, or both.
    """

    scope: Scope
    stack: tuple[Activation, ...]
    coming: tuple[Activation, ...]
    frozen_by: tuple[Freeze, ...]


class ServingLog(Protocol):
    """Where a board learns what there is to serve."""

    async def serving(self, *, since: int = 0) -> ServingChanges:
        """What was made or changed after the change that `since` counts, oldest first.

        Raises:
            StoreUnavailable: If the database can't be read.
        """
        ...


class Governance(ServingLog, Protocol):
    """What is decided on policies. Every method is one transaction; what it decides, it decides in there.

    An act's `reason` is the comment of a decision and the reason of everything else. All writes raise
    IdempotencyConflict if a claim's key came with another request before, and all methods StoreUnavailable when the
    database can't be read or written.
    """

    async def request_review(self, policy_id: str, act: Act, claim: IdempotencyClaim | None = None) -> Standing:
        """Ask for decisions on a policy.

        Raises:
            PolicyUnknown: If there is no such policy.
            PolicyRejected: If it was rejected.
            PolicyWithdrawn: If it was withdrawn.
        """
        ...

    async def decide(
        self,
        policy_id: str,
        content_hash: str,
        verdict: Verdict,
        act: Act,
        admission: Admission,
        claim: IdempotencyClaim | None = None,
    ) -> Standing:
        """Approve or reject exactly the weights that have the hash.

        Raises:
            PolicyUnknown: If there is no such policy.
            ContentHashMismatch: If its hash is another.
            SelfApprovalForbidden: If its author approves, and the rules don't count that.
            PolicyRejected: If it was rejected.
            PolicyWithdrawn: If it was withdrawn.
            PolicyInForce: If one in force or scheduled is to be rejected.
        """
        ...

    async def withdraw(
        self, policy_id: str, act: Act, *, anybodys: bool = False, claim: IdempotencyClaim | None = None
    ) -> Standing:
        """Take a policy back for good; only its author may, unless `anybodys`.

        Raises:
            PolicyUnknown: If there is no such policy.
            NotTheAuthor: If somebody else wrote it.
            PolicyInForce: If it is in force or scheduled.
            PolicyRejected: If it was rejected.
            PolicyWithdrawn: If it was withdrawn.
        """
        ...

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
        """Put a policy into force, now or at the start of the window.

        What was in force for everybody before needn't pass the gate again, but needs its approvals.

        Raises:
            PolicyUnknown: If there is no such policy.
            PolicyRejected: If it was rejected.
            PolicyWithdrawn: If it was withdrawn.
            ScopeFrozen: If its scope or its scenario is frozen.
            ApprovalsMissing: If it needs more approvals over what is in force when it begins.
            GateRefused: If the gate refuses it over that.
            ScheduleConflict: If windows would be cut into, and that isn't accepted.
            InvalidInput: If the window is over, or `percent` isn't over 0 and at most 100.
        """
        ...

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
        """Change an activation that has this revision; what raises its share or moves its start is checked anew.

        Raises:
            ScheduleConflict: If windows would be cut into, and that isn't accepted; or if others were admitted over
                it, and are too far from what holds without it.
            ActivationUnknown: If there is no such activation.
            Outdated: If it has another revision; `current` is the activation as it is.
            ActivationOver: If it has ended.
            InvalidInput: If it has begun and its start is to change, or it would end in the past.
        """
        ...

    async def end_activation(
        self,
        sequence: int,
        act: Act,
        admission: Admission,
        *,
        revision: int | None = None,
        claim: IdempotencyClaim | None = None,
    ) -> Activation:
        """End an activation now; one that hasn't begun never will.

        Raises:
            ScheduleConflict: If others were admitted over it, and are too far from what holds without it.
            ActivationUnknown: If there is no such activation.
            Outdated: If it has another revision than the one that is given.
            ActivationOver: If it has ended.
        """
        ...

    async def roll_back(
        self,
        scope: Scope,
        to_policy: str | None,
        act: Act,
        admission: Admission,
        claim: IdempotencyClaim | None = None,
        guard: Callable[[Activation | None], None] | None = None,
    ) -> Rollback:
        """Take the scope's winning policy out of force at once, with all its activations that aren't over.

        What lies below returns, or else `to_policy` is put into force for everybody, past review and the largest
        step. `guard` is shown what is about to be taken out, None if nothing is in force, and raises if that isn't
        what the caller means.

        Raises:
            PolicyUnknown: If there is no such policy.
            NotRollbackable: If nothing is in force, or `to_policy` was neither in force nor approved, isn't the
                scope's, or doesn't fit its scenario any more.
            ScopeFrozen: If `to_policy` is named and the scope is frozen.
        """
        ...

    async def freeze(
        self, scope: Scope, act: Act, *, frozen: bool, claim: IdempotencyClaim | None = None
    ) -> ScopeState:
        """Freeze or unfreeze a scope; what is so already stays as it is."""
        ...

    async def standing(self, policy_id: str, at: datetime) -> Standing:
        """All that is known of a policy, as it stands at that moment.

        Raises:
            PolicyUnknown: If there is no such policy.
        """
        ...

    async def standings(self, policies: Sequence[RewardPolicy], at: datetime) -> Mapping[str, Standing]:
        """All that is known of policies that there are, by their ids."""
        ...

    async def activation(self, sequence: int) -> Activation:
        """One activation.

        Raises:
            ActivationUnknown: If there is no such activation.
        """
        ...

    async def activations(
        self,
        *,
        scope: Scope | None = None,
        scenario: str | None = None,
        scenarios: Collection[str] | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Page[Activation]:
        """Activations, the last made first; what is None doesn't matter.

        Raises:
            InvalidInput: If the cursor isn't one of ours.
        """
        ...

    async def conflicts(self, policy_id: str, window: Window, at: datetime) -> Sequence[Overlap]:
        """What an activation of the policy would conflict with, in the order of their starts.

        Raises:
            PolicyUnknown: If there is no such policy.
        """
        ...

    async def scope(self, scope: Scope, at: datetime) -> ScopeState:
        """What is in force, what is to come and what is frozen, in exactly this scope."""
        ...

    async def scope_at(self, scope: Scope, moment: datetime) -> ScopeState:
        """What was in force in exactly this scope at a moment, for whom it was then, and what was frozen then.

        `coming` is empty. A moment that is to come is answered by what is known now.
        """
        ...
