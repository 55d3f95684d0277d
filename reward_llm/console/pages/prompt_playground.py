"""Where a version is tried on a goal, beside what it makes of its golden set."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from reward_llm.console.addresses import Name, Number
from reward_llm.console.visit import Visit, Visiting
from reward_llm.domain.prompts import PRODUCTION
from reward_llm.errors import ServiceRefused

router = APIRouter()
LINES: Final = "application/x-ndjson"
_AS_IT_COMES: Final = {"Content-Encoding": "identity", "Cache-Control": "no-store"}
"""What is compressed waits until there is more of it."""
_MOVES: Final = 50
_FAILURES: Final = 20


@router.get("/prompts/{name}/versions/{number}/playground")
async def playground(name: Name, number: Number, visit: Visiting) -> Response:
    """A goal to try the version on, and what was last measured of it."""
    return await _page(visit, name, number)


@router.post("/prompts/{name}/versions/{number}/try")
async def try_out(name: Name, number: Number, visit: Visiting) -> Response:
    """What the goal would be read as; nothing of it is kept."""
    form = visit.form
    sent = {"scenario": form["scenario"], "text": form.raw("text"), "backend": form["backend"] or None}
    try:
        tried = await visit.api.post(f"/v1/prompts/{name}/versions/{number}/try", sent)
        rendered = await visit.api.post(
            f"/v1/prompts/{name}/versions/{number}/render", {"scenario": form["scenario"], "goal": form.raw("text")}
        )
    except ServiceRefused as exc:
        if visit.is_partial:
            return visit.page("prompts/_tried.html", status=exc.status, tried=None, refusal=exc)
        return await _page(visit, name, number, refusal=exc)
    scenario = await visit.api.get(f"/v1/scenarios/{form['scenario']}")
    shown = {"tried": tried, "rendered": rendered, "utilities": scenario["utilities"]}
    if visit.is_partial:
        return visit.page("prompts/_tried.html", refusal=None, **shown)
    return await _page(visit, name, number, **shown)


@router.post("/prompts/{name}/versions/{number}/evaluate")
async def evaluate(name: Name, number: Number, visit: Visiting) -> Response:
    """What the version makes of its golden set; whoever asks for lines is told how far it is."""
    path = f"/v1/prompts/{name}/versions/{number}/evaluate"
    sent = {"backend": visit.form["backend"] or None}
    if LINES in visit.request.headers.get("accept", ""):
        return StreamingResponse(_lines(visit, path, sent), media_type=LINES, headers=_AS_IT_COMES)
    try:
        measured = await visit.api.post(path, sent)
    except ServiceRefused as exc:
        return await _page(visit, name, number, measuring_refused=exc)
    return await _page(visit, name, number, measured=measured)


async def _lines(visit: Visit, path: str, sent: Mapping[str, Any]) -> AsyncIterator[bytes]:
    """The interface's lines, and in the end the part of the page that shows what came of it."""
    try:
        async with visit.api.stream("POST", path, body=sent, accept=LINES) as response:
            async for line in response.aiter_lines():
                told = json.loads(line)
                if "done" in told:
                    yield _encoded(told)
                else:
                    yield _encoded({"html": _outcome(visit, told)})
    except ServiceRefused as exc:
        yield _encoded({"html": _refused(visit, exc)})


def _outcome(visit: Visit, told: Mapping[str, Any]) -> str:
    if "problem" in told:
        problem = told["problem"]
        return _refused(visit, ServiceRefused(problem["detail"], hint=problem.get("hint"), problem=problem))
    context = {"measured": told["result"], "refusal": None, "failures_shown": _FAILURES}
    return visit.frame.render(visit, "prompts/_measured.html", context)


def _refused(visit: Visit, refusal: ServiceRefused) -> str:
    context = {"measured": None, "refusal": refusal, "failures_shown": _FAILURES}
    return visit.frame.render(visit, "prompts/_measured.html", context)


def _encoded(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


async def _page(
    visit: Visit,
    name: str,
    number: int,
    *,
    measured: Mapping[str, Any] | None = None,
    measuring_refused: ServiceRefused | None = None,
    **shown: Any,
) -> Response:
    refusal = shown.get("refusal") or measuring_refused
    version = await visit.api.get(f"/v1/prompts/{name}/versions/{number}")
    scenarios = (await visit.api.get("/v1/scenarios"))["items"]
    health = await visit.api.get("/v1/health")
    return visit.page(
        "prompts/playground.html",
        status=refusal.status if refusal else 200,
        version=version,
        scenarios=[(s["name"], s["title"][visit.language]) for s in scenarios],
        backends=health["readers"]["backends"],
        measured=measured or await _last_measured(visit, name, number),
        is_new=measured is not None,
        measuring_refused=measuring_refused,
        failures_shown=_FAILURES,
        **{"tried": None, "rendered": None, "utilities": [], "refusal": None, **shown},
    )


async def _last_measured(visit: Visit, name: str, number: int) -> Mapping[str, Any] | None:
    """What was measured when the version was last put into production, or replaced there."""
    history = await visit.api.get(f"/v1/prompts/{name}/labels/{PRODUCTION}/history", limit=_MOVES)
    for move in history["items"]:
        evidence = move["evidence"] or {}
        for measured in (evidence.get("candidate"), evidence.get("replaced")):
            if measured and measured["version"] == number:
                return {**measured, "at": move["moved_at"]}
    return None
