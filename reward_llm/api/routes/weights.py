"""Weights: what a re-ranker asks for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response

from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.context import Context, Here
from reward_llm.api.headers import none_match
from reward_llm.api.openapi import problems
from reward_llm.api.routes.parameters import Name
from reward_llm.api.wire.base import Outgoing
from reward_llm.api.wire.weights import ScopeWeights, SnapshotWire, WeightsWire
from reward_llm.domain.access import Permission
from reward_llm.domain.scenario import Scope
from reward_llm.domain.serving import Freshness, ServedWeights

router = APIRouter(prefix="/v1/weights", tags=["weights"])

_HEADERS = {
    "ETag": {"description": "Changes with the weights, not with their age.", "schema": {"type": "string"}},
    "Weights-Age": {"description": "`age_s`, on 304 as well.", "schema": {"type": "number"}},
    "Weights-Stale": {"description": "`stale`, on 304 as well.", "schema": {"type": "boolean"}},
}
_CONDITIONAL: Final[dict[int | str, dict[str, Any]]] = {
    200: {"headers": _HEADERS},
    304: {"description": "Nothing changed since `If-None-Match`.", "headers": _HEADERS},
}


@router.get(
    "",
    summary="Get all weights",
    response_model=SnapshotWire,
    responses={**_CONDITIONAL, **problems(422)},
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def get_snapshot(request: Request, here: Here, caller: Calling) -> Response:
    """The weights of every scenario that one may read and each of its segments, under one entity tag."""
    services, mine = here.services, caller.scenarios()
    now = services.clock()
    served = [s for s in services.board.snapshot(now) if mine is None or s.scope.scenario in mine]
    freshness = services.board.freshness(now)
    etag = _joint_etag(served)
    if not none_match(request, etag):
        return _unchanged(etag, freshness)
    items = [_scope_weights(s, here) for s in served]
    return _full(SnapshotWire(stale=freshness.stale, age_s=freshness.age_s, items=items), etag, freshness)


@router.get(
    "/{scenario}",
    summary="Get the weights of a scenario",
    response_model=WeightsWire,
    responses={**_CONDITIONAL, **problems(404, 422)},
    dependencies=[needs(Permission.READ)],
)
async def get_weights(
    scenario: str,
    request: Request,
    here: Here,
    segment: Name = None,
    unit: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Whom the weights are for, such as a user's id; without one, partial rollouts don't count.",
        ),
    ] = None,
) -> Response:
    """The weights that hold now: the segment's latest activation, else the scenario's, else the defaults.

    A unit is in a partial rollout or isn't, by a hash of its name, and stays in it when that grows. A frozen scope
    serves the defaults.

    This never waits for the database: while that is away, the last known weights are served and marked stale.
    """
    services = here.services
    served = services.board.lookup(Scope(scenario, segment or None), services.clock(), unit or None)
    here.metrics.looked_up(served)
    if not none_match(request, served.etag):
        return _unchanged(served.etag, served.freshness)
    freshness = served.freshness
    body = WeightsWire(**_scope_weights(served, here).model_dump(), stale=freshness.stale, age_s=freshness.age_s)
    return _full(body, served.etag, freshness)


def _scope_weights(served: ServedWeights, here: Context) -> ScopeWeights:
    return ScopeWeights.of(served, here.services.scenarios[served.scope.scenario].utility_names)


def _joint_etag(served: Sequence[ServedWeights]) -> str:
    return hashlib.sha256("\n".join(s.etag for s in served).encode()).hexdigest()[:32]


def _full(body: Outgoing, etag: str, freshness: Freshness) -> Response:
    return Response(body.model_dump_json(), headers=_headers(etag, freshness), media_type="application/json")


def _unchanged(etag: str, freshness: Freshness) -> Response:
    return Response(status_code=304, headers=_headers(etag, freshness))


def _headers(etag: str, freshness: Freshness) -> dict[str, str]:
    return {
        "ETag": f'"{etag}"',
        "Cache-Control": "no-cache",
        "Weights-Age": f"{freshness.age_s:.3f}",
        "Weights-Stale": str(freshness.stale).lower(),
    }
