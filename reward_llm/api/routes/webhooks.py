"""Webhooks: have other programs told of what is put on record."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from reward_llm.api import webhook_desk
from reward_llm.api.access.permissions import needs
from reward_llm.api.conditions import IfMatchHeader, required_if_match
from reward_llm.api.context import Here
from reward_llm.api.openapi import json_body, problems
from reward_llm.api.routes.parameters import Cursor, Id, IdempotencyKey, Limit, XActor
from reward_llm.api.wire.base import Listing
from reward_llm.api.wire.webhooks import (
    DeliveryWire,
    NewWebhookWire,
    ReasonOnly,
    SecretRotation,
    WebhookPatch,
    WebhookRequest,
    WebhookWire,
)
from reward_llm.api.writes import taken
from reward_llm.domain.access import Permission
from reward_llm.domain.webhooks import DeliveryState, Webhook

router = APIRouter(prefix="/v1/webhooks", tags=["webhooks"], dependencies=[needs(Permission.ADMINISTER)])

_ETAG_HINT = "GET /v1/webhooks/{} has its ETag."


@router.post(
    "",
    summary="Add a webhook",
    status_code=201,
    response_model=NewWebhookWire,
    responses=problems(400, 404, 409, 413, 422, 503),
    openapi_extra=json_body(WebhookRequest),
)
async def create(
    request: Request,
    response: Response,
    here: Here,
    idempotency_key: IdempotencyKey = None,
    x_actor: XActor = None,
) -> NewWebhookWire:
    """Have a URL told of what is put on record from now on; its secret is in this answer and nowhere else."""
    async with taken(request, here, "webhook.refused") as write:
        sent = write.sent(WebhookRequest)
        webhook, secret = await webhook_desk.create(here.services, sent, write.saying(sent.reason), write.claim)
    response.headers["Location"] = f"/v1/webhooks/{webhook.id}"
    _head(response, webhook)
    return NewWebhookWire.made(webhook, secret)


@router.get("", summary="List webhooks", response_model=Listing[WebhookWire], responses=problems(422, 503))
async def list_webhooks(here: Here, cursor: Cursor = None, limit: Limit = 50) -> Listing[WebhookWire]:
    """Webhooks, newest first."""
    page = await here.services.webhooks.webhooks(cursor=cursor, limit=limit)
    return Listing(items=[WebhookWire.of_webhook(w) for w in page.items], next_cursor=page.next_cursor)


@router.get("/{webhook_id}", summary="Get a webhook", response_model=WebhookWire, responses=problems(404, 422, 503))
async def get_webhook(webhook_id: Id, response: Response, here: Here) -> WebhookWire:
    """One webhook, without its secret."""
    webhook = await here.services.webhooks.webhook(webhook_id)
    _head(response, webhook)
    return WebhookWire.of_webhook(webhook)


@router.patch(
    "/{webhook_id}",
    summary="Change a webhook",
    response_model=WebhookWire,
    responses=problems(400, 404, 409, 412, 413, 422, 428, 503),
    openapi_extra=json_body(WebhookPatch),
)
async def change(
    webhook_id: Id,
    request: Request,
    response: Response,
    here: Here,
    if_match: IfMatchHeader = None,
    x_actor: XActor = None,
) -> WebhookWire:
    """Change what it is told, or where; `active: false` ends it. What waits is kept until it is active again."""
    async with taken(request, here, "webhook.change_refused") as write:
        sent = write.sent(WebhookPatch)
        condition = required_if_match(request, _ETAG_HINT.format(webhook_id))
        act = write.saying(sent.reason)
        webhook = await webhook_desk.change(here.services, webhook_id, sent, condition, act)
    _head(response, webhook)
    return WebhookWire.of_webhook(webhook)


@router.post(
    "/{webhook_id}/secret-rotation",
    summary="Make a new secret",
    response_model=NewWebhookWire,
    responses=problems(400, 404, 412, 413, 422, 428, 503),
    openapi_extra=json_body(SecretRotation, required=False),
)
async def rotate(
    webhook_id: Id,
    request: Request,
    response: Response,
    here: Here,
    if_match: IfMatchHeader = None,
    x_actor: XActor = None,
) -> NewWebhookWire:
    """Sign with a new secret, and for a while with the old one beside it, so that no receiver misses anything."""
    async with taken(request, here, "webhook.change_refused", may_be_empty=True) as write:
        sent = write.sent(SecretRotation)
        condition = required_if_match(request, _ETAG_HINT.format(webhook_id))
        act = write.saying(sent.reason)
        webhook, secret = await webhook_desk.rotate(here.services, webhook_id, sent, condition, act)
    _head(response, webhook)
    return NewWebhookWire.made(webhook, secret)


@router.post(
    "/{webhook_id}/test",
    summary="Send a test",
    status_code=202,
    response_model=DeliveryWire,
    responses=problems(400, 404, 409, 413, 422, 503),
    openapi_extra=json_body(ReasonOnly, required=False),
)
async def send_test(webhook_id: Id, request: Request, here: Here, x_actor: XActor = None) -> DeliveryWire:
    """Send it `webhook.tested`, whatever it asked to be told of; its deliveries say what came of it."""
    async with taken(request, here, "webhook.test_refused", may_be_empty=True) as write:
        act = write.saying(write.sent(ReasonOnly).reason)
        return DeliveryWire.of(await here.services.webhooks.test(webhook_id, act))


@router.get(
    "/{webhook_id}/deliveries",
    summary="List deliveries",
    response_model=Listing[DeliveryWire],
    responses=problems(404, 422, 503),
)
async def list_deliveries(
    webhook_id: Id, here: Here, state: DeliveryState | None = None, cursor: Cursor = None, limit: Limit = 50
) -> Listing[DeliveryWire]:
    """What was and will be sent, newest first, with every try."""
    page = await here.services.webhooks.deliveries(webhook_id, state=state, cursor=cursor, limit=limit)
    return Listing(items=[DeliveryWire.of(d) for d in page.items], next_cursor=page.next_cursor)


@router.post(
    "/deliveries/{delivery_id}/redelivery",
    summary="Send again",
    status_code=202,
    response_model=DeliveryWire,
    responses=problems(400, 404, 409, 413, 422, 503),
    openapi_extra=json_body(ReasonOnly, required=False),
)
async def redeliver(delivery_id: Id, request: Request, here: Here, x_actor: XActor = None) -> DeliveryWire:
    """Send a delivery again now, dead or delivered, under the same event id and with all of its tries before it."""
    async with taken(request, here, "webhook.redelivery_refused", may_be_empty=True) as write:
        act = write.saying(write.sent(ReasonOnly).reason)
        return DeliveryWire.of(await here.services.webhooks.redeliver(delivery_id, act))


def _head(response: Response, webhook: Webhook) -> None:
    response.headers["ETag"] = f'"{webhook.revision}"'
    response.headers["Cache-Control"] = "no-store"
