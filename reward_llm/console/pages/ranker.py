"""The ranker: what it is and how good, what other weights would change, and why a slate is as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from reward_llm.console.forms import Form
from reward_llm.console.frame import Area
from reward_llm.console.ranker_plots import reliability_plot, slate_rows
from reward_llm.console.visit import Visit, Visiting
from reward_llm.errors import ServiceRefused

router = APIRouter()
AREA = Area(name="ranker", router=router, path="/ranker")
_SUM: Final = 1.0


@router.get("/ranker")
async def ranker(visit: Visiting) -> Response:
    """The card of the checkpoint that ranks here, with what its training reported."""
    try:
        card = await visit.api.get("/v1/ranker")
    except ServiceRefused as exc:
        return visit.page("ranker/ranker.html", status=exc.status, card=None, refusal=exc)
    return visit.page(
        "ranker/ranker.html",
        card=card,
        refusal=None,
        slates=slate_rows(card["slates"], visit.t),
        reliability=reliability_plot(card["reliability"], visit.t),
    )


@router.get("/ranker/try")
async def try_weights(visit: Visiting, scenario: str = "", segment: str = "") -> Response:
    """Weights to try, which begin as those in force."""
    return await _page(visit, "ranker/try.html", scenario, segment)


@router.post("/ranker/try")
async def preview(visit: Visiting) -> Response:
    """What the weights would change on logged requests, before anybody is served them."""
    form = visit.form
    sent = {"scenario": form["scenario"], "segment": form["segment"] or None, "weights": _weights(form)}
    return await _answered(visit, "ranker/try.html", "/v1/policies/preview", sent)


@router.get("/ranker/explain")
async def explain_form(visit: Visiting, scenario: str = "", segment: str = "") -> Response:
    """A logged request to explain."""
    return await _page(visit, "ranker/explain.html", scenario, segment)


@router.post("/ranker/explain")
async def explain(visit: Visiting) -> Response:
    """Why the slate of a logged request is as it is."""
    form = visit.form
    sent = {
        "scenario": form["scenario"],
        "segment": form["segment"] or None,
        "request": form["request"],
        "weights": _weights(form) if "own" in form else None,
    }
    return await _answered(visit, "ranker/explain.html", "/v1/ranker/explanation", sent)


async def _answered(visit: Visit, template: str, path: str, sent: Mapping[str, Any]) -> Response:
    found, refusal = None, None
    try:
        found = await visit.api.post(path, sent)
    except ServiceRefused as exc:
        refusal = exc
    return await _page(visit, template, sent["scenario"], sent["segment"] or "", found=found, refusal=refusal)


async def _page(
    visit: Visit,
    template: str,
    scenario: str,
    segment: str,
    *,
    found: Mapping[str, Any] | None = None,
    refusal: ServiceRefused | None = None,
) -> Response:
    scenarios = (await visit.api.get("/v1/scenarios"))["items"]
    chosen = next((s for s in scenarios if s["name"] == scenario), scenarios[0])
    in_force = await visit.api.get(f"/v1/weights/{chosen['name']}", segment=segment or None)
    written = _weights(visit.form)
    return visit.page(
        template,
        status=refusal.status if refusal else 200,
        scenarios=scenarios,
        scenario=chosen,
        segment=segment,
        in_force=in_force,
        weights=written or in_force["weights"],
        found=found,
        refusal=refusal,
        limit=_widest(found),
    )


def _weights(form: Form) -> dict[str, float | str | None]:
    """The weights that were written; in proportion, if they are numbers that don't add up to 1."""
    written = {name: form.number(f"weight.{name}") for name in form.prefixed("weight.")}
    numbers = [w for w in written.values() if isinstance(w, float)]
    total = sum(numbers)
    if len(numbers) < len(written) or total <= 0 or min(numbers) < 0:
        return dict(written)
    return {name: float(w) * _SUM / total for name, w in written.items() if isinstance(w, float)}


def _widest(found: Mapping[str, Any] | None) -> float:
    """The largest end of any interval of a preview, which all are drawn by."""
    changes: Sequence[Mapping[str, Any]] = found.get("changes", []) if found else []
    return max((abs(c["change"][end]) for c in changes for end in ("low", "high")), default=0.0)
