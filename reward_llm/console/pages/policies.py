"""Policies: what is in force where, one policy with what may be done with it, and two side by side."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Query
from starlette.responses import Response

from reward_llm.console import timeline
from reward_llm.console.frame import Area
from reward_llm.console.in_force import in_force, known_activations, moment, scope_path
from reward_llm.console.next_step import counts, next_step
from reward_llm.console.visit import Visit, Visiting
from reward_llm.domain.schedule import EVERYBODY
from reward_llm.errors import ServiceRefused

router = APIRouter(prefix="/policies")
AREA = Area(name="policies", router=router, path="/policies")

_SHOWN: Final = 20
_COMPARED: Final = 2
_UNAUTHORIZED: Final = 401


@router.get("")
async def overview(visit: Visiting, scope: str = "", cursor: str = "") -> Response:
    """What is in force where, and the policies, newest first; of one scope, `scenario` or `scenario/segment`."""
    scenario, _, segment = scope.partition("/")
    query = {"scenario": scenario, "segment": segment}
    snapshot = await visit.api.get("/v1/weights", scenario=scenario)
    listing = await visit.api.get("/v1/policies", **query, cursor=cursor, limit=_SHOWN)
    now = moment(snapshot["as_of"])
    return visit.page(
        "policies/list.html",
        scopes=in_force(snapshot),
        names=await scopes_of(visit),
        policies=[(p, next_step(p, visit.person)) for p in listing["items"]],
        now=now,
        over_time=timeline.of_scopes(known_activations(snapshot), now, partial(stretch_text, visit)),
        query={"scope": scope},
        next_cursor=listing["next_cursor"],
    )


@router.get("/compare")
async def compare(visit: Visiting, policy: list[str] | None = Query(default=None)) -> Response:  # noqa: B008
    """Two policies side by side."""
    named = [p.strip() for p in policy or [] if p.strip()]
    if len(named) != _COMPARED:
        return visit.page("policies/choose.html", status=200 if not named else 422, named=named)
    one, other = [await visit.api.get(f"/v1/policies/{quote(p, safe='')}") for p in named]
    scenario = await visit.api.get(f"/v1/scenarios/{quote(other['scenario'], safe='')}")
    apart = distance(one["weights"], other["weights"])
    return visit.page("policies/compare.html", one=one, other=other, scenario=scenario, distance=apart)


@router.get("/{policy_id}")
async def policy(policy_id: str, visit: Visiting) -> Response:
    """One policy: its weights, how far it has come, and what may be done with it."""
    return await policy_page(visit, policy_id)


@router.get("/{policy_id}/preview")
async def preview(policy_id: str, visit: Visiting) -> Response:
    """What its weights would change on logged requests: a part of the page for htmx, else a page of its own."""
    shown = await visit.api.get(f"/v1/policies/{quote(policy_id, safe='')}")
    scenario = await visit.api.get(f"/v1/scenarios/{quote(shown['scenario'], safe='')}")
    asked = {name: shown[name] for name in ("scenario", "segment", "weights")}
    found, refused = None, None
    try:
        found = await visit.api.post("/v1/policies/preview", asked)
    except ServiceRefused as exc:
        if exc.status == _UNAUTHORIZED:
            raise
        refused = exc
    template = "goals/_preview.html" if visit.is_partial else "policies/preview.html"
    return visit.page(template, policy=shown, scenario=scenario, preview=found, refused=refused)


@router.post("/{policy_id}/review-request")
async def request_review(policy_id: str, visit: Visiting) -> Response:
    """Ask for decisions."""
    return await _act(
        visit, policy_id, "review-request", {"comment": visit.form["comment"]}, done="policies.requested"
    )


@router.post("/{policy_id}/review")
async def review(policy_id: str, visit: Visiting) -> Response:
    """Approve or reject exactly the weights that were on the screen."""
    decision = visit.form["decision"]
    body = {
        "decision": decision,
        "content_hash": visit.form["content_hash"],
        "comment": visit.form["comment"],
    }
    if decision == "reject":
        return await _act(visit, policy_id, "review", body, done="policies.rejected")
    return await _act(visit, policy_id, "review", body, done="policies.approved")


@router.post("/{policy_id}/withdrawal")
async def withdraw(policy_id: str, visit: Visiting) -> Response:
    """Take it back for good."""
    return await _act(visit, policy_id, "withdrawal", {"reason": visit.form["reason"]}, done="policies.withdrawn")


@router.post("/{policy_id}/activation")
async def activate(policy_id: str, visit: Visiting) -> Response:
    """Put it into force, now or later, for everybody or for some."""
    form = visit.form
    body: dict[str, Any] = {"from": visit.f.from_input(form["from"]), "until": visit.f.from_input(form["until"])}
    if (percent := form.number("percent")) is not None:
        body["percent"] = percent
    if form["conflicts"]:
        body["conflicts"] = "accept"
    return await _act(visit, policy_id, "activation", body, done="policies.activated")


async def policy_page(visit: Visit, policy_id: str, problem: ServiceRefused | None = None) -> Response:
    """The policy's page; with what was refused, if something was, and what was written still in its form."""
    shown = await visit.api.get(f"/v1/policies/{quote(policy_id, safe='')}")
    scenario = await visit.api.get(f"/v1/scenarios/{quote(shown['scenario'], safe='')}")
    scope = await visit.api.get(f"/v1{scope_path(shown)}")
    return visit.page(
        "policies/policy.html",
        status=problem.status if problem else 200,
        policy=shown,
        scenario=scenario,
        scope=scope,
        scope_path=f"/policies{scope_path(shown)}",
        step=next_step(shown, visit.person),
        counts=counts(shown, visit.person),
        problem=problem,
        form=visit.form,
    )


def stretch_text(visit: Visit, activation: Mapping[str, Any]) -> str:
    """What the timeline says of an activation."""
    t, f, policy = visit.t, visit.f, activation["policy"]
    whole = activation["percent"] >= EVERYBODY
    share = t("policies.everyone") if whole else t("policies.some", percent=f.percent(activation["percent"] / 100, 1))
    return t(
        "policies.stretch",
        policy=policy["policy_id"],
        version=policy["version"],
        share=share,
        since=_minute(visit, activation["start"]),
        until=_minute(visit, activation["end"]) if activation["end"] else t("policies.open_end"),
    )


async def scopes_of(visit: Visit) -> dict[str, list[str]]:
    """The scenarios that one may see, each with its segments."""
    listing = await visit.api.get("/v1/scenarios")
    return {s["name"]: [segment["name"] for segment in s["segments"]] for s in listing["items"]}


def distance(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """The L1 distance, which the largest step is measured by; what isn't weighed counts nothing."""
    return sum(abs(one.get(u, 0.0) - other.get(u, 0.0)) for u in {*one, *other})


def _minute(visit: Visit, text: str) -> str:
    return f"{visit.f.day(text)} {visit.f.local(text):%H:%M}"


async def _act(visit: Visit, policy_id: str, deed: str, body: dict[str, Any], *, done: str) -> Response:
    try:
        await visit.api.post(f"/v1/policies/{quote(policy_id, safe='')}/{deed}", body, key=visit.form["key"])
    except ServiceRefused as exc:
        if exc.status == _UNAUTHORIZED:
            raise
        return await policy_page(visit, policy_id, exc)
    return visit.go(f"/policies/{quote(policy_id, safe='')}", done=done)
