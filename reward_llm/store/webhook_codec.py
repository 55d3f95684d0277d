"""Webhooks and their deliveries as rows, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import RowMapping, Select, func, select

from reward_llm.domain.webhooks import Attempt, Delivery, DeliveryState, Subscription, Webhook
from reward_llm.store.tables import webhook_attempts, webhooks

_tries, _since = webhook_attempts.alias("tries"), webhook_attempts.alias("since")
_LAST_SUCCESS: Final = (
    select(func.coalesce(func.max(_tries.c.sequence), 0))
    .where(_tries.c.webhook_id == webhooks.c.id, _tries.c.delivered)
    .correlate(webhooks)
    .scalar_subquery()
)
_FAILING_SINCE: Final = (
    select(func.min(_since.c.at))
    .where(_since.c.webhook_id == webhooks.c.id, ~_since.c.delivered)
    .where(_since.c.sequence > _LAST_SUCCESS, _since.c.at >= webhooks.c.changed_at)
    .correlate(webhooks)
    .scalar_subquery()
    .label("failing_since")
)
WEBHOOKS: Final[Select[Any]] = select(webhooks, _FAILING_SINCE)
"""Webhooks, each with the first failure since its last success or change."""


def subscription(row: RowMapping) -> Subscription:
    """What a row of `webhooks` asks for."""
    return Subscription(
        url=row[webhooks.c.url],
        description=row[webhooks.c.description],
        actions=tuple(row[webhooks.c.actions]),
        scenario=row[webhooks.c.scenario],
        active=row[webhooks.c.active],
    )


def subscription_values(wanted: Subscription) -> dict[str, Any]:
    """A subscription as columns of `webhooks`."""
    return {
        "url": wanted.url,
        "description": wanted.description,
        "actions": list(wanted.actions),
        "scenario": wanted.scenario,
        "active": wanted.active,
    }


def webhook(row: RowMapping) -> Webhook:
    """A row of `WEBHOOKS`."""
    return Webhook(
        id=row[webhooks.c.id],
        subscription=subscription(row),
        revision=row[webhooks.c.revision],
        created_at=row[webhooks.c.created_at],
        created_by=row[webhooks.c.created_by],
        changed_at=row[webhooks.c.changed_at],
        previous_until=row[webhooks.c.previous_until],
        failing_since=row[_FAILING_SINCE],
    )


def delivery(row: Mapping[Any, Any] | RowMapping, attempts: Iterable[Attempt] = ()) -> Delivery:
    """A row of `webhook_deliveries` with its attempts."""
    return Delivery(
        id=row["id"],
        webhook_id=row["webhook_id"],
        event_id=row["event_id"],
        action=row["action"],
        state=DeliveryState(row["state"]),
        tries=row["tries"],
        due_at=row["due_at"],
        created_at=row["created_at"],
        settled_at=row["settled_at"],
        attempts=tuple(attempts),
    )


def delivery_values(
    delivery_id: str, webhook_id: str, event_id: str, action: str, body: str, at: datetime
) -> dict[str, Any]:
    """A delivery that is due at once, as a row of `webhook_deliveries`."""
    return {
        "id": delivery_id,
        "webhook_id": webhook_id,
        "event_id": event_id,
        "action": action,
        "body": body,
        "state": DeliveryState.PENDING.value,
        "tries": 0,
        "due_at": at,
        "created_at": at,
    }


def attempt(row: Mapping[Any, Any] | RowMapping) -> Attempt:
    """A row of `webhook_attempts`."""
    return Attempt(at=row["at"], duration_ms=row["duration_ms"], status=row["status"], error=row["error"])


def attempt_values(made: Attempt, of: Delivery) -> dict[str, Any]:
    """An attempt as a row of `webhook_attempts`."""
    return {
        "delivery_id": of.id,
        "webhook_id": of.webhook_id,
        "at": made.at,
        "delivered": made.delivered,
        "status": made.status,
        "duration_ms": made.duration_ms,
        "error": made.error,
    }
