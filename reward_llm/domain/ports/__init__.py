"""What the stages ask of each other, as Protocols; `reward_llm.bootstrap` decides who answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
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
    from reward_llm.domain.ports.loop import LoopStore
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
    from reward_llm.domain.ports.ranking import Reranker
    from reward_llm.domain.ports.records import GoalRecord, IdempotencyClaim, Page
    from reward_llm.domain.ports.simulation import Simulator
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
    "LoopStore",
    "Notices",
    "OnProgress",
    "Outbox",
    "Page",
    "PromptStore",
    "PromptWorkshop",
    "RenderedPrompt",
    "Reranker",
    "Rollback",
    "Sample",
    "ScopeState",
    "ServingChanges",
    "ServingLog",
    "Simulator",
    "Snapshots",
    "Store",
    "Subscription",
    "Webhooks",
    "WeightsBoard",
]

_HOMES: Final = {
    "ActivationChange": "activation_changes",
    "AuditRecord": "audit",
    "AccessStore": "ports.access",
    **dict.fromkeys(("AuditLog", "AuditQuery", "CheckpointStore", "LogAuditor"), "ports.audit"),
    **dict.fromkeys(("Snapshots", "WeightsBoard"), "ports.board"),
    **dict.fromkeys(("ChangeFeed", "FeedSource", "FeedStatus"), "ports.feed"),
    **dict.fromkeys(
        ("Freeze", "Governance", "Rollback", "ScopeState", "ServingChanges", "ServingLog"), "ports.governance"
    ),
    **dict.fromkeys(("GoalProposer", "LanguageModel"), "ports.model"),
    **dict.fromkeys(("Notices", "Subscription"), "ports.notices"),
    **dict.fromkeys(
        ("BackendName", "GoldenEvaluator", "OnProgress", "PromptStore", "PromptWorkshop", "RenderedPrompt", "Sample"),
        "ports.prompts",
    ),
    "LoopStore": "ports.loop",
    "Reranker": "ports.ranking",
    **dict.fromkeys(("GoalRecord", "IdempotencyClaim", "Page"), "ports.records"),
    "Simulator": "ports.simulation",
    "Store": "ports.store",
    **dict.fromkeys(("AddressGuard", "Outbox", "Webhooks"), "ports.webhooks"),
}
"""The modules under `reward_llm.domain` that the names come from."""


def __getattr__(name: str) -> Any:
    """Load what is asked for: who only looks weights up needs few of the ports, and none of what others speak of."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415 - see above

    found = globals()[name] = getattr(import_module(f"reward_llm.domain.{_HOMES[name]}"), name)
    return found
