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
from reward_llm.console.in_force import version_name
from reward_llm.console.records import act, list_page, make
from reward_llm.console.visit import Visit, Visiting
from reward_llm.domain.experiments import UNIT_METRICS
from reward_llm.errors import ServiceRefused

router = APIRouter()
AREA = Area(name="experiments", router=router, path="/experiments")

_POLICIES: Final = 50
_DIGITS: Final = 4
_LIVE: Final = {"running", "holdout"}
_GUARDRAIL: Final = "guardrail_"
_KINDS: Final = {"better": "good", "safe": "good", "worse": "bad", "violated": "bad"}
_STATES: Final = {"running": "info", "holdout": "info", "rolled_back": "bad"}


@router.get("/experiments")
async def experiments(visit: Visiting, scenario: str = "", cursor: str = "") -> Response:
    """Those on record, and a form to plan another."""
    return await _list(visit, scenario=scenario, cursor=cursor)


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
    return await make(visit, "experiments", sent, partial(_list, visit))


@router.get("/experiments/{experiment_id}")
async def experiment(experiment_id: Name, visit: Visiting) -> Response:
    """What one is, what it has shown by day, and what may be done with it."""
    return await _one(visit, experiment_id)


@router.post("/experiments/{experiment_id}/start")
async def start(experiment_id: Name, visit: Visiting) -> Response:
    """Serve its treatment to its share of the users."""
    return await _act(visit, experiment_id, "start", done="experiments.started")


@router.post("/experiments/{experiment_id}/stop")
async def stop(experiment_id: Name, visit: Visiting) -> Response:
    """End it."""
    return await _act(visit, experiment_id, "stop", done="experiments.stopped")


async def _act(visit: Visit, experiment_id: str, deed: str, *, done: str) -> Response:
    path, sent = f"/experiments/{experiment_id}", {"reason": visit.form["reason"]}
    return await act(visit, path, deed, sent, partial(_one, visit, experiment_id), done=done)


async def _list(
    visit: Visit, refusal: ServiceRefused | None = None, *, scenario: str = "", cursor: str = ""
) -> Response:
    policies = (await visit.api.get("/v1/policies", limit=_POLICIES))["items"]
    return await list_page(
        visit,
        "experiments",
        refusal,
        {"scenario": scenario, "cursor": cursor},
        policies=[(p["policy_id"], _called(p)) for p in policies if visit.may("edit", p["scenario"])],
        metrics=[(m.value, _metric(visit, m)) for m in UNIT_METRICS],
        metric=partial(_metric, visit),
        states=_STATES,
        outcome=partial(_outcome, visit),
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
        metric=partial(_metric, visit),
        outcome=partial(_outcome, visit),
        is_live=shown["state"] in _LIVE,
        refusal=refusal,
    )


def _outcome(visit: Visit, outcome: str) -> str:
    """What it came to, in words; of a guardrail which one it was, and over which days."""
    if not outcome.startswith(_GUARDRAIL):
        return visit.t.word("experiments.outcome", outcome)
    metric, _, span = outcome.removeprefix(_GUARDRAIL).rpartition("_")
    words = {"metric": _metric(visit, metric), "span": visit.t.word("experiments.span", span)}
    return visit.t("experiments.guardrail_lost", **words)


def _metric(visit: Visit, name: str) -> str:
    """What a metric is called that is told user by user."""
    own = f"experiments.metrics.{name}"
    return visit.t(own) if visit.t.has(own) else visit.t.word("metric", name)


def _called(policy: Mapping[str, Any]) -> str:
    return f"{version_name(policy)} · {policy['policy_id'][:14]}"


def _share(percent: float | str | None) -> float | str | None:
    return percent / 100 if isinstance(percent, float) else percent


def _plots(looks: Sequence[Mapping[str, Any]], visit: Visit) -> list[tuple[str, Markup]]:
    """A picture for each metric and span: the difference with its sequence, and what it must stay above."""
    named = dict.fromkeys((m["metric"], m["span"]) for look in looks for m in look["measurements"])
    plots = []
    for metric, span in named:
        title = f"{_metric(visit, metric)} · {visit.t.word('experiments.span', span)}"
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
