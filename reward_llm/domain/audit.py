"""The audit log: what happened, each record bound to the ones before it.

Two chains of hashes run through the log. `preceding_hash` is that of the record with the sequence before, whatever it
is about; `previous_hash` is that of the record before it in its own chain, a scenario's or the rest's. A record's
hash covers both and all else that it says. So nothing inside can be changed, taken out, put in or moved without
rewriting every record after it, and no chain can be cut off without the others noticing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from reward_llm.domain.act import Act
from reward_llm.domain.canonical import canonical_hash

GENESIS: Final = "0" * 64
"""What stands where a first record would name the hash before it."""

Patch = Sequence[Mapping[str, Any]]
"""A JSON Patch (RFC 6902) over the tables as one document, {table: {key: row}}."""


class Link(NamedTuple):
    """Where a chain ends: its last record's position, and that record's hash."""

    position: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogHead:
    """Where the log ends: its last record's sequence and hash, and the end of each chain."""

    sequence: int = 0
    hash: str = GENESIS
    chains: Mapping[str, Link] = field(default_factory=dict)

    def end_of(self, chain: str) -> Link:
        """Where the chain ends; a chain that has no records yet ends at position 0."""
        return self.chains.get(chain, Link(0, GENESIS))


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRecord:
    """One thing that happened: who did what to which subject, when, why, from where, and what it changed.

    `sequence` counts all records from 1, `position` those of the `chain`: a scenario, or '' for what belongs to none.
    The `patch` takes the tables from what they were to what they are; `details` is what it doesn't say.
    """

    sequence: int
    chain: str
    position: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    address: str
    request_id: str
    patch: Patch
    details: Mapping[str, Any]
    previous_hash: str
    preceding_hash: str
    hash: str = ""

    @property
    def document(self) -> dict[str, Any]:
        """What the hash is taken over."""
        return {
            "kind": "audit_record/1",
            "sequence": self.sequence,
            "chain": self.chain,
            "position": self.position,
            "at": moment_text(self.at),
            "actor": self.actor,
            "action": self.action,
            "subject": self.subject,
            "reason": self.reason,
            "address": self.address,
            "request_id": self.request_id,
            "patch": self.patch,
            "details": self.details,
            "previous_hash": self.previous_hash,
            "preceding_hash": self.preceding_hash,
        }

    @property
    def computed_hash(self) -> str:
        """SHA-256 over the RFC 8785 canonical JSON of `document`: `hash`, if nobody touched the record."""
        return canonical_hash(self.document)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where the log ended at some moment; signed and kept elsewhere, it shows whether the log was cut since."""

    sequence: int
    hash: str
    chains: Mapping[str, Link]
    at: datetime

    @property
    def document(self) -> dict[str, Any]:
        """What is signed, in its RFC 8785 form."""
        return {
            "kind": "audit_checkpoint/1",
            "sequence": self.sequence,
            "hash": self.hash,
            "chains": {name: list(link) for name, link in self.chains.items()},
            "at": moment_text(self.at),
        }

    @property
    def head(self) -> LogHead:
        """The end that it names."""
        return LogHead(sequence=self.sequence, hash=self.hash, chains=self.chains)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A value before and after; None where there was or is none."""

    path: str
    before: Any = None
    after: Any = None


def next_record(
    head: LogHead, act: Act, action: str, subject: str, *, chain: str, patch: Patch, details: Mapping[str, Any]
) -> AuditRecord:
    """The record that follows where the log ends."""
    end = head.end_of(chain)
    record = AuditRecord(
        sequence=head.sequence + 1,
        chain=chain,
        position=end.position + 1,
        at=act.at,
        actor=act.actor,
        action=action,
        subject=subject,
        reason=act.reason,
        address=act.address,
        request_id=act.request_id,
        patch=patch,
        details=details,
        previous_hash=end.hash,
        preceding_hash=head.hash,
    )
    return replace(record, hash=record.computed_hash)


def changes_of(patch: Patch) -> tuple[Change, ...]:
    """What a patch changes; a value before is what the `test` in front of its operation says."""
    before: dict[str, Any] = {}
    changes = []
    for operation in patch:
        path = operation["path"]
        if operation["op"] == "test":
            before[path] = operation["value"]
        else:
            changes.append(Change(path=path, before=before.get(path), after=operation.get("value")))
    return tuple(changes)


def moment_text(moment: datetime) -> str:
    """The moment to the microsecond in UTC, the same whatever it was read from.

    >>> moment_text(datetime.fromisoformat("2026-06-18T12:00:00+08:00"))
    '2026-06-18T04:00:00.000000Z'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
