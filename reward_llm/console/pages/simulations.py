"""Simulations: start one, watch it, and compare what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from reward_llm.console.addresses import Name
from reward_llm.console.charts import Series, line_chart
from reward_llm.console.forms import Form
from reward_llm.console.frame import Area
from reward_llm.console.in_force import version_name
from reward_llm.console.records import list_page, make
from reward_llm.console.visit import Visit, Visiting
from reward_llm.domain.simulation import MAX_DAYS, MAX_SEEDS, MIN_DAYS, MIN_SEEDS, RecommenderName
from reward_llm.errors import ServiceRefused

router = APIRouter()
AREA = Area(name="simulations", router=router, path="/simulations")
ARMS: Final = 4
"""How many a form has room for."""
_POLICIES: Final = 20
_REFRESH_S: Final = 1
_GOING: Final = {"queued", "running"}


@router.get("/simulations")
async def simulations(visit: Visiting, scenario: str = "", cursor: str = "") -> Response:
    """Those that this process keeps, and a form to start another."""
    return await _list(visit, scenario=scenario, cursor=cursor)


@router.post("/simulations")
async def start(visit: Visiting) -> Response:
    """Start one; the others are compared with its first arm."""
    form = visit.form
    sent = {
        "scenario": form["scenario"],
        "arms": _arms(form),
        "quick": "quick" in form,
        "seeds": form.whole("seeds"),
        "days": form.whole("days") or MAX_DAYS,
    }
    return await make(visit, "simulations", sent, partial(_list, visit, scenario=form["scenario"]))


@router.get("/simulations/{simulation_id}")
async def simulation(simulation_id: Name, visit: Visiting) -> Response:
    """How far one is, and what came of it; htmx asks again and again until it is over."""
    job = await visit.api.get(f"/v1/simulations/{simulation_id}")
    result = job["result"]
    return visit.page(
        "simulations/_job.html" if visit.is_partial else "simulations/job.html",
        job=job,
        is_going=job["state"] in _GOING,
        plots=_plots(result["curves"], [arm["name"] for arm in job["arms"]], visit) if result else [],
        refresh_s=_REFRESH_S,
    )


@router.post("/simulations/{simulation_id}/cancellation")
async def cancel(simulation_id: Name, visit: Visiting) -> Response:
    """End one."""
    await visit.api.post(f"/v1/simulations/{simulation_id}/cancellation")
    return visit.go(f"/simulations/{simulation_id}", done="simulations.cancelled")


async def _list(
    visit: Visit, refusal: ServiceRefused | None = None, *, scenario: str = "", cursor: str = ""
) -> Response:
    scenarios = (await visit.api.get("/v1/scenarios"))["items"]
    runnable = {s["name"]: s["title"][visit.language] for s in scenarios if visit.may("submit", s["name"])}
    chosen = scenario if scenario in runnable else next(iter(runnable), "")
    policies = (await visit.api.get("/v1/policies", scenario=chosen, limit=_POLICIES))["items"] if chosen else []
    return await list_page(
        visit,
        "simulations",
        refusal,
        {"cursor": cursor},
        scenarios=list(runnable.items()),
        scenario=chosen,
        policies=[(p["policy_id"], _called(p, visit)) for p in policies],
        recommenders=[(str(r), visit.t.word("simulations.recommenders", r)) for r in RecommenderName],
        arms=range(ARMS),
        seeds=(MIN_SEEDS, MAX_SEEDS),
        days=(MIN_DAYS, MAX_DAYS),
    )


def _called(policy: Mapping[str, Any], visit: Visit) -> str:
    return f"{version_name(policy)} · {visit.t.word('source', policy['source'])}"


def _arms(form: Form) -> list[dict[str, Any]]:
    """The arms that were filled in; the first one always is."""
    written = [_arm(form.prefixed(f"arm.{place}.")) for place in range(ARMS)]
    return [arm for place, arm in enumerate(written) if place == 0 or arm]


def _arm(fields: Mapping[str, str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _plots(curves: Sequence[Mapping[str, Any]], arms: Sequence[str], visit: Visit) -> list[tuple[str, Markup]]:
    """A picture for each outcome: a line with its band for each arm, day by day."""
    plots = []
    for outcome in dict.fromkeys(curve["outcome"] for curve in curves):
        of_it = {curve["arm"]: curve["days"] for curve in curves if curve["outcome"] == outcome}
        title = visit.t.word("simulations.outcomes", outcome)
        series = [_series(arm, of_it[arm]) for arm in arms if arm in of_it]
        plots.append((title, line_chart(series, title=visit.t("simulations.by_day", outcome=title))))
    return plots


def _series(arm: str, days: Sequence[Mapping[str, float] | None]) -> Series:
    known = [(float(number), day) for number, day in enumerate(days, 1) if day]
    return Series(
        name=arm,
        xs=[number for number, _ in known],
        ys=[day["mean"] for _, day in known],
        lows=[day["low"] for _, day in known],
        highs=[day["high"] for _, day in known],
    )
