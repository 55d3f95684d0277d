"""Prompts at work, before anything depends on them; nothing of it is kept."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from reward_llm.api.access.permissions import needs
from reward_llm.api.body import parse_json, read_body, validated
from reward_llm.api.context import Here
from reward_llm.api.headers import act_of
from reward_llm.api.openapi import json_body, problems
from reward_llm.api.progress import MEDIA_TYPE, followed, wants_progress
from reward_llm.api.routes.parameters import Id, XActor
from reward_llm.api.routes.prompts import Number
from reward_llm.api.wire.prompt_evaluations import EvaluateRequest, EvaluationWire
from reward_llm.api.wire.prompt_runs import PromptCheckWire, RenderedWire, RenderRequest, TryRequest, TryWire
from reward_llm.api.wire.prompts import PromptDraft
from reward_llm.domain.access import Permission
from reward_llm.domain.ports.prompts import OnProgress

router = APIRouter(prefix="/v1/prompts/{name}", tags=["prompts"])


@router.post(
    "/check",
    summary="Check a draft of a prompt",
    response_model=PromptCheckWire,
    responses=problems(400, 403, 404, 413, 422, 503),
    openapi_extra=json_body(PromptDraft),
    dependencies=[needs(Permission.EDIT)],
)
async def check(name: Id, request: Request, here: Here) -> PromptCheckWire:
    """What keeps a draft from becoming the next version, and which variables it uses; 200 however wrong it is."""
    limit = here.services.config.body_limit_bytes
    sent = validated(PromptDraft, parse_json(await read_body(request, limit), limit))
    return PromptCheckWire.of(await here.bench.check(name, sent), here.services.workshop.golden_sets)


@router.post(
    "/versions/{number}/render",
    summary="Render a version of a prompt",
    response_model=RenderedWire,
    responses=problems(400, 403, 404, 413, 422, 503),
    openapi_extra=json_body(RenderRequest),
    dependencies=[needs(Permission.EDIT)],
)
async def render(name: Id, number: Number, request: Request, here: Here) -> RenderedWire:
    """What a model would be sent for a goal."""
    limit = here.services.config.body_limit_bytes
    sent = validated(RenderRequest, parse_json(await read_body(request, limit), limit))
    return RenderedWire.of(here.bench.render(await here.services.prompts.version(name, number), sent))


@router.post(
    "/versions/{number}/try",
    summary="Try a version of a prompt on a goal",
    response_model=TryWire,
    responses=problems(400, 403, 404, 413, 422, 503),
    openapi_extra=json_body(TryRequest),
    dependencies=[needs(Permission.EDIT)],
)
async def try_out(name: Id, number: Number, request: Request, here: Here, x_actor: XActor = None) -> TryWire:
    """What a goal would be read as with the version, against its scenario's defaults."""
    services, limit = here.services, here.services.config.body_limit_bytes
    sent = validated(TryRequest, parse_json(await read_body(request, limit), limit))
    version = await services.prompts.version(name, number)
    goal, proposal = await here.bench.try_out(version, sent, act_of(request, services.clock()))
    return TryWire.of(version, goal, proposal, services.scenarios[goal.scope.scenario])


@router.post(
    "/versions/{number}/evaluate",
    summary="Measure a version of a prompt",
    response_model=EvaluationWire,
    responses={
        200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
        **problems(400, 403, 404, 409, 413, 422, 503, 504),
    },
    openapi_extra=json_body(EvaluateRequest, required=False),
    dependencies=[needs(Permission.EDIT)],
)
async def evaluate(name: Id, number: Number, request: Request, here: Here) -> Response:
    """How well the version reads its golden set; promotion measures it anew.

    `Accept: application/x-ndjson` answers with a line after each goal, `{"done": 1, "of": 40}`, and a last one with
    the `result` or the `problem`.
    """
    limit = here.services.config.body_limit_bytes
    body = await read_body(request, limit)
    sent = validated(EvaluateRequest, parse_json(body, limit) if body else {})
    version = await here.services.prompts.version(name, number)

    async def work(on_progress: OnProgress | None = None) -> EvaluationWire:
        return EvaluationWire.of(await here.bench.evaluate(version, sent.backend, on_progress))

    if wants_progress(request):
        return await followed(request, work)
    return Response((await work()).model_dump_json(), media_type="application/json")
