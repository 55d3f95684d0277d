"""Searches: weights that are found by trying, on something that isn't real or is over."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from reward_llm.api import search_desk
from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.access.scenario_of import of_search
from reward_llm.api.context import Here
from reward_llm.api.openapi import etag_header, json_body, problems, without_searches
from reward_llm.api.routes.parameters import Cursor, Id, IdempotencyKey, Limit, Name, XActor
from reward_llm.api.standings import policy_wires
from reward_llm.api.wire.base import Listing
from reward_llm.api.wire.search_requests import SearchProposal, SearchRequest
from reward_llm.api.wire.searches import SearchSummaryWire, SearchWire
from reward_llm.api.wire.standings import PolicyWire
from reward_llm.api.writes import taken
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/searches", tags=["searches"])


@router.post(
    "",
    summary="Start a search",
    status_code=202,
    response_model=SearchWire,
    responses={**problems(400, 404, 409, 413, 422), **without_searches()},
    openapi_extra=json_body(SearchRequest),
    dependencies=[needs(Permission.SUBMIT, Where.IN_BODY)],
)
async def start(
    request: Request,
    response: Response,
    here: Here,
    caller: Calling,
    idempotency_key: IdempotencyKey = None,
    x_actor: XActor = None,
) -> SearchWire:
    """Search for weights that bring more of the objectives than those in force, and keep to the constraints.

    It runs beside the service, one at a time; GET tells what was tried so far. Every trial is kept, so that a search
    that was interrupted is gone on with from where it was.
    """
    async with taken(request, here, "study.refused") as write:
        sent = write.sent(SearchRequest)
        caller.require(sent.scenario)
        made = await search_desk.start(here, sent, write)
    response.headers["Location"] = f"/v1/searches/{made.id}"
    return made


@router.get(
    "",
    summary="List searches",
    response_model=Listing[SearchSummaryWire],
    responses={**problems(422), **without_searches()},
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def list_searches(
    here: Here, caller: Calling, scenario: Name = None, cursor: Cursor = None, limit: Limit = 50
) -> Listing[SearchSummaryWire]:
    """Searches that one may see, newest first, without their trials."""
    page = await search_desk.studies(here, caller.scenarios(scenario or None), cursor, limit)
    return Listing(items=list(page.items), next_cursor=page.next_cursor)


@router.get(
    "/{search_id}",
    summary="Get a search",
    response_model=SearchWire,
    responses={**problems(404, 422), **without_searches()},
    dependencies=[needs(Permission.READ, of_search)],
)
async def get_search(search_id: Id, here: Here, response: Response) -> SearchWire:
    """What was tried, and once it is done the front, the finalists and the one that would be proposed."""
    response.headers["Cache-Control"] = "no-store"
    return await search_desk.study(here, search_id)


@router.post(
    "/{search_id}/cancellation",
    summary="Cancel a search",
    response_model=SearchWire,
    responses={**problems(400, 404, 412, 413, 422), **without_searches()},
    dependencies=[needs(Permission.SUBMIT, of_search)],
)
async def cancel(
    search_id: Id, request: Request, here: Here, idempotency_key: IdempotencyKey = None, x_actor: XActor = None
) -> SearchWire:
    """End it; what was tried stays, and it can be resumed. One that is over stays as it is."""
    async with taken(request, here, "study.refused", may_be_empty=True) as write:
        return await search_desk.cancel(here, search_id, write)


@router.post(
    "/{search_id}/resumption",
    summary="Resume a search",
    status_code=202,
    response_model=SearchWire,
    responses={**problems(400, 404, 409, 412, 413, 422), **without_searches()},
    dependencies=[needs(Permission.SUBMIT, of_search)],
)
async def resume(
    search_id: Id, request: Request, here: Here, idempotency_key: IdempotencyKey = None, x_actor: XActor = None
) -> SearchWire:
    """Go on with one that was cancelled or interrupted, or failed, as if nothing had happened."""
    async with taken(request, here, "study.refused", may_be_empty=True) as write:
        return await search_desk.resume(here, search_id, write)


@router.post(
    "/{search_id}/proposal",
    summary="Propose what a search found",
    status_code=201,
    response_model=PolicyWire,
    responses={201: etag_header("The content hash."), **problems(400, 404, 412, 413, 422), **without_searches()},
    openapi_extra=json_body(SearchProposal, required=False),
    dependencies=[needs(Permission.EDIT, of_search)],
)
async def propose(
    search_id: Id,
    request: Request,
    response: Response,
    here: Here,
    idempotency_key: IdempotencyKey = None,
    x_actor: XActor = None,
) -> PolicyWire:
    """Make a finalist's weights the scope's next policy, with the source `search`; it isn't activated."""
    async with taken(request, here, "study.refused", may_be_empty=True) as write:
        policy = await search_desk.propose(here, search_id, write.sent(SearchProposal), write)
    response.headers["Location"] = f"/v1/policies/{policy.policy_id}"
    response.headers["ETag"] = f'"{policy.content_hash}"'
    (wire,) = await policy_wires(here.services, [policy])
    return wire
