"""Experiments: one policy against the one in force."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from reward_llm.api import experiment_desk
from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.access.scenario_of import of_experiment
from reward_llm.api.context import Here
from reward_llm.api.experiment_desk import experiments_of
from reward_llm.api.openapi import json_body, problems, without_experiments
from reward_llm.api.routes.parameters import Cursor, Id, IdempotencyKey, Limit, Name, XActor
from reward_llm.api.wire.base import Listing
from reward_llm.api.wire.experiments import (
    ExperimentRequest,
    ExperimentSummaryWire,
    ExperimentWire,
    ReasonRequest,
    SizeRequest,
    SizeWire,
)
from reward_llm.api.writes import taken
from reward_llm.domain.access import Permission
from reward_llm.domain.experiments import ExperimentState

router = APIRouter(prefix="/v1/experiments", tags=["experiments"])


@router.post(
    "",
    summary="Plan an experiment",
    status_code=201,
    response_model=ExperimentWire,
    responses={**problems(400, 404, 409, 413, 422), **without_experiments()},
    openapi_extra=json_body(ExperimentRequest),
    dependencies=[needs(Permission.EDIT, Where.IN_BODY)],
)
async def create(
    request: Request,
    response: Response,
    here: Here,
    caller: Calling,
    idempotency_key: IdempotencyKey = None,
    x_actor: XActor = None,
) -> ExperimentWire:
    """Put on record what is to be tried, on whom and until when; nothing is served by it before it is started."""
    async with taken(request, here, "experiment.refused") as write:
        experiment = await experiment_desk.create(here, caller, write)
    response.headers["Location"] = f"/v1/experiments/{experiment.id}"
    return ExperimentWire.of(experiment)


@router.get(
    "",
    summary="List experiments",
    response_model=Listing[ExperimentSummaryWire],
    responses={**problems(422), **without_experiments()},
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def list_experiments(
    here: Here,
    caller: Calling,
    scenario: Name = None,
    state: ExperimentState | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Listing[ExperimentSummaryWire]:
    """Experiments that one may read, newest first, each with its last look."""
    page = await experiments_of(here).experiments(
        scenarios=caller.scenarios(scenario or None),
        states=None if state is None else [state],
        cursor=cursor,
        limit=limit,
    )
    return Listing(items=[ExperimentSummaryWire.of(e) for e in page.items], next_cursor=page.next_cursor)


@router.get(
    "/plan",
    summary="Find out how long an experiment has to run",
    response_model=SizeWire,
    responses={**problems(404, 422), **without_experiments()},
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def plan(here: Here, caller: Calling, asked: Annotated[SizeRequest, Query()]) -> SizeWire:
    """Units and days that it takes to find an effect: in one look at the end, and with looks whenever one likes."""
    caller.scenarios(asked.scenario)
    return SizeWire.of(await experiment_desk.size(here, asked.question()), asked)


@router.get(
    "/{experiment_id}",
    summary="Get an experiment",
    response_model=ExperimentWire,
    responses={**problems(404, 422), **without_experiments()},
    dependencies=[needs(Permission.READ, of_experiment)],
)
async def get_experiment(experiment_id: Id, here: Here, response: Response) -> ExperimentWire:
    """One experiment with all of its looks."""
    response.headers["Cache-Control"] = "no-store"
    return ExperimentWire.of(await experiments_of(here).experiment(experiment_id))


@router.post(
    "/{experiment_id}/start",
    summary="Start an experiment",
    response_model=ExperimentWire,
    responses={**problems(400, 404, 409, 412, 413, 422), **without_experiments()},
    openapi_extra=json_body(ReasonRequest, required=False),
    dependencies=[needs(Permission.EDIT, of_experiment)],
)
async def start(
    experiment_id: Id, request: Request, here: Here, idempotency_key: IdempotencyKey = None, x_actor: XActor = None
) -> ExperimentWire:
    """Serve the treatment to its share of the units from now on, under the rules that every activation is under.

    From then on it is looked at at the end of every day. A guardrail that is violated takes the treatment out of
    force at once; a winner is put into force for everybody by people alone.
    """
    async with taken(request, here, "experiment.start_refused", may_be_empty=True) as write:
        act = write.saying(write.sent(ReasonRequest).reason)
        return ExperimentWire.of(await experiments_of(here).start(experiment_id, act, write.claim))


@router.post(
    "/{experiment_id}/stop",
    summary="Stop an experiment",
    response_model=ExperimentWire,
    responses={**problems(400, 404, 409, 412, 413, 422), **without_experiments()},
    openapi_extra=json_body(ReasonRequest),
    dependencies=[needs(Permission.EDIT, of_experiment)],
)
async def stop(
    experiment_id: Id, request: Request, here: Here, idempotency_key: IdempotencyKey = None, x_actor: XActor = None
) -> ExperimentWire:
    """End an experiment, and serve the control to everybody; a reason is needed."""
    async with taken(request, here, "experiment.stop_refused") as write:
        act = write.because(write.sent(ReasonRequest).reason)
        return ExperimentWire.of(await experiments_of(here).stop(experiment_id, act, write.claim))
