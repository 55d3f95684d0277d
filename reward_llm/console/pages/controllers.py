"""Controllers: propose one, and see what each holds by which weight, what it saw and did, and who granted it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from reward_llm.console.addresses import Name
from reward_llm.console.charts import Series, line_chart
from reward_llm.console.forms import Form, beside, nested
from reward_llm.console.frame import Area
from reward_llm.console.in_force import bases, scope_name
from reward_llm.console.records import act, list_page, make
from reward_llm.console.visit import Visit, Visiting
from reward_llm.domain.control import EXPOSED
from reward_llm.domain.metrics import Metric
from reward_llm.errors import ServiceRefused

router = APIRouter()
AREA = Area(name="controllers", router=router, path="/controllers")
_READINGS: Final = 500
_SHOWN: Final = 20
_MINUTE_S: Final = 60.0
_TEXTS: Final = ("name", "utility", "exposure.metric", "exposure.window", "reason")
_COUNTS: Final = ("exposure.least_events", "period_s", "stale_after_s")
_NUMBERS: Final = (
    "exposure.setpoint",
    "envelope.min",
    "envelope.max",
    "gains.proportional",
    "gains.integral",
    "gains.derivative",
    "slew",
    "dead_band",
)
"""The fields of the form, by what the interface calls them."""


@router.get("/controllers")
async def controllers(visit: Visiting, scope: str = "", cursor: str = "") -> Response:
    """All of them, newest first, and a form to propose one for a scope, `scenario` or `scenario/segment`."""
    return await _list(visit, scope=scope, cursor=cursor)


@router.post("/controllers")
async def create(visit: Visiting) -> Response:
    """Propose one that holds a metric, on the policy that was on the screen."""
    form = visit.form
    again = partial(_list, visit, scope=form["scope"])
    return await make(visit, "controllers", _asked(form), again)


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


async def _done(visit: Visit, controller_id: str, deed: str, sent: Mapping[str, Any], done: str) -> Response:
    again = partial(_shown, visit, controller_id)
    return await act(visit, f"/controllers/{controller_id}", deed, sent, again, done=done)


async def _list(
    visit: Visit, refusal: ServiceRefused | None = None, *, scope: str = "", cursor: str = ""
) -> Response:
    snapshot = await visit.api.get("/v1/weights")
    found = {scope_name(base): base for base in bases(snapshot) if visit.may("edit", base["scenario"])}
    chosen = scope if scope in found else next(iter(found), "")
    return await list_page(
        visit,
        "controllers",
        refusal,
        {"cursor": cursor},
        scopes=list(found),
        scope=chosen,
        base=found.get(chosen),
        utilities=await _utilities(visit, found[chosen]) if chosen else [],
        metrics=[(m.value, visit.t.word("metric", m)) for m in Metric if m in EXPOSED],
        wrong=beside(refusal, (*_TEXTS, *_NUMBERS, *_COUNTS)),
    )


async def _utilities(visit: Visit, base: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The utilities of a policy's scenario, with what each weighs in it and may weigh."""
    scenario = await visit.api.get(f"/v1/scenarios/{quote(base['scenario'], safe='')}")
    weights = base["weights"]
    return [
        (u["name"], _weighed(visit, u, weights[u["name"]])) for u in scenario["utilities"] if u["name"] in weights
    ]


def _weighed(visit: Visit, utility: Mapping[str, Any], weight: float) -> str:
    now, low, high = (visit.f.weight(w) for w in (weight, utility["min"], utility["max"]))
    name = visit.t.word("concept", utility["concept"] or utility["name"])
    return visit.t("controllers.weighed", name=name, now=now, low=low, high=high)


def _asked(form: Form) -> dict[str, Any]:
    """The plan that was written; what was left empty is for the interface to fill in or to refuse."""
    scenario, _, segment = form["scope"].partition("/")
    texts = {name: form[name] for name in ("base_policy", *_TEXTS)}
    numbers = {name: form.number(name) for name in _NUMBERS} | {name: form.whole(name) for name in _COUNTS}
    return {"scenario": scenario, "segment": segment or None, **nested(texts | numbers)}


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
    utility, metric = visit.t.word("concept", controller["utility"]), visit.t.word("metric", controller["metric"])
    weights = [_line(utility, readings, "weight", began)]
    told = [visit.t("controllers.plot_metric", metric=metric), visit.t("controllers.plot_weight", utility=utility)]
    return [
        (title, [s.name for s in series], line_chart(series, title=title, digits=3))
        for title, series in zip(told, (lines, weights), strict=True)
    ]


def _line(name: str, readings: Sequence[Mapping[str, Any]], key: str, began: datetime) -> Series:
    known = [r for r in readings if r[key] is not None]
    minutes = [(datetime.fromisoformat(r["at"]) - began).total_seconds() / _MINUTE_S for r in known]
    return Series(name=name, xs=minutes, ys=[r[key] for r in known])
