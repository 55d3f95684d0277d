"""The audit log."""

from __future__ import annotations

from typing import Any

from reward_llm.api.wire.base import MomentOut, Outgoing
from reward_llm.domain.ports import AuditRecord


class AuditWire(Outgoing):
    """One thing that happened."""

    sequence: int
    at: MomentOut
    actor: str
    action: str
    subject: str
    details: dict[str, Any]

    @classmethod
    def of(cls, record: AuditRecord) -> AuditWire:
        """The record itself."""
        return cls(
            sequence=record.sequence,
            at=record.at,
            actor=record.actor,
            action=record.action,
            subject=record.subject,
            details=dict(record.details),
        )
