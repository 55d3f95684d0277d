"""Every error that the project raises on purpose.

RewardLLMError
├── InvalidInput            what was sent can't be used; sending it again won't help
│   ├── BodyMalformed
│   ├── BodyTooLarge
│   ├── BodyTooSlow
│   ├── HeadersTooLarge
│   ├── HostUnknown
│   ├── ContextInvalid      of an evaluation by OpenFeature
│   ├── GoalInvalid
│   ├── WeightsInvalid
│   ├── RankingInvalid
│   ├── AllocationInvalid   slates that a market can't show
│   ├── SimulationInvalid
│   ├── SearchInvalid       or one that has nothing to propose
│   ├── EventInvalid
│   ├── ExperimentInvalid
│   ├── WindowInvalid       of metrics
│   ├── ControllerInvalid
│   ├── SurfaceInvalid      a response surface that can't be made or used
│   ├── LogUnusable         logged decisions that nothing can be estimated from
│   ├── PromptInvalid
│   ├── BackendNotConfigured
│   ├── ScenarioInvalid
│   ├── WebhookUrlRefused
│   └── WebhookSignatureInvalid
├── NotFound
│   ├── ScenarioUnknown
│   ├── SegmentUnknown
│   ├── GoalUnknown
│   ├── PolicyUnknown
│   ├── ActivationUnknown
│   ├── AuditRecordUnknown
│   ├── PromptUnknown
│   ├── PromptVersionUnknown
│   ├── PromptLabelUnknown
│   ├── TokenUnknown
│   ├── WebhookUnknown
│   ├── DeliveryUnknown
│   ├── SimulationUnknown
│   └── LoopRecordUnknown   an experiment, a controller or a study
├── Conflict
│   ├── GoalPending
│   ├── EvaluationBelow     a prompt's version reads its golden set too badly to be promoted
│   ├── EvaluationUnderway
│   ├── SimulatorBusy       as many simulations wait as may
│   ├── SearchBusy          as many searches wait as may, or it isn't in a state for that
│   ├── ExperimentOver      it was started before, or is over
│   ├── ExperimentUnderway  another one runs on units of the scope
│   ├── OverrideForbidden
│   ├── Outdated            the write was meant for an earlier version
│   ├── ContentHashMismatch
│   ├── SelfApprovalForbidden
│   ├── ApprovalsMissing
│   ├── PolicyRejected
│   ├── PolicyWithdrawn
│   ├── PolicyInForce
│   ├── NotTheAuthor
│   ├── ScheduleConflict
│   ├── ActivationOver
│   ├── NotRollbackable
│   ├── NothingSolved       a goal without targets or guardrails, or without a surface
│   ├── ScopeFrozen
│   ├── ScopeControlled     another controller has the scope
│   ├── ControllerNotReady  it isn't in the state for that
│   ├── MoveNotGranted      a controller's, out of its envelope or over another policy
│   ├── TokenNameTaken
│   ├── IdempotencyConflict
│   ├── WebhookInactive
│   └── DeliveryUnderway
├── Unauthenticated         who asks isn't known, or can't prove it
│   └── SignInFailed
├── Forbidden               who asks may not do that
│   └── CrossSiteRefused
├── RateLimited             too many requests
├── ProviderUnavailable     the identity provider doesn't answer as it should
├── PreconditionRequired    the write needs an If-Match
├── PreconditionFailed      it was meant for another version than there is now
├── GateRefused             the gate found violations in an answer or an edit
├── ModelError              the language model gave no usable answer
│   ├── ModelUnavailable
│   ├── ModelTimeout
│   ├── AnswerTruncated
│   ├── AnswerMalformed
│   ├── AnswerInconsistent
│   ├── CheckpointInvalid
│   └── ModelServerFailed
├── EvaluationTimeout       a golden set took longer to read than there is time for
├── MemoryInsufficient      there is less memory than a run needs
├── StoreUnavailable        the database can't be read or written now
├── TooManySubscribers      as many follow the weights already as one process tells
├── RankerUnavailable       there is no ranker here, or it can't be loaded
├── RankerBusy              as many wait for the ranker as may
├── SimulatorUnavailable    there is no market here, or it can't be loaded
├── SimulationFailed        a simulation broke off
├── SearchUnavailable       nothing is searched here, or what it needs can't be loaded
├── SearchFailed            a search broke off
├── EventsUnavailable       the stream of events, or what the agents know by it, can't be reached or is full
├── MetricsUnavailable      nobody here keeps metrics, or their events can't be read now
├── CheckpointsUnavailable  the audit log's checkpoints can't be read or written now
├── SignatureInvalid        something signed that was changed, or that somebody else signed
├── AuditBroken             the audit log isn't what was written
├── ServiceUnavailable      the command line can't reach the service
├── ServiceRefused          the service answered with a problem document
├── ReviewNeeded            a reading isn't to be activated before a person has looked at it
└── ConfigurationInvalid

Each knows whether trying again may help (`retryable`) and may carry a `hint` that says what to do next.
"""

from __future__ import annotations

from reward_llm.errors.access import (
    CrossSiteRefused,
    Forbidden,
    ProviderUnavailable,
    RateLimited,
    SignInFailed,
    Unauthenticated,
)
from reward_llm.errors.conflicts import (
    ActivationOver,
    ApprovalsMissing,
    Conflict,
    ContentHashMismatch,
    ControllerNotReady,
    DeliveryUnderway,
    EvaluationBelow,
    EvaluationUnderway,
    ExperimentOver,
    ExperimentUnderway,
    GoalPending,
    IdempotencyConflict,
    MoveNotGranted,
    NothingSolved,
    NotRollbackable,
    NotTheAuthor,
    Outdated,
    OverrideForbidden,
    PolicyInForce,
    PolicyRejected,
    PolicyWithdrawn,
    PreconditionFailed,
    PreconditionRequired,
    ScheduleConflict,
    ScopeControlled,
    ScopeFrozen,
    SearchBusy,
    SelfApprovalForbidden,
    SimulatorBusy,
    TokenNameTaken,
    WebhookInactive,
)
from reward_llm.errors.input import (
    AllocationInvalid,
    BackendNotConfigured,
    BodyMalformed,
    BodyTooLarge,
    BodyTooSlow,
    ContextInvalid,
    ControllerInvalid,
    EventInvalid,
    ExperimentInvalid,
    GateRefused,
    GoalInvalid,
    HeadersTooLarge,
    HostUnknown,
    InvalidInput,
    LogUnusable,
    PromptInvalid,
    RankingInvalid,
    ScenarioInvalid,
    SearchInvalid,
    SimulationInvalid,
    SurfaceInvalid,
    WebhookSignatureInvalid,
    WebhookUrlRefused,
    WeightsInvalid,
    WindowInvalid,
)
from reward_llm.errors.missing import (
    ActivationUnknown,
    AuditRecordUnknown,
    DeliveryUnknown,
    GoalUnknown,
    LoopRecordUnknown,
    NotFound,
    PolicyUnknown,
    PromptLabelUnknown,
    PromptUnknown,
    PromptVersionUnknown,
    ScenarioUnknown,
    SegmentUnknown,
    SimulationUnknown,
    TokenUnknown,
    WebhookUnknown,
)
from reward_llm.errors.model import (
    AnswerInconsistent,
    AnswerMalformed,
    AnswerTruncated,
    CheckpointInvalid,
    EvaluationTimeout,
    MemoryInsufficient,
    ModelError,
    ModelServerFailed,
    ModelTimeout,
    ModelUnavailable,
)
from reward_llm.errors.root import (
    Difference,
    RewardLLMError,
    Violation,
)
from reward_llm.errors.service import (
    AuditBroken,
    CheckpointsUnavailable,
    ConfigurationInvalid,
    EventsUnavailable,
    MetricsUnavailable,
    RankerBusy,
    RankerUnavailable,
    ReviewNeeded,
    SearchFailed,
    SearchUnavailable,
    ServiceRefused,
    ServiceUnavailable,
    SignatureInvalid,
    SimulationFailed,
    SimulatorUnavailable,
    StoreUnavailable,
    TooManySubscribers,
)

__all__ = [
    "ActivationOver",
    "ActivationUnknown",
    "AllocationInvalid",
    "AnswerInconsistent",
    "AnswerMalformed",
    "AnswerTruncated",
    "ApprovalsMissing",
    "AuditBroken",
    "AuditRecordUnknown",
    "BackendNotConfigured",
    "BodyMalformed",
    "BodyTooLarge",
    "BodyTooSlow",
    "CheckpointInvalid",
    "CheckpointsUnavailable",
    "ConfigurationInvalid",
    "Conflict",
    "ContentHashMismatch",
    "ContextInvalid",
    "ControllerInvalid",
    "ControllerNotReady",
    "CrossSiteRefused",
    "DeliveryUnderway",
    "DeliveryUnknown",
    "Difference",
    "EvaluationBelow",
    "EvaluationTimeout",
    "EvaluationUnderway",
    "EventInvalid",
    "EventsUnavailable",
    "ExperimentInvalid",
    "ExperimentOver",
    "ExperimentUnderway",
    "Forbidden",
    "GateRefused",
    "GoalInvalid",
    "GoalPending",
    "GoalUnknown",
    "HeadersTooLarge",
    "HostUnknown",
    "IdempotencyConflict",
    "InvalidInput",
    "LogUnusable",
    "LoopRecordUnknown",
    "MemoryInsufficient",
    "MetricsUnavailable",
    "ModelError",
    "ModelServerFailed",
    "ModelTimeout",
    "ModelUnavailable",
    "MoveNotGranted",
    "NotFound",
    "NotRollbackable",
    "NotTheAuthor",
    "NothingSolved",
    "Outdated",
    "OverrideForbidden",
    "PolicyInForce",
    "PolicyRejected",
    "PolicyUnknown",
    "PolicyWithdrawn",
    "PreconditionFailed",
    "PreconditionRequired",
    "PromptInvalid",
    "PromptLabelUnknown",
    "PromptUnknown",
    "PromptVersionUnknown",
    "ProviderUnavailable",
    "RankerBusy",
    "RankerUnavailable",
    "RankingInvalid",
    "RateLimited",
    "ReviewNeeded",
    "RewardLLMError",
    "ScenarioInvalid",
    "ScenarioUnknown",
    "ScheduleConflict",
    "ScopeControlled",
    "ScopeFrozen",
    "SearchBusy",
    "SearchFailed",
    "SearchInvalid",
    "SearchUnavailable",
    "SegmentUnknown",
    "SelfApprovalForbidden",
    "ServiceRefused",
    "ServiceUnavailable",
    "SignInFailed",
    "SignatureInvalid",
    "SimulationFailed",
    "SimulationInvalid",
    "SimulationUnknown",
    "SimulatorBusy",
    "SimulatorUnavailable",
    "StoreUnavailable",
    "SurfaceInvalid",
    "TokenNameTaken",
    "TokenUnknown",
    "TooManySubscribers",
    "Unauthenticated",
    "Violation",
    "WebhookInactive",
    "WebhookSignatureInvalid",
    "WebhookUnknown",
    "WebhookUrlRefused",
    "WeightsInvalid",
    "WindowInvalid",
]
