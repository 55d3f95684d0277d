"""Simulations: weights in a market that isn't real, before they are in one that is."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from reward_llm.api import simulation_desk
from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.access.scenario_of import of_simulation
from reward_llm.api.body import parse_json, read_body, validated
from reward_llm.api.context import Here
from reward_llm.api.headers import act_of
from reward_llm.api.openapi import json_body, problems, without_simulator
from reward_llm.api.routes.parameters import Cursor, Id, Limit, Name, XActor
from reward_llm.api.wire.base import Listing
from reward_llm.api.wire.simulations import SimulationRequest, SimulationSummaryWire, SimulationWire
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/simulations", tags=["simulations"])


@router.post(
    "",
    summary="Start a simulation",
    status_code=202,
    response_model=SimulationWire,
    responses={**problems(400, 404, 409, 413, 422), **without_simulator()},
    openapi_extra=json_body(SimulationRequest),
    dependencies=[needs(Permission.SUBMIT, Where.IN_BODY)],
)
async def start(
    request: Request, response: Response, here: Here, caller: Calling, x_actor: XActor = None
) -> SimulationWire:
    """Have recommenders live through the same days of a simulated market under different weights.

    It runs beside the service, one at a time; GET tells how far it is, and in the end what came of it. Simulations
    are kept by the process that runs them and are gone when that ends, as are the oldest of more than it keeps.
    """
    limit = here.services.config.body_limit_bytes
    sent = validated(SimulationRequest, parse_json(await read_body(request, limit), limit))
    caller.require(sent.scenario)
    job = await simulation_desk.start(here, sent, act_of(request, here.services.clock()))
    response.headers["Location"] = f"/v1/simulations/{job.id}"
    return SimulationWire.of(job)


@router.get(
    "",
    summary="List simulations",
    response_model=Listing[SimulationSummaryWire],
    responses={**problems(422), **without_simulator()},
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def list_simulations(
    here: Here, caller: Calling, scenario: Name = None, cursor: Cursor = None, limit: Limit = 50
) -> Listing[SimulationSummaryWire]:
    """Simulations that this process keeps, newest first, without their results."""
    page = await simulation_desk.simulator_of(here).jobs(
        scenarios=caller.scenarios(scenario or None), cursor=cursor, limit=limit
    )
    return Listing(items=[SimulationSummaryWire.of(job) for job in page.items], next_cursor=page.next_cursor)


@router.get(
    "/{simulation_id}",
    summary="Get a simulation",
    response_model=SimulationWire,
    responses={**problems(404, 422), **without_simulator()},
    dependencies=[needs(Permission.READ, of_simulation)],
)
async def get_simulation(simulation_id: Id, here: Here, response: Response) -> SimulationWire:
    """How far it is, and once it is done what came of it: a table, and curves by day."""
    job = await simulation_desk.simulator_of(here).job(simulation_id)
    response.headers["Cache-Control"] = "no-store"
    return SimulationWire.of(job)


@router.post(
    "/{simulation_id}/cancellation",
    summary="Cancel a simulation",
    response_model=SimulationWire,
    responses={**problems(404, 422), **without_simulator()},
    dependencies=[needs(Permission.SUBMIT, of_simulation)],
)
async def cancel(simulation_id: Id, here: Here, x_actor: XActor = None) -> SimulationWire:
    """End it; one that is over stays as it is."""
    return SimulationWire.of(await simulation_desk.simulator_of(here).cancel(simulation_id))
