"""What is still to be sent to webhooks.

A sender takes a lease of what it sends. When it is killed between sending and putting that down, the lease runs out
and the same event is sent again: at least once, never lost. The lease is taken in a transaction that nobody else
writes beside, so no two senders hold one delivery, and a webhook's limit holds for all senders together.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, Select, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.act import SENDER, Act
from reward_llm.domain.webhooks import Attempt, Consignment, DeliveryState, NextStep, is_given_up
from reward_llm.store import webhook_codec as codec
from reward_llm.store.database import Database, Repository
from reward_llm.store.sealing import Sealer
from reward_llm.store.tables import webhook_attempts, webhook_deliveries, webhooks
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried
from reward_llm.store.writing import Writing

_column = webhook_deliveries.c


class SqlOutbox(Repository):
    """A `reward_llm.domain.ports.webhooks.Outbox` in a SQL database."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        super().__init__(database)
        self._sealer = sealer

    @to_the_end
    @retried
    async def waiting(self, now: datetime) -> Sequence[str]:
        """The active webhooks that something is due for."""
        due = _due(now).with_only_columns(_column.webhook_id)
        async with self._database.reading() as connection:
            found = await connection.scalars(
                select(webhooks.c.id).where(webhooks.c.active, webhooks.c.id.in_(due)).order_by(webhooks.c.sequence)
            )
            return found.all()

    @to_the_end
    @retried
    async def claim(
        self, webhook_id: str, lease: str, now: datetime, until: datetime, most: int
    ) -> Sequence[Consignment]:
        """Take what is due for the webhook, oldest first, until a moment at which others may take it over."""
        async with self._database.writing(Act(actor=SENDER, at=now)) as writing:
            connection = writing.connection
            hook = await _active(connection, webhook_id)
            room = most - await _held(connection, webhook_id, now)
            if hook is None or room <= 0:
                return ()
            query = _due(now).where(_column.webhook_id == webhook_id).order_by(_column.sequence).limit(room)
            rows = (await connection.execute(query)).mappings().all()
            taken = update(webhook_deliveries).where(_column.sequence.in_([r["sequence"] for r in rows]))
            await connection.execute(taken.values(leased_by=lease, leased_until=until))
        return [self._consignment(row, hook, lease, now) for row in rows]

    @to_the_end
    @retried
    async def settle(
        self, consignment: Consignment, attempt: Attempt, step: NextStep, give_up_after: timedelta
    ) -> None:
        """Put down what came of a try, and what follows; a sender that lost its lease only leaves the attempt."""
        delivery = consignment.delivery
        async with self._database.writing(Act(actor=SENDER, at=attempt.at)) as writing:
            made = codec.attempt_values(attempt, delivery)
            await writing.connection.execute(insert(webhook_attempts).values(made))
            if await _settled(writing.connection, consignment, attempt, step):
                await _give_up(writing, delivery.webhook_id, attempt, step, give_up_after)

    def _consignment(self, row: RowMapping, hook: RowMapping, lease: str, now: datetime) -> Consignment:
        sealed = [hook["secret"]]
        if hook["previous_secret"] and hook["previous_until"] > now:
            sealed.append(hook["previous_secret"])
        return Consignment(
            delivery=codec.delivery(row),
            url=hook["url"],
            body=row["body"],
            secrets=tuple(s for s in map(self._sealer.open, sealed) if s is not None),
            lease=lease,
        )


def _due(now: datetime) -> Select[Any]:
    free = or_(_column.leased_until.is_(None), _column.leased_until <= now)
    pending = _column.state == DeliveryState.PENDING.value
    return select(webhook_deliveries).where(pending, _column.due_at <= now, free)


async def _active(connection: AsyncConnection, webhook_id: str) -> RowMapping | None:
    query = select(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.active)
    return (await connection.execute(query)).mappings().one_or_none()


async def _held(connection: AsyncConnection, webhook_id: str, now: datetime) -> int:
    leased = (_column.webhook_id == webhook_id) & (_column.leased_until > now)
    return await connection.scalar(select(func.count()).select_from(webhook_deliveries).where(leased)) or 0


async def _settled(connection: AsyncConnection, consignment: Consignment, attempt: Attempt, step: NextStep) -> bool:
    """Whether the sender still held the lease, which it gives back."""
    delivery = consignment.delivery
    mine = (_column.id == delivery.id) & (_column.leased_by == consignment.lease)
    values = {
        "state": step.state.value,
        "tries": delivery.tries + 1,
        "due_at": step.due_at,
        "settled_at": None if step.state is DeliveryState.PENDING else attempt.at,
        "leased_by": None,
        "leased_until": None,
    }
    found = await connection.scalar(select(_column.sequence).where(mine))
    if found is not None:
        await connection.execute(update(webhook_deliveries).where(_column.sequence == found).values(values))
    return found is not None


async def _give_up(writing: Writing, webhook_id: str, attempt: Attempt, step: NextStep, after: timedelta) -> None:
    """Make the webhook inactive if that is due; `changed_at` stays, so that it still shows since when it fails."""
    result = await writing.connection.execute(codec.WEBHOOKS.where(webhooks.c.id == webhook_id))
    hook = codec.webhook(result.mappings().one())
    if not hook.subscription.active or not is_given_up(attempt, step, hook.failing_since, after):
        return
    await writing.update(webhooks, webhook_id, {"active": False, "revision": hook.revision + 1})
    since = hook.failing_since.isoformat() if hook.failing_since else None
    why = {"failing_since": since, "status": attempt.status, "error": attempt.error}
    await writing.put_on_record("webhook.disabled", webhook_id, details=why)
