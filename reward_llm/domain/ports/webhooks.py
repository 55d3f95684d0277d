"""What is remembered of webhooks, and what sending to them asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from reward_llm.domain.act import Act
from reward_llm.domain.ports.records import IdempotencyClaim, Page
from reward_llm.domain.webhooks import (
    Attempt,
    Consignment,
    Delivery,
    DeliveryState,
    NextStep,
    Subscription,
    Webhook,
)


class Webhooks(Protocol):
    """The webhooks and their deliveries, as people see and change them."""

    async def create(
        self,
        webhook_id: str,
        subscription: Subscription,
        secret: str,
        act: Act,
        claim: IdempotencyClaim | None = None,
    ) -> tuple[Webhook, bool]:
        """Add a webhook, or give the one that the claim's key stands for already; and whether it is a new one.

        Raises:
            IdempotencyConflict: If the key came with another request before.
            Conflict: If there are too many active ones.
        """
        ...

    async def webhook(self, webhook_id: str) -> Webhook:
        """One webhook.

        Raises:
            WebhookUnknown: If there is none.
        """
        ...

    async def webhooks(self, *, cursor: str | None = None, limit: int = 50) -> Page[Webhook]:
        """Webhooks, newest first.

        Raises:
            InvalidInput: If the cursor isn't one of ours.
        """
        ...

    async def change(self, webhook_id: str, decide: Callable[[Webhook], Subscription], act: Act) -> Webhook:
        """Make of a webhook what is decided in the transaction, from how it stands then.

        Raises:
            WebhookUnknown: If there is none.
            Conflict: If there are too many active ones.
        """
        ...

    async def rotate(
        self, webhook_id: str, secret: str, overlap: timedelta, check: Callable[[Webhook], None], act: Act
    ) -> Webhook:
        """Sign with a new secret, and beside it for so long with the one before; an earlier one ends at once.

        `check` sees the webhook in the transaction and may raise.

        Raises:
            WebhookUnknown: If there is none.
        """
        ...

    async def test(self, webhook_id: str, act: Act) -> Delivery:
        """Send a webhook an event that it needn't have subscribed to.

        Raises:
            WebhookUnknown: If there is none.
            WebhookInactive: If it isn't active.
        """
        ...

    async def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None = None, cursor: str | None = None, limit: int = 50
    ) -> Page[Delivery]:
        """A webhook's deliveries with their attempts, newest first.

        Raises:
            WebhookUnknown: If there is no such webhook.
            InvalidInput: If the cursor isn't one of this list's.
        """
        ...

    async def redeliver(self, delivery_id: str, act: Act) -> Delivery:
        """Send a delivery again now, with all of its tries before it.

        Raises:
            DeliveryUnknown: If there is none.
            DeliveryUnderway: If it is being sent.
            WebhookInactive: If its webhook isn't active.
        """
        ...


class Outbox(Protocol):
    """What is still to be sent; several senders may share it."""

    async def waiting(self, now: datetime) -> Sequence[str]:
        """The active webhooks that something is due for."""
        ...

    async def claim(
        self, webhook_id: str, lease: str, now: datetime, until: datetime, most: int
    ) -> Sequence[Consignment]:
        """Take what is due for the webhook, oldest first, until a moment at which others may take it over.

        Never more than `most` are out at once, whoever holds them.
        """
        ...

    async def settle(
        self, consignment: Consignment, attempt: Attempt, step: NextStep, give_up_after: timedelta
    ) -> None:
        """Put down what came of a try, and what follows; a sender that lost its lease only leaves the attempt.

        A webhook that is given up (`reward_llm.domain.webhooks.is_given_up`) is made inactive, on record.
        """
        ...


class AddressGuard(Protocol):
    """Keeps what is sent out from reaching where it mustn't."""

    async def check(self, url: str) -> None:
        """Accept a URL that may be sent to, as far as is known now.

        Raises:
            WebhookUrlRefused: If it is malformed, or its host is one that isn't sent to.
        """
        ...
