"""Webhooks as people see and change them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.act import Act
from reward_llm.domain.ports import IdempotencyClaim, Page
from reward_llm.domain.webhooks import TEST_ACTION, Delivery, DeliveryState, Subscription, Webhook
from reward_llm.errors import Conflict, DeliveryUnderway, DeliveryUnknown, WebhookInactive, WebhookUnknown
from reward_llm.store import webhook_codec as codec
from reward_llm.store.database import Database, Repository
from reward_llm.store.ledger import Action, claimed, remember
from reward_llm.store.pages import page
from reward_llm.store.sealing import Sealer
from reward_llm.store.tables import webhook_attempts, webhook_deliveries, webhooks
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried
from reward_llm.store.writing import Writing

MAX_ACTIVE: Final = 100
"""Every write asks each active webhook whether it wants to be told."""


class SqlWebhooks(Repository):
    """A `reward_llm.domain.ports.webhooks.Webhooks` in a SQL database."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        super().__init__(database)
        self._sealer = sealer

    @to_the_end
    @retried
    async def create(
        self,
        webhook_id: str,
        subscription: Subscription,
        secret: str,
        act: Act,
        claim: IdempotencyClaim | None = None,
    ) -> tuple[Webhook, bool]:
        """Add a webhook, or give the one that the claim's key stands for already; and whether it is a new one."""
        action = Action.WEBHOOK_CREATED
        async with self._database.writing(act) as writing:
            if known := await claimed(writing.connection, claim, action):
                return await _webhook(writing.connection, known), False
            if subscription.active:
                await _check_room(writing.connection)
            values = codec.subscription_values(subscription) | {"secret": self._sealer.seal(secret)}
            made = {"created_at": act.at, "created_by": act.actor, "changed_at": act.at, "revision": 1}
            await writing.insert(webhooks, {"id": webhook_id, **values, **made})
            await writing.put_on_record(action, webhook_id)
            await remember(writing.connection, claim, action, webhook_id, act.at)
            return await _webhook(writing.connection, webhook_id), True

    @to_the_end
    @retried
    async def webhook(self, webhook_id: str) -> Webhook:
        """One webhook."""
        async with self._database.reading() as connection:
            return await _webhook(connection, webhook_id)

    @to_the_end
    @retried
    async def webhooks(self, *, cursor: str | None = None, limit: int = 50) -> Page[Webhook]:
        """Webhooks, newest first."""
        order = webhooks.c.sequence
        async with self._database.reading() as connection:
            return await page(connection, codec.WEBHOOKS, order, codec.webhook, cursor=cursor, limit=limit)

    @to_the_end
    @retried
    async def change(self, webhook_id: str, decide: Callable[[Webhook], Subscription], act: Act) -> Webhook:
        """Make of a webhook what is decided in the transaction, from how it stands then."""
        async with self._database.writing(act) as writing:
            before = await _webhook(writing.connection, webhook_id)
            wanted = decide(before)
            if wanted == before.subscription:
                return before
            if wanted.active and not before.subscription.active:
                await _check_room(writing.connection)
            await _update(writing, before, codec.subscription_values(wanted))
            await writing.put_on_record("webhook.changed", webhook_id)
            return await _webhook(writing.connection, webhook_id)

    @to_the_end
    @retried
    async def rotate(
        self, webhook_id: str, secret: str, overlap: timedelta, check: Callable[[Webhook], None], act: Act
    ) -> Webhook:
        """Sign with a new secret, and beside it for so long with the one before; an earlier one ends at once."""
        async with self._database.writing(act) as writing:
            before = await _webhook(writing.connection, webhook_id)
            check(before)
            present = await writing.connection.scalar(select(webhooks.c.secret).where(webhooks.c.id == webhook_id))
            until = act.at + overlap if overlap else None
            secrets = {"secret": self._sealer.seal(secret), "previous_secret": present if overlap else None}
            await _update(writing, before, {**secrets, "previous_until": until})
            await writing.put_on_record("webhook.secret_rotated", webhook_id)
            return await _webhook(writing.connection, webhook_id)

    @to_the_end
    @retried
    async def test(self, webhook_id: str, act: Act) -> Delivery:
        """Send a webhook an event that it needn't have subscribed to."""
        async with self._database.writing(act) as writing:
            _check_active(await _webhook(writing.connection, webhook_id))
            await writing.put_on_record(TEST_ACTION, webhook_id)
            order = webhook_deliveries.c.sequence.desc()
            left = select(webhook_deliveries).where(webhook_deliveries.c.webhook_id == webhook_id).order_by(order)
            result = await writing.connection.execute(left.limit(1))
            return codec.delivery(result.mappings().one())

    @to_the_end
    @retried
    async def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[Delivery]:
        """A webhook's deliveries with their attempts, newest first."""
        query = select(webhook_deliveries).where(webhook_deliveries.c.webhook_id == webhook_id)
        if state is not None:
            query = query.where(webhook_deliveries.c.state == state.value)
        order = webhook_deliveries.c.sequence
        async with self._database.reading() as connection:
            await _webhook(connection, webhook_id)
            part = await page(connection, query, order, dict, cursor=cursor, limit=limit)
            return Page(await _with_attempts(connection, part.items), part.next_cursor)

    @to_the_end
    @retried
    async def redeliver(self, delivery_id: str, act: Act) -> Delivery:
        """Send a delivery again now, with all of its tries before it."""
        async with self._database.writing(act) as writing:
            row = await _delivery_row(writing.connection, delivery_id)
            _check_active(await _webhook(writing.connection, row["webhook_id"]))
            if row["leased_until"] is not None and row["leased_until"] > act.at:
                raise DeliveryUnderway(f"the delivery {delivery_id} is being sent", hint="Look at it again soon.")
            again = {"state": DeliveryState.PENDING.value, "tries": 0, "due_at": act.at, "settled_at": None}
            chosen = webhook_deliveries.c.id == delivery_id
            await writing.connection.execute(update(webhook_deliveries).where(chosen).values(again))
            named = {"delivery": delivery_id, "event": row["event_id"]}
            await writing.put_on_record("webhook.redelivered", row["webhook_id"], details=named)
            (delivery,) = await _with_attempts(writing.connection, ({**row, **again},))
            return delivery


async def _webhook(connection: AsyncConnection, webhook_id: str) -> Webhook:
    result = await connection.execute(codec.WEBHOOKS.where(webhooks.c.id == webhook_id))
    row = result.mappings().one_or_none()
    if row is None:
        raise WebhookUnknown(f"no webhook {webhook_id!r}")
    return codec.webhook(row)


async def _delivery_row(connection: AsyncConnection, delivery_id: str) -> dict[str, Any]:
    result = await connection.execute(select(webhook_deliveries).where(webhook_deliveries.c.id == delivery_id))
    row = result.mappings().one_or_none()
    if row is None:
        raise DeliveryUnknown(f"no delivery {delivery_id!r}")
    return dict(row)


async def _update(writing: Writing, before: Webhook, values: dict[str, Any]) -> None:
    counted = {"revision": before.revision + 1, "changed_at": writing.at}
    await writing.update(webhooks, before.id, values | counted)


async def _check_room(connection: AsyncConnection) -> None:
    active = await connection.scalar(select(func.count()).select_from(webhooks).where(webhooks.c.active))
    if (active or 0) >= MAX_ACTIVE:
        raise Conflict(f"there are {MAX_ACTIVE} active webhooks already", hint="Make one inactive first.")


def _check_active(webhook: Webhook) -> None:
    if not webhook.subscription.active:
        raise WebhookInactive(f"the webhook {webhook.id} isn't active", hint="Make it active first.")


async def _with_attempts(connection: AsyncConnection, rows: tuple[dict[str, Any], ...]) -> tuple[Delivery, ...]:
    made = webhook_attempts.c
    query = select(webhook_attempts).where(made.delivery_id.in_([r["id"] for r in rows])).order_by(made.sequence)
    attempts = (await connection.execute(query)).mappings().all()
    return tuple(
        codec.delivery(row, [codec.attempt(a) for a in attempts if a["delivery_id"] == row["id"]]) for row in rows
    )
