"""Controllers: what each holds by which weight, what it saw and did, and who granted it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from reward_llm.console.addresses import Name
from reward_llm.console.charts import Series, line_chart
from reward_llm.console.frame import Area
from reward_llm.console.visit import Visit, Visiting
from reward_llm.errors import ServiceRefused

router = APIRouter()
AREA = Area(name="controllers", router=router, path="/controllers")
_PAGE: Final = 20
_READINGS: Final = 500
_SHOWN: Final = 20
_UNAUTHORIZED: Final = 401
_MINUTE_S: Final = 60.0


@router.get("/controllers")
async def controllers(visit: Visiting, cursor: str = "") -> Response:
    """All of them, newest first."""
    page = await visit.api.get("/v1/controllers", cursor=cursor, limit=_PAGE)
    return visit.page("controllers/list.html", page=page)


@router.get("/controllers/{controller_id}")
async def controller(controller_id: Name, visit: Visiting) -> Response:
    """One, with its measurements against the set-point and its weight over time."""
    return await _shown(visit, controller_id)


@router.post("/controllers/{controller_id}/approval")
async def approve(controller_id: Name, visit: Visiting) -> Response:
    """Grant what was on the screen."""
    body = {"content_hash": visit.form["content_hash"], "comment": visit.form["comment"]}
    return await _done(visit, controller_id, "approval", body, "controllers.approved")


@router.post("/controllers/{controller_id}/pause")
async def pause(controller_id: Name, visit: Visiting) -> Response:
    """Have it leave the weight as it is."""
    return await _done(visit, controller_id, "pause", {"reason": visit.form["reason"]}, "controllers.paused")


@router.post("/controllers/{controller_id}/resume")
async def resume(controller_id: Name, visit: Visiting) -> Response:
    """Have it go on."""
    return await _done(visit, controller_id, "resume", {"reason": visit.form["reason"]}, "controllers.resumed")


@router.post("/controllers/{controller_id}/end")
async def end(controller_id: Name, visit: Visiting) -> Response:
    """End it."""
    return await _done(visit, controller_id, "end", {"reason": visit.form["reason"]}, "controllers.ended")


async def _done(visit: Visit, controller_id: str, what: str, body: Mapping[str, Any], done: str) -> Response:
    try:
        await visit.api.post(f"/v1/controllers/{controller_id}/{what}", body, key=visit.form["key"])
    except ServiceRefused as exc:
        if exc.status == _UNAUTHORIZED:
            raise
        return await _shown(visit, controller_id, exc)
    return visit.go(f"/controllers/{controller_id}", done=done)


async def _shown(visit: Visit, controller_id: str, problem: ServiceRefused | None = None) -> Response:
    found = await visit.api.get(f"/v1/controllers/{controller_id}", readings=_READINGS)
    readings = found["readings"]
    return visit.page(
        "controllers/controller.html",
        status=problem.status if problem else 200,
        controller=found,
        readings=list(reversed(readings))[:_SHOWN],
        plots=_plots(found, readings, visit),
        problem=problem,
    )


def _plots(
    controller: Mapping[str, Any], readings: Sequence[Mapping[str, Any]], visit: Visit
) -> list[tuple[str, Sequence[str], Markup]]:
    """The measurement against its set-point, and the weight, by minutes since the first look that is shown."""
    if len(readings) < 2:
        return []
    began = datetime.fromisoformat(readings[0]["at"])
    lines = [
        _line(visit.t("controllers.measured"), readings, "measured", began),
        _line(visit.t("controllers.setpoint"), readings, "setpoint", began),
    ]
    weights = [_line(controller["utility"], readings, "weight", began)]
    told = [visit.t("controllers.plot_metric", metric=controller["metric"])]
    told.append(visit.t("controllers.plot_weight", utility=controller["utility"]))
    return [
        (title, [s.name for s in series], line_chart(series, title=title, digits=3))
        for title, series in zip(told, (lines, weights), strict=True)
    ]


def _line(name: str, readings: Sequence[Mapping[str, Any]], key: str, began: datetime) -> Series:
    known = [r for r in readings if r[key] is not None]
    minutes = [(datetime.fromisoformat(r["at"]) - began).total_seconds() / _MINUTE_S for r in known]
    return Series(name=name, xs=minutes, ys=[r[key] for r in known])
