"""The audit log: who, when, what, why, from where and with which request."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from reward_llm.api.wire.base import MomentOut, Outgoing
from reward_llm.domain.audit import AuditRecord, Checkpoint, Link, changes_of
from reward_llm.domain.audit_flaws import Flaw, FlawKind, Verification


class ChangeWire(Outgoing):
    """A value before and after."""

    path: str = Field(
        description="A JSON Pointer: the table, the row and, if the row was there, the column.",
        examples=["/goals/goal_1/state"],
    )
    before: Any = Field(description="null if there was none.")
    after: Any = Field(description="null if there is none.")


class AuditWire(Outgoing):
    """One thing that happened."""

    sequence: int = Field(description="Counts all records from 1, without gaps.")
    at: MomentOut
    actor: str
    action: str = Field(examples=["policy.edited"])
    subject: str = Field(description="The id of what it was done to; empty if that has none.")
    scenario: str | None = Field(description="The scenario that it belongs to; null for what belongs to none.")
    reason: str = Field(description="The actor's own words; empty if they gave none.")
    address: str = Field(description="Where they called from; empty for what the service does by itself.")
    request_id: str
    changes: list[ChangeWire]
    details: dict[str, Any] = Field(description="What the changes don't say.")
    patch: list[dict[str, Any]] = Field(description="The changes as a JSON Patch (RFC 6902), as they are hashed.")
    position: int = Field(description="Counts the records of its scenario, or of those without one, from 1.")
    previous_hash: str = Field(description="The hash of the record before it in its scenario; zeros for the first.")
    preceding_hash: str = Field(description="The hash of the record before it in the log; zeros for the first.")
    hash: str = Field(description="SHA-256 over the canonical JSON (RFC 8785) of all that an export's line says.")

    @classmethod
    def of(cls, record: AuditRecord) -> AuditWire:
        """The record itself."""
        return cls(
            sequence=record.sequence,
            at=record.at,
            actor=record.actor,
            action=record.action,
            subject=record.subject,
            scenario=record.chain or None,
            reason=record.reason,
            address=record.address,
            request_id=record.request_id,
            changes=[ChangeWire(path=c.path, before=c.before, after=c.after) for c in changes_of(record.patch)],
            details=dict(record.details),
            patch=[dict(o) for o in record.patch],
            position=record.position,
            previous_hash=record.previous_hash,
            preceding_hash=record.preceding_hash,
            hash=record.hash,
        )


class LinkWire(Outgoing):
    """Where a chain ends."""

    position: int
    hash: str

    @classmethod
    def of(cls, link: Link) -> LinkWire:
        """The link itself."""
        return cls(position=link.position, hash=link.hash)


class CheckpointWire(Outgoing):
    """Where the log ended when that was signed."""

    sequence: int
    hash: str
    at: MomentOut

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> CheckpointWire:
        """The checkpoint itself."""
        return cls(sequence=checkpoint.sequence, hash=checkpoint.hash, at=checkpoint.at)


class FlawWire(Outgoing):
    """The first thing that is wrong with the log."""

    kind: FlawKind
    message: str
    sequence: int | None = Field(description="The first bad record; null if it isn't about one.")
    scenario: str | None

    @classmethod
    def of(cls, flaw: Flaw) -> FlawWire:
        """The flaw itself."""
        return cls(kind=flaw.kind, message=flaw.message, sequence=flaw.sequence, scenario=flaw.chain or None)


class VerificationWire(Outgoing):
    """How far the log is as it was written."""

    intact: bool
    records: int = Field(description="How many records were found good, from the first one on.")
    sequence: int = Field(description="The last of them.")
    hash: str
    chains: dict[str, LinkWire] = Field(description="Where each scenario's chain ends; '' is what belongs to none.")
    checkpoints: int = Field(description="How many signed checkpoints agree.")
    last_checkpoint: CheckpointWire | None = Field(description="The last of those; null if there are none.")
    compared: bool = Field(description="Whether what the records replay to was compared with what the store holds.")
    flaw: FlawWire | None

    @classmethod
    def of(cls, verification: Verification) -> VerificationWire:
        """The verification itself."""
        head, signed = verification.head, verification.last_checkpoint
        return cls(
            intact=verification.intact,
            records=verification.records,
            sequence=head.sequence,
            hash=head.hash,
            chains={name: LinkWire.of(link) for name, link in head.chains.items()},
            checkpoints=verification.checkpoints,
            last_checkpoint=CheckpointWire.of(signed) if signed else None,
            compared=verification.compared,
            flaw=FlawWire.of(verification.flaw) if verification.flaw else None,
        )
