"""Weights: what a re-ranker asks for."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Query, Request, Response

from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.headers import if_none_match
from reward_llm.api.lane.answers import AnswerResponse, snapshot_answer, weights_answer
from reward_llm.api.lane.memo import Everything, OneScope
from reward_llm.api.lane.tickets import make_ticket
from reward_llm.api.lookup_context import LookupHere
from reward_llm.api.openapi import problems
from reward_llm.api.routes.parameters import Name
from reward_llm.api.visibility import Named, visible
from reward_llm.api.wire.weights import SnapshotWire, WeightsWire
from reward_llm.domain.access import Permission
from reward_llm.domain.scenario import Scope

router = APIRouter(prefix="/v1/weights", tags=["weights"])

_HEADERS: Final = {
    "ETag": {"description": "Changes with the weights, not with their age.", "schema": {"type": "string"}},
    "Weights-Age": {"description": "`age_s`, on 304 as well.", "schema": {"type": "number"}},
    "Weights-Stale": {"description": "`stale`, on 304 as well.", "schema": {"type": "boolean"}},
    "Weights-Revision": {
        "description": "How many changes of activations and freezes the process knows of, on 304 as well.",
        "schema": {"type": "integer"},
    },
}
_AS_OF: Final = {
    "Weights-As-Of": {
        "description": "`as_of`, on 304 as well.",
        "schema": {"type": "string", "format": "date-time"},
    }
}


def _conditional(headers: dict[str, Any]) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"headers": headers},
        304: {"description": "Nothing changed since `If-None-Match`.", "headers": headers},
    }


AtLeast = Annotated[
    int | None,
    Header(
        alias="Weights-At-Least",
        ge=0,
        lt=2**63,
        description="A revision that the client has heard of: a process that is behind reads the database first, for "
        "at most a quarter of a second.",
    ),
]


@router.get(
    "",
    summary="Get all weights",
    response_model=SnapshotWire,
    responses={**_conditional(_HEADERS | _AS_OF), **problems(404, 422)},
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def get_snapshot(
    request: Request, here: LookupHere, caller: Calling, scenario: Named = None, at_least: AtLeast = None
) -> Response:
    """The weights of every scenario that one may read and each of its segments, under one entity tag.

    Its items say what will hold as well, so a client needn't ask again until the entity tag is another.
    """
    services, seen = here.services, visible(caller, here.services.scenarios, scenario)
    await here.catching_up(at_least)
    now = services.clock()
    snapshot = await services.snapshots.snapshot(now, seen)
    make_ticket(request, here, Everything(seen))
    freshness = services.board.freshness(now)
    return AnswerResponse(snapshot_answer(snapshot, now, freshness, if_none_match(request)))


@router.get(
    "/{scenario}",
    summary="Get the weights of a scenario",
    response_model=WeightsWire,
    responses={**_conditional(_HEADERS), **problems(404, 422)},
    dependencies=[needs(Permission.READ)],
)
async def get_weights(
    scenario: str,
    request: Request,
    here: LookupHere,
    segment: Name = None,
    unit: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Whom the weights are for, such as a user's id; without one, partial rollouts don't count.",
        ),
    ] = None,
    at_least: AtLeast = None,
) -> Response:
    """The weights that hold now: the segment's latest activation, else the scenario's, else the defaults.

    A unit is in a partial rollout or isn't, by a hash of its name, and stays in it when that grows. A frozen scope
    serves the defaults.

    This never waits for the database: while that is away, the last known weights are served and marked stale.
    """
    scope, board = Scope(scenario, segment or None), here.services.board
    await here.catching_up(at_least)
    served = board.lookup(scope, here.services.clock(), unit or None)
    here.metrics.looked_up(served)
    make_ticket(request, here, OneScope(scope), unit or None)
    return AnswerResponse(weights_answer(served, board.revision, if_none_match(request)))
