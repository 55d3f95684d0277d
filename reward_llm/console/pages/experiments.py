"""Experiments: plan one, start it, and see day by day what it has shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Final

from fastapi import APIRouter
from markupsafe import Markup
from starlette.responses import Response

from reward_llm.console.addresses import Name
from reward_llm.console.charts import Series, line_chart
from reward_llm.console.frame import Area
from reward_llm.console.visit import Visit, Visiting
from reward_llm.domain.experiments import UNIT_METRICS
from reward_llm.errors import ServiceRefused

router = APIRouter()
AREA = Area(name="experiments", router=router, path="/experiments")

_PAGE: Final = 20
_POLICIES: Final = 50
_DIGITS: Final = 4
_LIVE: Final = {"running", "holdout"}
_GUARDRAIL: Final = "guardrail_"
_KINDS: Final = {"better": "good", "safe": "good", "worse": "bad", "violated": "bad"}
_STATES: Final = {"running": "info", "holdout": "info", "rolled_back": "bad"}


@router.get("/experiments")
async def experiments(visit: Visiting, scenario: str = "", cursor: str = "") -> Response:
    """Those on record, and a form to plan another."""
    return await _list(visit, scenario, cursor)


@router.post("/experiments")
async def create(visit: Visiting) -> Response:
    """Plan one."""
    form = visit.form
    guardrail = {"metric": form["guardrail"], "margin": _share(form.number("margin")) or 0.0}
    percent = form.number("percent")
    sent = {
        "name": form["name"],
        "treatment": form["treatment"],
        "primary": form["primary"],
        "guardrails": [guardrail] if form["guardrail"] else [],
        "percent": 50.0 if percent is None else percent,
    }
    try:
        made = await visit.api.post("/v1/experiments", sent, key=form["key"])
    except ServiceRefused as exc:
        return await _list(visit, "", "", refusal=exc)
    return visit.go(f"/experiments/{made['id']}")


@router.get("/experiments/{experiment_id}")
async def experiment(experiment_id: Name, visit: Visiting) -> Response:
    """What one is, what it has shown by day, and what may be done with it."""
    return await _one(visit, experiment_id)


@router.post("/experiments/{experiment_id}/start")
async def start(experiment_id: Name, visit: Visiting) -> Response:
    """Serve its treatment to its share of the users."""
    return await _act(visit, experiment_id, "start", "experiments.started")


@router.post("/experiments/{experiment_id}/stop")
async def stop(experiment_id: Name, visit: Visiting) -> Response:
    """End it."""
    return await _act(visit, experiment_id, "stop", "experiments.stopped")


async def _act(visit: Visit, experiment_id: str, what: str, done: str) -> Response:
    form = visit.form
    try:
        await visit.api.post(f"/v1/experiments/{experiment_id}/{what}", {"reason": form["reason"]}, key=form["key"])
    except ServiceRefused as exc:
        return await _one(visit, experiment_id, refusal=exc)
    return visit.go(f"/experiments/{experiment_id}", done=done)


async def _list(visit: Visit, scenario: str, cursor: str, refusal: ServiceRefused | None = None) -> Response:
    policies = (await visit.api.get("/v1/policies", limit=_POLICIES))["items"]
    try:
        page = await visit.api.get("/v1/experiments", scenario=scenario, cursor=cursor, limit=_PAGE)
    except ServiceRefused as exc:
        page, refusal = {"items": [], "next_cursor": None}, refusal or exc
    return visit.page(
        "experiments/list.html",
        status=refusal.status if refusal else 200,
        page=page,
        policies=[(p["policy_id"], _called(p)) for p in policies if visit.may("edit", p["scenario"])],
        metrics=[(m.value, visit.t.word("experiments.metrics", m.value)) for m in UNIT_METRICS],
        states=_STATES,
        outcome=partial(_outcome, visit),
        refusal=refusal,
    )


async def _one(visit: Visit, experiment_id: str, refusal: ServiceRefused | None = None) -> Response:
    shown = await visit.api.get(f"/v1/experiments/{experiment_id}")
    return visit.page(
        "experiments/experiment.html",
        status=refusal.status if refusal else 200,
        experiment=shown,
        plots=_plots(shown["looks"], visit),
        kinds=_KINDS,
        states=_STATES,
        outcome=partial(_outcome, visit),
        is_live=shown["state"] in _LIVE,
        refusal=refusal,
    )


def _outcome(visit: Visit, outcome: str) -> str:
    """What it came to, in words; of a guardrail which one it was, and over which days."""
    if not outcome.startswith(_GUARDRAIL):
        return visit.t.word("experiments.outcome", outcome)
    metric, _, span = outcome.removeprefix(_GUARDRAIL).rpartition("_")
    words = {"metric": visit.t.word("experiments.metrics", metric), "span": visit.t.word("experiments.span", span)}
    return visit.t("experiments.guardrail_lost", **words)


def _called(policy: Mapping[str, Any]) -> str:
    segment = f"/{policy['segment']}" if policy["segment"] else ""
    return f"{policy['scenario']}{segment} v{policy['version']} · {policy['policy_id'][:14]}"


def _share(percent: float | str | None) -> float | str | None:
    return percent / 100 if isinstance(percent, float) else percent


def _plots(looks: Sequence[Mapping[str, Any]], visit: Visit) -> list[tuple[str, Markup]]:
    """A picture for each metric and span: the difference with its sequence, and what it must stay above."""
    named = dict.fromkeys((m["metric"], m["span"]) for look in looks for m in look["measurements"])
    plots = []
    for metric, span in named:
        title = f"{visit.t.word('experiments.metrics', metric)} · {visit.t.word('experiments.span', span)}"
        series = _series(looks, metric, span)
        if series:
            plots.append(
                (title, line_chart(series, title=visit.t("experiments.by_day", metric=title), digits=_DIGITS))
            )
    return plots


def _series(looks: Sequence[Mapping[str, Any]], metric: str, span: str) -> list[Series]:
    known = [
        (float(look["day"]), m)
        for look in looks
        for m in look["measurements"]
        if (m["metric"], m["span"]) == (metric, span) and m["difference"] is not None
    ]
    if not known:
        return []
    days = [day for day, _ in known]
    difference = Series(
        name="difference",
        xs=days,
        ys=[m["difference"] for _, m in known],
        lows=[m["low"] for _, m in known],
        highs=[m["high"] for _, m in known],
    )
    return [difference, Series(name="limit", xs=days, ys=[m["limit"] for _, m in known])]
