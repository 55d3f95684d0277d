"""The request contradicts what is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reward_llm.errors.root import Difference, RewardLLMError


class Conflict(RewardLLMError):
    """The request contradicts what is stored."""

    code = "conflict"


class GoalPending(Conflict):
    """The same goal was submitted before and is still being read."""

    code = "goal_pending"
    retryable = True


class Outdated(Conflict):
    """The write was meant for an earlier version; `current` is the one that there is now, None if there is none."""

    code = "outdated"

    def __init__(self, message: str, *, hint: str | None = None, current: object = None) -> None:
        super().__init__(message, hint=hint)
        self.current = current


class ScopeControlled(Conflict):
    """Another controller has the scope for itself."""

    code = "scope_controlled"


class ControllerNotReady(Conflict):
    """A controller that isn't in the state for what is asked of it, or whose policy isn't in force."""

    code = "controller_not_ready"


class MoveNotGranted(Conflict):
    """A controller's move that nobody granted: out of its envelope, or over another policy than it knows."""

    code = "move_not_granted"


class ContentHashMismatch(Conflict):
    """A decision on other weights than the policy has."""

    code = "content_hash_mismatch"


class SelfApprovalForbidden(Conflict):
    """The author's own approval, where the review rules don't count it."""

    code = "self_approval_forbidden"


class ApprovalsMissing(Conflict):
    """A policy that fewer people approved of than the review rules ask for."""

    code = "approvals_missing"


class PolicyRejected(Conflict):
    """The policy was rejected, for good."""

    code = "policy_rejected"


class PolicyWithdrawn(Conflict):
    """The policy was withdrawn."""

    code = "policy_withdrawn"


class PolicyInForce(Conflict):
    """The policy is in force or scheduled, and is to be ended first."""

    code = "policy_in_force"


class NotTheAuthor(Conflict):
    """Only the author may do that."""

    code = "not_the_author"


class ScheduleConflict(Conflict):
    """A window would cut into another's; each of those is named in `violations`."""

    code = "schedule_conflict"


class ActivationOver(Conflict):
    """The activation has ended, so nothing of it can be changed."""

    code = "activation_over"


class NothingSolved(Conflict):
    """The goal has no solved weights: it asks for no target or guardrail, or nobody here knows what weights bring."""

    code = "nothing_solved"


class NotRollbackable(Conflict):
    """There is nothing to take out of force, or the policy can't come back."""

    code = "not_rollbackable"


class ScopeFrozen(Conflict):
    """The scope serves its baseline alone until it is unfrozen."""

    code = "scope_frozen"


class EvaluationBelow(Conflict):
    """A version that reads its golden set worse than it must; `evidence` is what was measured, as a JSON document."""

    code = "evaluation_below"

    def __init__(self, message: str, *, hint: str | None = None, evidence: Mapping[str, Any]) -> None:
        super().__init__(message, hint=hint)
        self.evidence = evidence


class EvaluationUnderway(Conflict):
    """As many golden sets are being read as may be at once."""

    code = "evaluation_underway"
    retryable = True


class SimulatorBusy(Conflict):
    """As many simulations wait as may."""

    code = "simulator_busy"
    retryable = True


class SearchBusy(Conflict):
    """As many searches wait as may, or this one isn't in a state for that."""

    code = "search_busy"
    retryable = True


class ExperimentOver(Conflict):
    """The experiment was started before, or is over."""

    code = "experiment_over"


class ExperimentUnderway(Conflict):
    """Another experiment runs on units of the scope."""

    code = "experiment_underway"


class OverrideForbidden(Conflict):
    """An override by somebody whose word doesn't count: the version's own author."""

    code = "override_forbidden"


class TokenNameTaken(Conflict):
    """A live API token has that name."""

    code = "token_name_taken"


class IdempotencyConflict(Conflict):
    """An Idempotency-Key came back with another request."""

    code = "idempotency_conflict"


class WebhookInactive(Conflict):
    """Nothing is sent to a webhook that isn't active."""

    code = "webhook_inactive"


class DeliveryUnderway(Conflict):
    """The delivery is being sent at this moment."""

    code = "delivery_underway"
    retryable = True


class PreconditionRequired(RewardLLMError):
    """A write that says nothing of the version that it is meant for."""

    code = "precondition_required"


class PreconditionFailed(RewardLLMError):
    """A write that is meant for another version than there is now; `current` is that, as a JSON document."""

    code = "precondition_failed"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        current: Mapping[str, Any] | None = None,
        differences: Sequence[Difference] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.current = current
        self.differences = tuple(differences)
