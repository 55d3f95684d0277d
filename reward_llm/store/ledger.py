"""What every write leaves beside its rows: an audit record, and the idempotency key that it came with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.act import Act
from reward_llm.domain.audit import AuditRecord, Link, LogHead, Patch, next_record
from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.errors import IdempotencyConflict
from reward_llm.store.state import plain
from reward_llm.store.tables import audit, idempotency
from reward_llm.store.webhook_events import leave_deliveries


class Action(StrEnum):
    """What the store itself puts on record."""

    GOAL_RECEIVED = "goal.received"
    GOAL_PROPOSED = "goal.proposed"
    GOAL_NO_CHANGE = "goal.no_change"
    POLICY_EDITED = "policy.edited"
    POLICY_REVIEW_REQUESTED = "policy.review_requested"
    POLICY_APPROVED = "policy.approved"
    POLICY_REJECTED = "policy.rejected"
    POLICY_WITHDRAWN = "policy.withdrawn"
    POLICY_ACTIVATED = "policy.activated"
    ACTIVATION_CHANGED = "activation.changed"
    ACTIVATION_ENDED = "activation.ended"
    ACTIVATION_BEGAN = "activation.began"
    ACTIVATION_EXPIRED = "activation.expired"
    SCOPE_ROLLED_BACK = "scope.rolled_back"
    SCOPE_FROZEN = "scope.frozen"
    SCOPE_UNFROZEN = "scope.unfrozen"
    PROMPT_VERSION_ADDED = "prompt.version_added"
    PROMPT_LABEL_MOVED = "prompt.label_moved"
    PROMPT_OVERRIDDEN = "prompt.overridden"
    WEBHOOK_CREATED = "webhook.created"
    EXPERIMENT_CREATED = "experiment.created"
    CONTROLLER_CREATED = "controller.created"
    STUDY_CREATED = "study.created"
    MEMORY_CREATED = "memory.created"


async def put_on_record(
    connection: AsyncConnection,
    act: Act,
    action: str,
    subject: str,
    *,
    chain: str,
    patch: Patch,
    details: Mapping[str, Any],
) -> AuditRecord:
    """Add the next audit record, and leave a delivery of it for everybody who wants to be told."""
    record = await add_record(connection, act, action, subject, chain=chain, patch=patch, details=details)
    await leave_deliveries(
        connection,
        act,
        sequence=record.sequence,
        action=action,
        subject=subject,
        chain=chain,
        patch=record.patch,
        details=record.details,
    )
    return record


async def add_record(
    connection: AsyncConnection,
    act: Act,
    action: str,
    subject: str,
    *,
    chain: str,
    patch: Patch,
    details: Mapping[str, Any],
) -> AuditRecord:
    """Add the next audit record.

    The caller's transaction is the only writer, so the record follows the last one: without a gap, which a database's
    own counter leaves after a rollback, and without a fork.
    """
    head = await _head(connection, chain)
    kept = plain({"patch": patch, "details": details})
    record = next_record(head, act, action, subject, chain=chain, **kept)
    values = {c.name: getattr(record, c.name) for c in audit.c}
    await connection.execute(insert(audit).values(values))
    return record


async def _head(connection: AsyncConnection, chain: str) -> LogHead:
    """Where the log and the one chain end."""
    column = audit.c
    log = select(column.sequence, column.hash, column.chain, column.position)
    last = (await connection.execute(log.order_by(column.sequence.desc()).limit(1))).one_or_none()
    if last is None:
        return LogHead()
    if last.chain == chain:
        return LogHead(sequence=last.sequence, hash=last.hash, chains={chain: Link(last.position, last.hash)})
    end = select(column.position, column.hash).where(column.chain == chain).order_by(column.position.desc()).limit(1)
    link = (await connection.execute(end)).one_or_none()
    return LogHead(sequence=last.sequence, hash=last.hash, chains={chain: Link(*link)} if link else {})


async def claimed(connection: AsyncConnection, claim: IdempotencyClaim | None, action: str) -> str | None:
    """The subject that the claim's key stands for already, None if it is new.

    Raises:
        IdempotencyConflict: If the key came with another request before.
    """
    if claim is None:
        return None
    query = select(idempotency).where(idempotency.c.key == claim.key)
    row = (await connection.execute(query)).one_or_none()
    if row is None:
        return None
    if (row.action, row.request_hash) != (action, claim.request_hash):
        raise IdempotencyConflict(
            f"the Idempotency-Key {claim.key!r} came with another request before",
            hint="Send a new key with a new request.",
        )
    return str(row.subject)


async def remember(
    connection: AsyncConnection, claim: IdempotencyClaim | None, action: str, subject: str, at: datetime
) -> None:
    """Let the claim's key stand for the subject from now on."""
    if claim is None:
        return
    values = {
        "key": claim.key,
        "request_hash": claim.request_hash,
        "action": str(action),
        "subject": subject,
        "created_at": at,
    }
    await connection.execute(insert(idempotency).values(values))
