"""Scopes: what holds in one and what is to come, its activations, rolling it back, and its kill switch."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from reward_llm.console import timeline
from reward_llm.console.frame import Area
from reward_llm.console.in_force import after_rollback, in_force, moment, rollback_targets, underneath
from reward_llm.console.pages.policies import stretch_text
from reward_llm.console.visit import Visit, Visiting
from reward_llm.errors import ServiceRefused

router = APIRouter(prefix="/policies/scopes/{scenario}/{segment}")
AREA = Area(name="scopes", router=router)

_ON_THE_TIMELINE: Final = 30
_UNAUTHORIZED: Final = 401


@router.get("")
async def scope(scenario: str, segment: str, visit: Visiting, change: int | None = None) -> Response:
    """What holds, what lies below it and what is to come; `change` is the activation whose form is shown."""
    return await _scope_page(visit, scenario, segment, changing=change)


@router.post("/activations/{sequence}")
async def change(scenario: str, segment: str, sequence: int, visit: Visiting) -> Response:
    """Give an activation another share or another window, if it is still as it was on the screen."""
    form, path = visit.form, f"/v1/activations/{sequence}"
    try:
        body = _wanted(visit, await visit.api.get(path))
        await visit.api.patch(path, body, key=form["key"], if_match=_tag(form["revision"]))
    except ServiceRefused as exc:
        return await _shown_again(visit, scenario, segment, exc, sequence)
    return visit.go(f"/policies{_path(scenario, segment)}", done="scopes.changed")


@router.post("/activations/{sequence}/end")
async def end(scenario: str, segment: str, sequence: int, visit: Visiting) -> Response:
    """End an activation now, or call it off, if it is still as it was on the screen."""
    form = visit.form
    path, body = f"/v1/activations/{sequence}/end", {"reason": form["reason"]}
    try:
        await visit.api.post(path, body, key=form["key"], if_match=_tag(form["revision"]))
    except ServiceRefused as exc:
        return await _shown_again(visit, scenario, segment, exc, sequence)
    return visit.go(f"/policies{_path(scenario, segment)}", done="scopes.ended")


@router.get("/rollback")
async def before_rollback(scenario: str, segment: str, visit: Visiting) -> Response:
    """What a rollback will do."""
    return await _rollback_page(visit, scenario, segment)


@router.post("/rollback")
async def roll_back(scenario: str, segment: str, visit: Visiting) -> Response:
    """Take what holds out of force, if it is still what was on the screen."""
    form = visit.form
    body = {
        "from_policy": form["from_policy"] or None,
        "to_policy": form["to_policy"] or None,
        "reason": form["reason"],
    }
    try:
        await visit.api.post(f"/v1{_path(scenario, segment)}/rollback", body, key=form["key"])
    except ServiceRefused as exc:
        if exc.status == _UNAUTHORIZED:
            raise
        return await _rollback_page(visit, scenario, segment, exc)
    return visit.go(f"/policies{_path(scenario, segment)}", done="scopes.rolled_back")


@router.get("/freeze")
async def before_freeze(scenario: str, segment: str, visit: Visiting) -> Response:
    """What freezing or unfreezing will do."""
    return await _freeze_page(visit, scenario, segment)


@router.post("/freeze")
async def freeze(scenario: str, segment: str, visit: Visiting) -> Response:
    """Have the scope serve its defaults alone, or what is in force again."""
    frozen = visit.form["frozen"] == "true"
    body = {"frozen": frozen, "reason": visit.form["reason"]}
    try:
        await visit.api.post(f"/v1{_path(scenario, segment)}/freeze", body, key=visit.form["key"])
    except ServiceRefused as exc:
        if exc.status == _UNAUTHORIZED:
            raise
        return await _freeze_page(visit, scenario, segment, exc)
    page = f"/policies{_path(scenario, segment)}"
    return visit.go(page, done="scopes.frozen") if frozen else visit.go(page, done="scopes.unfrozen")


async def _scope_page(
    visit: Visit, scenario: str, segment: str, problem: ServiceRefused | None = None, changing: int | None = None
) -> Response:
    found = await _scope_facts(visit, scenario, segment)
    held = (*found["scope"]["stack"], *found["scope"]["coming"])
    over_time = timeline.of_policies(found["activations"], found["now"], partial(stretch_text, visit))
    return visit.page(
        "scopes/scope.html",
        status=problem.status if problem else 200,
        over_time=over_time,
        problem=problem,
        changing=next((a for a in held if a["sequence"] == changing), None),
        scope_name="/".join(filter(None, (scenario, found["scope"]["segment"]))),
        form=visit.form,
        **found,
    )


async def _rollback_page(
    visit: Visit, scenario: str, segment: str, problem: ServiceRefused | None = None
) -> Response:
    found = await _scope_facts(visit, scenario, segment)
    stack = found["scope"]["stack"]
    return visit.page(
        "scopes/rollback.html",
        status=problem.status if problem else 200,
        winning=stack[0] if stack else None,
        returns=after_rollback(found["scope"]) if stack else None,
        targets=rollback_targets(found["scope"], found["activations"]),
        defaults={u["name"]: u["default"] for u in found["scenario"]["utilities"]},
        problem=problem,
        form=visit.form,
        **found,
    )


async def _freeze_page(visit: Visit, scenario: str, segment: str, problem: ServiceRefused | None = None) -> Response:
    found = await _scope_facts(visit, scenario, segment)
    scope = found["scope"]
    own = [
        s for s in in_force(found["snapshot"]) if scope["segment"] is None or s.item["segment"] == scope["segment"]
    ]
    return visit.page(
        "scopes/freeze.html",
        status=problem.status if problem else 200,
        affected=own,
        is_own=any(f["segment"] == scope["segment"] for f in scope["frozen_by"]),
        returns=underneath(scope),
        running=sum(a["state"] == "running" for a in found["activations"]),
        scheduled=sum(a["state"] == "scheduled" for a in found["activations"]),
        problem=problem,
        form=visit.form,
        **found,
    )


def _wanted(visit: Visit, current: Mapping[str, Any]) -> dict[str, Any]:
    """What of an activation the form changes; as fields show minutes, what reads the same there is the same."""
    form, wanted = visit.form, dict[str, Any]()
    for name, now in (("from", current["start"]), ("until", current["until"])):
        if name in form and form[name] != visit.f.for_input(now):
            wanted[name] = visit.f.from_input(form[name])
    if (percent := form.number("percent")) is not None:
        wanted["percent"] = percent
    if form["conflicts"]:
        wanted["conflicts"] = "accept"
    return wanted


async def _scope_facts(visit: Visit, scenario: str, segment: str) -> dict[str, Any]:
    """What every page of a scope shows."""
    path = _path(scenario, segment)
    scope = await visit.api.get(f"/v1{path}")
    about = await visit.api.get(f"/v1/scenarios/{quote(scenario, safe='')}")
    snapshot = await visit.api.get("/v1/weights", scenario=scenario)
    query = {"scenario": scenario, "segment": scope["segment"]}
    listing = await visit.api.get("/v1/activations", **query, limit=_ON_THE_TIMELINE)
    own = [a for a in listing["items"] if a["policy"]["segment"] == scope["segment"]]
    return {
        "scope": scope,
        "scenario": about,
        "snapshot": snapshot,
        "activations": own,
        "path": f"/policies{path}",
        "now": moment(snapshot["as_of"]),
    }


async def _shown_again(visit: Visit, scenario: str, segment: str, refusal: ServiceRefused, sequence: int) -> Response:
    """The scope as it is by now, with what was refused and what was written."""
    if refusal.status == _UNAUTHORIZED:
        raise refusal
    return await _scope_page(visit, scenario, segment, refusal, sequence)


def _path(scenario: str, segment: str) -> str:
    return f"/scopes/{quote(scenario, safe='')}/{quote(segment, safe='')}"


def _tag(revision: str) -> str:
    return f'"{revision}"'
