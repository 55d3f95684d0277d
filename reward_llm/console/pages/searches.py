"""Searches for weights: start one, watch what it tries, and propose what it found."""

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
from reward_llm.console.records import list_page, make
from reward_llm.console.scatter import Dot, Kind, scatter
from reward_llm.console.visit import Visit, Visiting
from reward_llm.domain.searching import MAX_BUDGET, MAX_OBJECTIVES, EvaluatorKind, SearchMethod
from reward_llm.domain.simulation import OUTCOME_FACTS, Outcome
from reward_llm.errors import ServiceRefused

router = APIRouter()
AREA = Area(name="searches", router=router, path="/searches")
_METRICS: Final = [outcome for outcome in Outcome if OUTCOME_FACTS[outcome].better == "higher"]
_REFRESH_S: Final = 2
_GOING: Final = {"queued", "running"}
_HALTED: Final = {"interrupted", "cancelled", "failed"}
_COMPLETE: Final = {"done", "proposed"}
_PERCENT: Final = 100


@router.get("/searches")
async def searches(visit: Visiting, cursor: str = "") -> Response:
    """Those that there are, and a form to start another."""
    return await _list(visit, cursor=cursor)


@router.post("/searches")
async def start(visit: Visiting) -> Response:
    """Start one from the weights in force."""
    return await make(visit, "searches", _asked(visit.form), partial(_list, visit))


@router.get("/searches/{search_id}")
async def search(search_id: Name, visit: Visiting) -> Response:
    """What one tried and found; htmx asks again and again until it is over."""
    found = await visit.api.get(f"/v1/searches/{search_id}")
    return visit.page(
        "searches/_search.html" if visit.is_partial else "searches/search.html",
        search=found,
        metrics=list(dict.fromkeys([*found["objectives"], *(c["metric"] for c in found["constraints"])])),
        is_going=found["state"] in _GOING,
        is_halted=found["state"] in _HALTED,
        is_complete=found["state"] in _COMPLETE,
        cloud=_cloud(found, visit),
        curve=_curve(found, visit),
        refresh_s=_REFRESH_S,
    )


@router.post("/searches/{search_id}/cancellation")
async def cancel(search_id: Name, visit: Visiting) -> Response:
    """End one."""
    await visit.api.post(f"/v1/searches/{search_id}/cancellation")
    return visit.go(f"/searches/{search_id}", done="searches.cancelled")


@router.post("/searches/{search_id}/resumption")
async def resume(search_id: Name, visit: Visiting) -> Response:
    """Go on with one."""
    await visit.api.post(f"/v1/searches/{search_id}/resumption")
    return visit.go(f"/searches/{search_id}", done="searches.resumed")


@router.post("/searches/{search_id}/proposal")
async def propose(search_id: Name, visit: Visiting) -> Response:
    """Propose a finalist; the policy's page goes on from there."""
    number = visit.form["trial"]
    sent = {"trial": int(number)} if number.isdigit() else {}
    policy = await visit.api.post(f"/v1/searches/{search_id}/proposal", sent, key=visit.form["key"])
    return visit.go(f"/policies/{policy['policy_id']}", done="searches.proposed")


async def _list(visit: Visit, refusal: ServiceRefused | None = None, *, cursor: str = "") -> Response:
    scenarios = (await visit.api.get("/v1/scenarios"))["items"]
    return await list_page(
        visit,
        "searches",
        refusal,
        {"cursor": cursor},
        scenarios=[(s["name"], s["title"][visit.language]) for s in scenarios if visit.may("submit", s["name"])],
        methods=[(method.value, visit.t(f"searches.methods.{method.value}")) for method in SearchMethod],
        evaluators=[(kind.value, visit.t(f"searches.evaluators.{kind.value}")) for kind in EvaluatorKind],
        metrics=_metrics(scenarios, visit),
        objectives=range(MAX_OBJECTIVES),
        most=MAX_BUDGET,
    )


def _metrics(scenarios: Sequence[Mapping[str, Any]], visit: Visit) -> list[tuple[str, str]]:
    """What simulated markets and surfaces measure, and then the utilities that the re-ranker alone does."""
    outcomes = {metric.value: visit.t.word("simulations.outcomes", metric.value) for metric in _METRICS}
    ranker = visit.t("searches.evaluators.ranker")
    utilities = {utility["name"]: f"{utility['name']} · {ranker}" for s in scenarios for utility in s["utilities"]}
    return [*outcomes.items(), *((name, label) for name, label in utilities.items() if name not in outcomes)]


def _asked(form: Form) -> dict[str, Any]:
    share = form.number("least")
    constraint = {"metric": form["constraint"], "least": share, "relative": True}
    if isinstance(share, float):
        constraint["least"] = share / _PERCENT
    budget = form.whole("budget")
    objectives = [form[f"objective.{place}"] for place in range(MAX_OBJECTIVES)]
    return {
        "scenario": form["scenario"],
        "segment": form["segment"] or None,
        "objectives": [name for name in objectives if name],
        "constraints": [constraint] if form["constraint"] else [],
        "method": form["method"],
        "evaluator": {"kind": form["evaluator"]},
        **({"budget": budget} if budget else {}),
    }


def _cloud(found: Mapping[str, Any], visit: Visit) -> Markup:
    """Everything that was tried by two of the objectives; nothing where there is one alone."""
    if len(found["objectives"]) == 1:
        return Markup("")
    x, y = found["objectives"][:2]
    names = [visit.t.word("simulations.outcomes", name) for name in (x, y)]
    tried = [t for t in found["trials"] if t["stage"] != "final" and x in t["metrics"] and y in t["metrics"]]
    dots = [
        Dot(
            x=trial["metrics"][x]["mean"],
            y=trial["metrics"][y]["mean"],
            kind=_kind(trial, found["result"]),
            title=visit.t("searches.trial_said", n=trial["number"]),
        )
        for trial in tried
    ]
    return scatter(dots, title=visit.t("searches.cloud", x=names[0], y=names[1]), x_name=names[0], y_name=names[1])


def _kind(trial: Mapping[str, Any], result: Mapping[str, Any] | None) -> Kind:
    if trial["stage"] == "in_force":
        return "now"
    if trial["violation"] > 0:
        return "worse"
    if result is None:
        return ""
    if trial["number"] == result["chosen"]:
        return "chosen"
    return "better" if trial["number"] in result["front"] else ""


def _curve(found: Mapping[str, Any], visit: Visit) -> Markup:
    """The hypervolume by evaluations."""
    if found["result"] is None:
        return Markup("")
    points = found["result"]["hypervolume"]
    title = visit.t("searches.curve")
    line = Series(name=title, xs=[p["evaluations"] for p in points], ys=[p["hypervolume"] for p in points])
    return line_chart([line], title=title, digits=4)
