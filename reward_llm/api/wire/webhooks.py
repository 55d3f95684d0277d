"""Webhooks: who is told of what, and what came of telling them."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, Field

from reward_llm.api.wire.base import Incoming, MomentOut, Outgoing
from reward_llm.domain.webhooks import Attempt, Delivery, DeliveryState, Subscription, Webhook

MAX_REASON_CHARS: Final = 1_000
MAX_ACTIONS: Final = 50
MAX_OVERLAP_HOURS: Final = 168

Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2_000,
        description="https, to a public address; keep secrets out of it, because the audit log shows it.",
        examples=["https://hooks.example.org/reward-llm"],
    ),
]
Description = Annotated[str, Field(max_length=200)]
Action = Annotated[str, Field(max_length=100, pattern=r"^[a-z_]+(\.[a-z_]+)*\.?$")]
Actions = Annotated[
    list[Action],
    Field(
        max_length=MAX_ACTIONS,
        description="Actions of the audit log, or their beginnings up to a dot; none of them means all.",
        examples=[["policy.", "scope.frozen"]],
    ),
]
ScenarioName = Annotated[
    str | None,
    Field(max_length=100, description="The only scenario that is told of; null for all, and for what has none."),
]
Reason = Annotated[str, Field(max_length=MAX_REASON_CHARS)]


def _given(value: object) -> object:
    if value is None:
        raise ValueError("can't be null; leave it out to keep it")
    return value


_Given = AfterValidator(_given)


class WebhookRequest(Incoming):
    """Whom to tell of what."""

    url: Url
    description: Description = ""
    actions: Actions = Field(default_factory=list)
    scenario: ScenarioName = None
    reason: Reason = ""


class WebhookPatch(Incoming):
    """What to change; what is left out stays as it is."""

    url: Annotated[Url | None, _Given] = None
    description: Annotated[Description | None, _Given] = None
    actions: Annotated[Actions | None, _Given] = None
    scenario: ScenarioName = None
    active: Annotated[bool | None, _Given] = Field(
        default=None, description="false ends it; nothing is ever deleted."
    )
    reason: Reason = ""


class SecretRotation(Incoming):
    """A new secret."""

    overlap_hours: int = Field(
        default=24, ge=0, le=MAX_OVERLAP_HOURS, description="How long the old one signs beside it."
    )
    reason: Reason = ""

    @property
    def overlap(self) -> timedelta:
        """How long two secrets sign."""
        return timedelta(hours=self.overlap_hours)


class ReasonOnly(Incoming):
    """Why."""

    reason: Reason = ""


class SubscriptionWire(Outgoing):
    """Who is told of what."""

    url: str
    description: str
    actions: list[str]
    scenario: str | None
    active: bool

    @classmethod
    def of(cls, subscription: Subscription) -> SubscriptionWire:
        """The subscription itself."""
        return cls(
            url=subscription.url,
            description=subscription.description,
            actions=list(subscription.actions),
            scenario=subscription.scenario,
            active=subscription.active,
        )


class WebhookWire(SubscriptionWire):
    """A webhook without its secret."""

    id: str
    revision: int = Field(description="Counts its changes from 1; its `ETag`.")
    created_at: MomentOut
    created_by: str
    changed_at: MomentOut
    two_secrets_until: MomentOut | None = Field(description="When the secret before this one stops signing.")
    failing_since: MomentOut | None = Field(description="The first failure since the last success or change.")

    @classmethod
    def of_webhook(cls, webhook: Webhook) -> WebhookWire:
        """The webhook itself."""
        return cls.model_validate(_fields(webhook))


class NewWebhookWire(WebhookWire):
    """A webhook whose secret was just made."""

    secret: str | None = Field(
        description="Shown here once and nowhere again; null where the request was a repetition.",
        examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYq="],
    )

    @classmethod
    def made(cls, webhook: Webhook, secret: str | None) -> NewWebhookWire:
        """The webhook with its secret."""
        return cls.model_validate({**_fields(webhook), "secret": secret})


class AttemptWire(Outgoing):
    """One try."""

    at: MomentOut
    status: int | None = Field(description="What the receiver answered; null without an answer.")
    duration_ms: int
    error: str | None

    @classmethod
    def of(cls, attempt: Attempt) -> AttemptWire:
        """The try itself."""
        return cls(at=attempt.at, status=attempt.status, duration_ms=attempt.duration_ms, error=attempt.error or None)


class DeliveryWire(Outgoing):
    """One event on its way to one webhook."""

    id: str
    webhook_id: str
    event_id: str = Field(description="What a receiver knows a repetition by: the `webhook-id` header.")
    action: str
    state: DeliveryState
    created_at: MomentOut
    next_try_at: MomentOut | None = Field(description="null once it is delivered or dead.")
    settled_at: MomentOut | None
    attempts: list[AttemptWire]

    @classmethod
    def of(cls, delivery: Delivery) -> DeliveryWire:
        """The delivery itself."""
        return cls(
            id=delivery.id,
            webhook_id=delivery.webhook_id,
            event_id=delivery.event_id,
            action=delivery.action,
            state=delivery.state,
            created_at=delivery.created_at,
            next_try_at=delivery.due_at if delivery.state is DeliveryState.PENDING else None,
            settled_at=delivery.settled_at,
            attempts=[AttemptWire.of(a) for a in delivery.attempts],
        )


def _fields(webhook: Webhook) -> dict[str, object]:
    return {
        **SubscriptionWire.of(webhook.subscription).model_dump(),
        "id": webhook.id,
        "revision": webhook.revision,
        "created_at": webhook.created_at,
        "created_by": webhook.created_by,
        "changed_at": webhook.changed_at,
        "two_secrets_until": webhook.previous_until,
        "failing_since": webhook.failing_since,
    }
