"""What the stages ask of each other, as Protocols; `reward_llm.bootstrap` decides who answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from reward_llm.domain.ports.board import WeightsBoard
from reward_llm.domain.ports.model import GoalProposer, LanguageModel
from reward_llm.domain.ports.records import AuditRecord, GoalRecord, IdempotencyClaim, Page
from reward_llm.domain.ports.store import Store

Clock = Callable[[], datetime]
"""The time now, with its UTC offset."""

__all__ = [
    "AuditRecord",
    "Clock",
    "GoalProposer",
    "GoalRecord",
    "IdempotencyClaim",
    "LanguageModel",
    "Page",
    "Store",
    "WeightsBoard",
]
