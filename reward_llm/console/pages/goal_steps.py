"""What a person does with a goal that was read: correct the reading, try the weights out, and go on with them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from reward_llm.console.chosen_reading import ChosenReading
from reward_llm.console.frame import Area
from reward_llm.console.pages.goals import Document, goal_page, outcome_of
from reward_llm.console.visit import Visit, Visiting
from reward_llm.errors import ServiceRefused

router = APIRouter(prefix="/goals/{goal_id}")
AREA = Area(name="goals", router=router)

_WINDOW_MARK: Final = "|"


@router.get("/outcome")
async def outcome(goal_id: str, visit: Visiting) -> Response:
    """What comes of the reading that the address names, for htmx."""
    goal, scenario = await _found(visit, goal_id)
    reading = ChosenReading.of_form(dict(visit.request.query_params))
    found = await outcome_of(visit, goal, scenario, reading)
    return visit.page("goals/_outcome.html", goal=goal, scenario=scenario, refused=None, **found)


@router.get("/preview")
async def preview(goal_id: str, visit: Visiting) -> Response:
    """What the weights would change on logged requests: a part of the page for htmx, else a page of its own."""
    goal, scenario = await _found(visit, goal_id)
    reading = ChosenReading.of_form(dict(visit.request.query_params))
    tried = (await outcome_of(visit, goal, scenario, reading))["outcome"]
    asked = {"scenario": goal["scenario"], "segment": goal["segment"], "weights": tried.weights}
    found, refused = None, None
    try:
        found = await visit.api.post("/v1/policies/preview", asked)
    except ServiceRefused as exc:
        refused = exc
    template = "goals/_preview.html" if visit.is_partial else "goals/preview.html"
    return visit.page(template, goal=goal, scenario=scenario, preview=found, refused=refused)


@router.post("/correction")
async def correct(goal_id: str, visit: Visiting) -> Response:
    """Make a person's own reading a policy: an edit, as any other."""
    goal, scenario = await _found(visit, goal_id)
    reading = ChosenReading.of_form({name: visit.form[name] for name in visit.form})
    corrected = (await outcome_of(visit, goal, scenario, reading))["outcome"]
    edit = {
        "scenario": goal["scenario"],
        "segment": goal["segment"],
        "weights": corrected.weights,
        "reason": visit.form["reason"] or visit.t("goals.correction_reason", goal=goal_id),
    }
    try:
        policy = await visit.api.post("/v1/policies", edit, key=visit.form["key"])
    except ServiceRefused as exc:
        return await _refused(visit, goal_id, exc)
    return visit.go(f"/policies/{policy['policy_id']}", done="goals.corrected")


@router.post("/solved")
async def take_solved(goal_id: str, visit: Visiting) -> Response:
    """Make the goal's solved weights a policy."""
    reason = {"reason": visit.t("goals.solved.reason", goal=goal_id)}
    try:
        policy = await visit.api.post(f"/v1/goals/{quote(goal_id, safe='')}/solved", reason, key=visit.form["key"])
    except ServiceRefused as exc:
        return await _refused(visit, goal_id, exc)
    return visit.go(f"/policies/{policy['policy_id']}", done="goals.solved")


@router.post("/activation")
async def activate(goal_id: str, visit: Visiting) -> Response:
    """Put the goal's policy in force."""
    policy_id = quote(visit.form["policy_id"], safe="")
    since, _, until = visit.form["when"].partition(_WINDOW_MARK)
    window: dict[str, Any] = {name: value for name, value in (("from", since), ("until", until)) if value}
    try:
        await visit.api.post(f"/v1/policies/{policy_id}/activation", window, key=visit.form["key"])
    except ServiceRefused as exc:
        return await _refused(visit, goal_id, exc)
    return visit.go(f"/policies/{policy_id}", done="goals.activated")


@router.post("/review-request")
async def ask_for_review(goal_id: str, visit: Visiting) -> Response:
    """Ask others to decide on the goal's policy."""
    policy_id = quote(visit.form["policy_id"], safe="")
    try:
        await visit.api.post(
            f"/v1/policies/{policy_id}/review-request", {"comment": visit.form["comment"]}, key=visit.form["key"]
        )
    except ServiceRefused as exc:
        return await _refused(visit, goal_id, exc)
    return visit.go(f"/policies/{policy_id}", done="goals.asked")


async def _found(visit: Visit, goal_id: str) -> tuple[Document, Document]:
    goal = await visit.api.get(f"/v1/goals/{quote(goal_id, safe='')}")
    return goal, await visit.api.get(f"/v1/scenarios/{quote(goal['scenario'], safe='')}")


async def _refused(visit: Visit, goal_id: str, refusal: ServiceRefused) -> Response:
    """The goal's page with what was refused; who isn't known any more gets the page that keeps what they wrote.

    Raises:
        ServiceRefused: If nobody knows who it is.
    """
    if refusal.status == HTTPStatus.UNAUTHORIZED:
        raise refusal
    return await goal_page(visit, goal_id, refusal)
