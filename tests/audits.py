"""Audit logs of a test's own, and what somebody may do to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import strategies as st

from reward_llm.domain.act import Act
from reward_llm.domain.audit import AuditRecord, Checkpoint, Link, LogHead, next_record
from reward_llm.domain.replay import State, apply

NOON: Final = datetime(2026, 6, 18, 12, tzinfo=UTC)
CHAINS: Final = ("", "home_feed", "video_feed")

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def chained(written: Iterable[tuple[str, list[dict[str, Any]], dict[str, Any]]], head: LogHead) -> list[AuditRecord]:
    """A log of records, each with its chain, patch and details, that goes on from the head."""
    made = []
    for number, (chain, patch, details) in enumerate(written, head.sequence + 1):
        act = Act(actor=f"ann{number % 3}", at=NOON + timedelta(microseconds=number), reason="为了")
        record = next_record(head, act, "policy.edited", f"pol_{number}", chain=chain, patch=patch, details=details)
        head = after(head, record)
        made.append(record)
    return made


def after(head: LogHead, record: AuditRecord) -> LogHead:
    """Where the log ends once the record is in it."""
    chains = {**head.chains, record.chain: Link(record.position, record.hash)}
    return LogHead(sequence=record.sequence, hash=record.hash, chains=chains)


def head_of(records: Sequence[AuditRecord]) -> LogHead:
    """Where a log ends."""
    head = LogHead()
    for record in records:
        head = after(head, record)
    return head


def checkpoint_of(records: Sequence[AuditRecord]) -> Checkpoint:
    """A checkpoint of a log's end."""
    head = head_of(records)
    return Checkpoint(sequence=head.sequence, hash=head.hash, chains=head.chains, at=NOON)


def rewritten(records: Sequence[AuditRecord]) -> list[AuditRecord]:
    """The records with sequences, positions and hashes made good, as somebody makes them who knows how."""
    head, made = LogHead(), []
    for record in records:
        end = head.end_of(record.chain)
        touched = replace(
            record,
            sequence=head.sequence + 1,
            position=end.position + 1,
            previous_hash=end.hash,
            preceding_hash=head.hash,
        )
        touched = replace(touched, hash=touched.computed_hash)
        head = after(head, touched)
        made.append(touched)
    return made


@st.composite
def logs(draw: st.DrawFn, *, at_least: int = 1) -> list[AuditRecord]:
    """Logs of records whose patches fit each other."""
    state: State = {}
    written = []
    for number in range(draw(st.integers(at_least, 8))):
        patch = draw(_patches(state, number))
        apply(state, patch)
        details = draw(st.dictionaries(st.sampled_from(["code", "detail"]), json_values, max_size=2))
        written.append((draw(st.sampled_from(CHAINS)), patch, details))
    return chained(written, LogHead())


@st.composite
def _patches(draw: st.DrawFn, state: State, number: int) -> list[dict[str, Any]]:
    rows = [(table, key) for table, held in state.items() for key in held]
    if rows and draw(st.booleans()):
        table, key = draw(st.sampled_from(rows))
        path = f"/{table}/{key}/value"
        return [
            {"op": "test", "path": path, "value": state[table][key]["value"]},
            {"op": "replace", "path": path, "value": draw(json_values)},
        ]
    return [{"op": "add", "path": f"/goals/{number}", "value": {"id": f"{number}", "value": draw(json_values)}}]


CHANGES: Final[dict[str, Callable[[AuditRecord], AuditRecord]]] = {
    "sequence": lambda r: replace(r, sequence=r.sequence + 1),
    "chain": lambda r: replace(r, chain=r.chain + "x"),
    "position": lambda r: replace(r, position=r.position + 1),
    "at": lambda r: replace(r, at=r.at + timedelta(microseconds=1)),
    "actor": lambda r: replace(r, actor=r.actor + "x"),
    "action": lambda r: replace(r, action=r.action + "x"),
    "subject": lambda r: replace(r, subject=r.subject + "x"),
    "reason": lambda r: replace(r, reason=r.reason + "x"),
    "address": lambda r: replace(r, address=r.address + "x"),
    "request_id": lambda r: replace(r, request_id=r.request_id + "x"),
    "patch": lambda r: replace(r, patch=[*r.patch, {"op": "remove", "path": "/goals/0"}]),
    "details": lambda r: replace(r, details={**r.details, "more": len(r.details)}),
    "previous_hash": lambda r: replace(r, previous_hash="f" * 64),
    "preceding_hash": lambda r: replace(r, preceding_hash="f" * 64),
    "hash": lambda r: replace(r, hash="f" * 64),
}
"""A change of each of a record's values."""
