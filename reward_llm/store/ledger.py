"""What every write leaves beside its rows: an audit record, and the idempotency key that it came with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.act import Act
from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.errors import IdempotencyConflict
from reward_llm.store.state import plain
from reward_llm.store.tables import audit, idempotency


class Action(StrEnum):
    """What the store itself puts on record."""

    GOAL_RECEIVED = "goal.received"
    GOAL_PROPOSED = "goal.proposed"
    GOAL_NO_CHANGE = "goal.no_change"
    POLICY_EDITED = "policy.edited"
    POLICY_ACTIVATED = "policy.activated"


async def put_on_record(
    connection: AsyncConnection,
    act: Act,
    action: str,
    subject: str,
    *,
    chain: str,
    patch: Sequence[Mapping[str, Any]],
    details: Mapping[str, Any],
) -> None:
    """Add an audit record.

    Its sequence follows the last one's without a gap, which a database's own counter leaves after a rollback: so a
    gap is a record that somebody took away.
    """
    following = select(func.coalesce(func.max(audit.c.sequence), 0) + 1).scalar_subquery()
    values = {
        "sequence": following,
        "at": act.at,
        "actor": act.actor,
        "action": action,
        "subject": subject,
        "details": plain({**details, "reason": act.reason, "chain": chain, "patch": patch}),
    }
    await connection.execute(insert(audit).values(values))


async def claimed(connection: AsyncConnection, claim: IdempotencyClaim | None, action: Action) -> str | None:
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
    connection: AsyncConnection, claim: IdempotencyClaim | None, action: Action, subject: str, at: datetime
) -> None:
    """Let the claim's key stand for the subject from now on."""
    if claim is None:
        return
    values = {
        "key": claim.key,
        "request_hash": claim.request_hash,
        "action": action.value,
        "subject": subject,
        "created_at": at,
    }
    await connection.execute(insert(idempotency).values(values))
