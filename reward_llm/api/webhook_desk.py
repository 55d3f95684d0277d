"""What may become of a webhook."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import replace
from typing import Any, Final

from reward_llm.api.conditions import IfMatch, check_if_match
from reward_llm.api.services import Services
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.webhooks import SecretRotation, WebhookPatch, WebhookRequest, WebhookWire
from reward_llm.domain.act import Act
from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.domain.webhooks import SECRET_BYTES, Subscription, Webhook, secret_of

_ABOUT_IT: Final = frozenset({"reason"})
"""Fields of a change that say something of the change itself."""


async def create(
    services: Services, sent: WebhookRequest, act: Act, claim: IdempotencyClaim | None
) -> tuple[Webhook, str | None]:
    """A new webhook and its secret, which is None where the claim's key stands for an earlier one.

    Raises:
        WebhookUrlRefused: If its URL is one that isn't sent to.
        ScenarioUnknown: If it names a scenario that there isn't.
    """
    subscription = Subscription(
        url=sent.url, description=sent.description, actions=tuple(sent.actions), scenario=sent.scenario
    )
    await _check(services, subscription)
    secret, webhook_id = _new_secret(), f"whk_{uuid.uuid4().hex[:20]}"
    webhook, is_new = await services.webhooks.create(webhook_id, subscription, secret, act, claim)
    return webhook, secret if is_new else None


async def change(services: Services, webhook_id: str, sent: WebhookPatch, condition: IfMatch, act: Act) -> Webhook:
    """The webhook with what was sent changed.

    Raises:
        PreconditionFailed: If the change is meant for another version than there is now.
        WebhookUrlRefused: If its URL is one that isn't sent to.
        ScenarioUnknown: If it names a scenario that there isn't.
    """
    wanted = sent.model_dump(include=sent.model_fields_set - _ABOUT_IT)

    def changed(webhook: Webhook) -> Subscription:
        _check_version(condition, webhook, wanted)
        return _with(webhook.subscription, wanted)

    await _check(services, changed(await services.webhooks.webhook(webhook_id)))
    return await services.webhooks.change(webhook_id, changed, act)


async def rotate(
    services: Services, webhook_id: str, sent: SecretRotation, condition: IfMatch, act: Act
) -> tuple[Webhook, str]:
    """The webhook and its new secret.

    Raises:
        PreconditionFailed: If it is meant for another version than there is now.
    """
    secret = _new_secret()
    webhook = await services.webhooks.rotate(
        webhook_id, secret, sent.overlap, lambda now: _check_version(condition, now, {}), act
    )
    return webhook, secret


def _check_version(condition: IfMatch, webhook: Webhook, wanted: dict[str, Any]) -> None:
    current = WebhookWire.of_webhook(webhook).model_dump(mode="json")
    check_if_match(condition, str(webhook.revision), wanted, current)


def _with(subscription: Subscription, wanted: dict[str, Any]) -> Subscription:
    actions = tuple(wanted.get("actions", subscription.actions))
    return replace(subscription, **{**wanted, "actions": actions})


async def _check(services: Services, subscription: Subscription) -> None:
    """An inactive webhook may point where nothing is sent any more."""
    if subscription.scenario is not None:
        find_scenario(services.scenarios, subscription.scenario)
    if subscription.active:
        await services.addresses.check(subscription.url)


def _new_secret() -> str:
    return secret_of(secrets.token_bytes(SECRET_BYTES))
