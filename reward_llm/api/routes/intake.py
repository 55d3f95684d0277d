"""Events in."""

from __future__ import annotations

from fastapi import APIRouter, Request

from reward_llm.api import event_desk
from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.body import parse_json, read_body
from reward_llm.api.context import Here
from reward_llm.api.openapi import json_body, problems, without_events
from reward_llm.api.wire.events import EventsRequest, EventsWire
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/events", tags=["events"])


@router.post(
    "",
    summary="Send events",
    status_code=202,
    response_model=EventsWire,
    responses={**problems(400, 413, 422), **without_events()},
    openapi_extra=json_body(EventsRequest),
    dependencies=[needs(Permission.SUBMIT, Where.LISTED)],
)
async def send(request: Request, here: Here, caller: Calling) -> EventsWire:
    """Impressions, clicks, purchases and the like, up to a thousand at once.

    Each event is taken in or refused by itself. What came in before, by its `event_id`, changes nothing, so that a
    batch that wasn't answered may be sent again.
    """
    limit = here.services.config.events_limit_bytes
    document = parse_json(await read_body(request, limit), limit)
    taken = await event_desk.take(here.services, document, caller.scenarios())
    here.metrics.took_in(taken.accepted, taken.duplicates, len(taken.rejected))
    return taken
