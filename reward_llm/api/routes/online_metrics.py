"""What came of served weights."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from reward_llm.api import online_desk
from reward_llm.api.access.permissions import Calling, Where, needs
from reward_llm.api.context import Here
from reward_llm.api.openapi import problems, without_metrics
from reward_llm.api.routes.parameters import Name
from reward_llm.api.wire.online_metrics import OnlineMetricsWire
from reward_llm.domain.access import Permission

router = APIRouter(prefix="/v1/metrics", tags=["metrics"])

Scenario = Annotated[str, Query(max_length=100, pattern=r"^[\x20-\x7e]+$")]
Window = Annotated[str, Query(max_length=20, description="One minute to thirty days: 1m, 6h, 30d.")]
Until = Annotated[datetime | None, Query(description="When the window ends, with a UTC offset; now if left out.")]


@router.get(
    "/online",
    summary="Measure what came of the weights",
    response_model=OnlineMetricsWire,
    responses={**problems(404, 422), **without_metrics()},
    dependencies=[needs(Permission.READ, Where.LISTED)],
)
async def online(
    here: Here,
    caller: Calling,
    scenario: Scenario,
    segment: Name = None,
    policy_id: Name = None,
    window: Window = "1h",
    until: Until = None,
) -> OnlineMetricsWire:
    """All metrics of the events of a scenario, a segment or a policy, in a window of the events' own time.

    Events that came late or twice count as if they had come in time and once.
    """
    caller.scenarios(scenario)
    return await online_desk.measure(here.services, scenario, segment, policy_id, window, until)
