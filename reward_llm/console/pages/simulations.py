"""Simulations: start one, watch it, and compare what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from reward_llm.console.addresses import Name
from reward_llm.console.charts import Series, line_chart
from reward_llm.console.forms import Form
from reward_llm.console.frame import Area
from reward_llm.console.visit import Visit, Visiting
from reward_llm.domain.simulation import MAX_DAYS, MAX_SEEDS, MIN_DAYS, MIN_SEEDS, RecommenderName
from reward_llm.errors import ServiceRefused

router = APIRouter()
AREA = Area(name="simulations", router=router, path="/simulations")
ARMS: Final = 4
"""How many a form has room for."""
_PAGE: Final = 20
_POLICIES: Final = 20
_REFRESH_S: Final = 1
_GOING: Final = {"queued", "running"}


@router.get("/simulations")
async def simulations(visit: Visiting, scenario: str = "", cursor: str = "") -> Response:
    """Those that this process keeps, and a form to start another."""
    return await _list(visit, scenario, cursor)


@router.post("/simulations")
async def start(visit: Visiting) -> Response:
    """Start one; the others are compared with its first arm."""
    form = visit.form
    sent = {
        "scenario": form["scenario"],
        "arms": _arms(form),
        "quick": "quick" in form,
        "seeds": _whole(form.number("seeds")),
        "days": _whole(form.number("days")) or MAX_DAYS,
    }
    try:
        job = await visit.api.post("/v1/simulations", sent)
    except ServiceRefused as exc:
        return await _list(visit, form["scenario"], "", refusal=exc)
    return visit.go(f"/simulations/{job['id']}")


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


async def _list(visit: Visit, scenario: str, cursor: str, refusal: ServiceRefused | None = None) -> Response:
    scenarios = (await visit.api.get("/v1/scenarios"))["items"]
    runnable = [s for s in scenarios if visit.may("submit", s["name"])]
    chosen = next((s["name"] for s in runnable if s["name"] == scenario), runnable[0]["name"] if runnable else "")
    policies = (await visit.api.get("/v1/policies", scenario=chosen, limit=_POLICIES))["items"] if chosen else []
    try:
        page = await visit.api.get("/v1/simulations", cursor=cursor, limit=_PAGE)
    except ServiceRefused as exc:
        page, refusal = {"items": [], "next_cursor": None}, exc
    return visit.page(
        "simulations/list.html",
        status=refusal.status if refusal else 200,
        page=page,
        scenarios=runnable,
        scenario=chosen,
        policies=[(p["policy_id"], _called(p, visit)) for p in policies],
        recommenders=[(str(r), visit.t.word("simulations.recommenders", r)) for r in RecommenderName],
        arms=range(ARMS),
        seeds=(MIN_SEEDS, MAX_SEEDS),
        days=(MIN_DAYS, MAX_DAYS),
        refusal=refusal,
    )


def _called(policy: Mapping[str, Any], visit: Visit) -> str:
    segment = f"/{policy['segment']}" if policy["segment"] else ""
    return f"{policy['scenario']}{segment} v{policy['version']} · {visit.t.word('source', policy['source'])}"


def _arms(form: Form) -> list[dict[str, Any]]:
    """The arms that were filled in; the first one always is."""
    written = [_arm(form.prefixed(f"arm.{place}.")) for place in range(ARMS)]
    return [arm for place, arm in enumerate(written) if place == 0 or arm]


def _arm(fields: Mapping[str, str]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value}


def _whole(number: float | str | None) -> float | int | str | None:
    return int(number) if isinstance(number, float) and number.is_integer() else number


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
