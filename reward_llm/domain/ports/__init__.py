"""What the stages ask of each other, as Protocols; `reward_llm.bootstrap` decides who answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from reward_llm.domain.activation_changes import ActivationChange
from reward_llm.domain.audit import AuditRecord
from reward_llm.domain.ports.access import AccessStore
from reward_llm.domain.ports.audit import AuditLog, AuditQuery, CheckpointStore, LogAuditor
from reward_llm.domain.ports.board import Snapshots, WeightsBoard
from reward_llm.domain.ports.feed import ChangeFeed, FeedSource, FeedStatus
from reward_llm.domain.ports.governance import (
    Freeze,
    Governance,
    Rollback,
    ScopeState,
    ServingChanges,
    ServingLog,
)
from reward_llm.domain.ports.model import GoalProposer, LanguageModel
from reward_llm.domain.ports.notices import Notices, Subscription
from reward_llm.domain.ports.prompts import (
    BackendName,
    GoldenEvaluator,
    OnProgress,
    PromptStore,
    PromptWorkshop,
    RenderedPrompt,
    Sample,
)
from reward_llm.domain.ports.records import GoalRecord, IdempotencyClaim, Page
from reward_llm.domain.ports.store import Store
from reward_llm.domain.ports.webhooks import AddressGuard, Outbox, Webhooks

Clock = Callable[[], datetime]
"""The time now, with its UTC offset."""

__all__ = [
    "AccessStore",
    "ActivationChange",
    "AddressGuard",
    "AuditLog",
    "AuditQuery",
    "AuditRecord",
    "BackendName",
    "ChangeFeed",
    "CheckpointStore",
    "Clock",
    "FeedSource",
    "FeedStatus",
    "Freeze",
    "GoalProposer",
    "GoalRecord",
    "GoldenEvaluator",
    "Governance",
    "IdempotencyClaim",
    "LanguageModel",
    "LogAuditor",
    "Notices",
    "OnProgress",
    "Outbox",
    "Page",
    "PromptStore",
    "PromptWorkshop",
    "RenderedPrompt",
    "Rollback",
    "Sample",
    "ScopeState",
    "ServingChanges",
    "ServingLog",
    "Snapshots",
    "Store",
    "Subscription",
    "Webhooks",
    "WeightsBoard",
]
