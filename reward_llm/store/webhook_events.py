"""What is put on record leaves a delivery for everybody who wants to be told, in the same transaction."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import RowMapping, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.act import Act
from reward_llm.domain.webhooks import TEST_ACTION
from reward_llm.store import webhook_codec as codec
from reward_llm.store.cloud_events import event_body
from reward_llm.store.tables import webhook_deliveries, webhooks


async def leave_deliveries(
    connection: AsyncConnection,
    act: Act,
    *,
    sequence: int,
    action: str,
    subject: str,
    chain: str,
    patch: Sequence[Mapping[str, Any]],
    details: Mapping[str, Any],
) -> None:
    """Leave a delivery of an audit record for every active webhook that wants it; all of them share its event id.

    Args:
        connection: That of the transaction which the record is made in.
        act: What the record says of who and when.
        sequence: The record's own.
        action: What was done.
        subject: The id of what it was done to.
        chain: The scenario that it belongs to; '' for none.
        patch: What it changed, in JSON's own types.
        details: What the patch doesn't say, in JSON's own types.
    """
    rows = (await connection.execute(select(webhooks).where(webhooks.c.active))).mappings()
    told = [row["id"] for row in rows if _is_told(row, action, subject, chain)]
    if not told:
        return
    event_id = _new_id("evt")
    body = event_body(
        act,
        event_id=event_id,
        sequence=sequence,
        action=action,
        subject=subject,
        scenario=chain,
        patch=patch,
        details=details,
    )
    left = [codec.delivery_values(_new_id("dlv"), one, event_id, action, body, act.at) for one in told]
    await connection.execute(insert(webhook_deliveries), left)


def _is_told(row: RowMapping, action: str, subject: str, chain: str) -> bool:
    """Whether the webhook wants it, or is the one that is tested."""
    return codec.subscription(row).wants(action, chain) or (action == TEST_ACTION and subject == row["id"])


def _new_id(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex[:20]}"
