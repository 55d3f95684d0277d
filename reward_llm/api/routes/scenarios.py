"""Scenarios: what a client can ask for."""

from __future__ import annotations

from fastapi import APIRouter

from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.access.scenario_of import of_scenario
from reward_llm.api.context import Here
from reward_llm.api.openapi import problems
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.base import Listing
from reward_llm.api.wire.scenarios import ScenarioWire
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/scenarios", tags=["scenarios"])


@router.get(
    "",
    summary="List scenarios",
    response_model=Listing[ScenarioWire],
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def list_scenarios(here: Here, caller: Calling) -> Listing[ScenarioWire]:
    """Every scenario that one may read, with its utilities, segments and guardrails."""
    mine = caller.scenarios()
    return Listing(
        items=[ScenarioWire.of(s) for s in here.services.scenarios.values() if mine is None or s.name in mine]
    )


@router.get(
    "/{name}",
    summary="Get a scenario",
    response_model=ScenarioWire,
    responses=problems(404, 422),
    dependencies=[needs(Permission.READ, of_scenario)],
)
async def get_scenario(name: str, here: Here) -> ScenarioWire:
    """One scenario with its utilities, segments and guardrails."""
    return ScenarioWire.of(find_scenario(here.services.scenarios, name))
