"""OpenFeature's remote evaluation protocol (OFREP), so that any of its SDKs can look weights up.

What the protocol gives a shape to has that shape; every other refusal is a problem document.
"""

from __future__ import annotations

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.body import read_body
from reward_llm.api.headers import none_match
from reward_llm.api.lookup_context import LookupContext, LookupHere
from reward_llm.api.ofrep import (
    EVALUATION_ERRORS,
    STATUS,
    bulk_failure,
    evaluated,
    evaluated_or_not,
    failure,
    joint_etag,
    read_context,
)
from reward_llm.api.openapi import json_body, problems
from reward_llm.api.wire.base import Outgoing
from reward_llm.api.wire.ofrep import (
    BulkEvaluation,
    BulkEvaluationFailure,
    BulkMetadata,
    Evaluation,
    EvaluationContext,
    EvaluationFailure,
    EvaluationRequest,
    FlagMetadata,
)
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/ofrep/v1/evaluate/flags", tags=["openfeature"])

_FRESHNESS: Final = {
    "Weights-Age": {"description": "`age_s`.", "schema": {"type": "number"}},
    "Weights-Stale": {"description": "`stale`.", "schema": {"type": "boolean"}},
    "Weights-Revision": {"description": "`revision`.", "schema": {"type": "integer"}},
}
_ETAG: Final = {"ETag": {"description": "Changes with the flags' content.", "schema": {"type": "string"}}}
_BULK: Final[dict[int | str, dict[str, Any]]] = {
    200: {"headers": _ETAG | _FRESHNESS},
    304: {"description": "Nothing changed since `If-None-Match`.", "headers": _ETAG | _FRESHNESS},
    400: {"model": BulkEvaluationFailure, "description": "The body or its context can't be used."},
}
_SINGLE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"headers": _FRESHNESS},
    400: {"model": EvaluationFailure, "description": "The body or its context can't be used."},
    404: {"model": EvaluationFailure, "description": "There is no such scenario."},
}


@router.post(
    "",
    summary="Evaluate all flags",
    response_model=BulkEvaluation,
    responses={**_BULK, **problems(413)},
    openapi_extra=json_body(EvaluationRequest, required=False),
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def evaluate_all(request: Request, here: LookupHere, caller: Calling) -> Response:
    """The weights of every scenario that one may read, for one context.

    A scenario that hasn't the context's segment is there with `INVALID_CONTEXT` instead of a value.
    """
    services, mine = here.services, caller.scenarios()
    try:
        context = await _context(request, here)
    except EVALUATION_ERRORS as exc:
        failed = bulk_failure(exc)
        return _answer(failed, STATUS[failed.error_code])
    now = services.clock()
    flags = [evaluated_or_not(here, s, context, now) for s in services.scenarios if mine is None or s in mine]
    freshness, etag = services.board.freshness(now), joint_etag(flags)
    metadata = BulkMetadata(revision=services.board.revision, stale=freshness.stale, age_s=freshness.age_s)
    headers = {**_headers(metadata), "ETag": f'"{etag}"'}
    if not none_match(request, etag):
        return Response(status_code=304, headers=headers)
    return _answer(BulkEvaluation(flags=[f.flag for f in flags], metadata=metadata), 200, headers)


@router.post(
    "/{scenario}",
    summary="Evaluate a flag",
    response_model=Evaluation,
    responses={**_SINGLE, **problems(413, 422)},
    openapi_extra=json_body(EvaluationRequest, required=False),
    dependencies=[needs(Permission.READ)],
)
async def evaluate(scenario: str, request: Request, here: LookupHere) -> Response:
    """The weights of the scenario, as the value of a flag that has its name.

    A context's `targetingKey` counts as `unit` and its `segment` as `segment` do for `/v1/weights/{scenario}`, which
    answers the same; the rest of the context is ignored.
    """
    try:
        flag = evaluated(here, scenario, await _context(request, here), here.services.clock())
    except EVALUATION_ERRORS as exc:
        failed = failure(exc, scenario)
        return _answer(failed, STATUS[failed.error_code])
    return _answer(flag, 200, _headers(flag.metadata))


async def _context(request: Request, here: LookupContext) -> EvaluationContext:
    limit = here.services.config.body_limit_bytes
    return read_context(await read_body(request, limit), limit)


def _answer(body: Outgoing, status: int, headers: dict[str, str] | None = None) -> Response:
    content = body.model_dump_json(by_alias=True, exclude_none=True)
    return Response(content, status, headers=headers, media_type="application/json")


def _headers(metadata: FlagMetadata | BulkMetadata) -> dict[str, str]:
    return {
        "Cache-Control": "no-cache",
        "Weights-Age": f"{metadata.age_s:.3f}",
        "Weights-Stale": str(metadata.stale).lower(),
        "Weights-Revision": str(metadata.revision),
    }
