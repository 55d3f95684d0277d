"""Goals: submit one, watch it being read, and see what it was read as and what comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from reward_llm.console.chosen_reading import CHOICES, PREFIX, ChosenReading
from reward_llm.console.frame import Area
from reward_llm.console.goal_outcome import Outcome
from reward_llm.console.marked_text import marks_of, pieces
from reward_llm.console.remembered import SHARES, Remembered
from reward_llm.console.visit import Visit, Visiting
from reward_llm.domain.goal import MAX_TEXT_CHARS, GoalState
from reward_llm.domain.simulation import OUTCOME_FACTS, OutcomeUnit
from reward_llm.errors import ServiceRefused

router = APIRouter(prefix="/goals")
AREA = Area(name="goals", router=router, path="/goals")

Document = Mapping[str, Any]
_SHOWN: Final = 20
_SOLVED_SHARES: Final = frozenset(o.value for o, facts in OUTCOME_FACTS.items() if facts.unit is OutcomeUnit.SHARE)
"""Simulated outcomes that are shown as per cent."""
_EXAMPLES: Final = 3


@router.get("")
async def goals(visit: Visiting, scenario: str = "", state: str = "", cursor: str = "") -> Response:
    """The goals that one may see, newest first."""
    page = await visit.api.get("/v1/goals", scenario=scenario, state=state, cursor=cursor, limit=_SHOWN)
    scenarios = await visit.api.get("/v1/scenarios")
    return visit.page(
        "goals/list.html",
        goals=page["items"],
        next_cursor=page["next_cursor"],
        scenarios=scenarios["items"],
        query={k: v for k, v in (("scenario", scenario), ("state", state)) if v},
        states=list(GoalState),
    )


@router.get("/new")
async def new(visit: Visiting, text: str = "", scope: str = "") -> Response:
    """The form for a goal."""
    return await form_page(visit, {"text": text, "scope": scope})


@router.post("")
async def submit(visit: Visiting) -> Response:
    """Put a goal on record; it is read while the next page shows how that goes."""
    form = visit.form
    scenario, _, segment = form["scope"].partition("/")
    goal = {
        "scenario": scenario,
        "segment": segment or None,
        "text": form.raw("text"),
        "valid_from": visit.f.from_input(form["valid_from"]),
        "valid_until": visit.f.from_input(form["valid_until"]),
    }
    try:
        answer = await visit.api.ask("POST", "/v1/goals", params={"wait": "false"}, body=goal, key=form["key"])
    except ServiceRefused as exc:
        if exc.status == HTTPStatus.UNAUTHORIZED:
            raise
        return await form_page(visit, {name: form.raw(name) for name in form}, refused=exc)
    return visit.go(f"/goals/{answer.document['id']}")


@router.get("/{goal_id}")
async def goal(goal_id: str, visit: Visiting) -> Response:
    """One goal: how far its reading is, or what it was read as and what comes of it."""
    return await goal_page(visit, goal_id)


@router.get("/{goal_id}/progress")
async def progress(goal_id: str, visit: Visiting) -> Response:
    """How long the goal has been read, for htmx; the whole page once it was."""
    found = await visit.api.get(f"/v1/goals/{quote(goal_id, safe='')}")
    if found["state"] != GoalState.RECEIVED:
        return visit.go(f"/goals/{goal_id}")
    return visit.page("goals/_progress.html", goal=found, waited_s=waited_s(found, visit.now))


async def form_page(visit: Visit, given: Mapping[str, str], refused: ServiceRefused | None = None) -> Response:
    """The form for a goal, with what was written."""
    scenarios = (await visit.api.get("/v1/scenarios"))["items"]
    open_to = [s for s in scenarios if visit.may("submit", s["name"])]
    return visit.page(
        "goals/new.html",
        status=refused.status if refused else 200,
        scenarios=open_to,
        given=given,
        refused=refused,
        max_chars=MAX_TEXT_CHARS,
        examples=[visit.t(f"goals.examples.e{n}") for n in range(1, _EXAMPLES + 1)],
    )


async def goal_page(visit: Visit, goal_id: str, refused: ServiceRefused | None = None) -> Response:
    """A goal's page, with what was refused of what a person did there."""
    found = await visit.api.get(f"/v1/goals/{quote(goal_id, safe='')}")
    if found["state"] == GoalState.RECEIVED:
        return visit.page("goals/waiting.html", goal=found, waited_s=waited_s(found, visit.now))
    scenario = await visit.api.get(f"/v1/scenarios/{quote(found['scenario'], safe='')}")
    came = await visit.api.get(f"/v1/goals/{quote(goal_id, safe='')}/outcomes")
    written = visit.form.prefixed(PREFIX) and {name: visit.form[name] for name in visit.form}
    reading = ChosenReading.of_form(written or dict(visit.request.query_params))
    return visit.page(
        "goals/goal.html",
        status=refused.status if refused else 200,
        goal=found,
        scenario=scenario,
        pieces=pieces(found["text"], marks_of(found)),
        choices=CHOICES,
        refused=refused,
        causes=causes(found["proposal"]["reason"]) if found["proposal"] else [],
        memories=[Remembered.of(tried) for tried in came["tried"]],
        shares=SHARES,
        solved_shares=_SOLVED_SHARES,
        **await outcome_of(visit, found, scenario, reading),
    )


async def outcome_of(
    visit: Visit, goal: Document, scenario: Document, reading: ChosenReading | None
) -> dict[str, Any]:
    """What comes of the goal, as `reading` has it if a person reads it otherwise, and that reading."""
    own = ChosenReading.of_goal(goal)
    if reading is None or reading.asked == own.asked:
        outcome = Outcome.of_proposal(goal["proposal"], scenario) if goal["proposal"] else None
        return {"outcome": outcome, "reading": own}
    weighed = await visit.api.post(
        "/v1/policies/weighing",
        {"scenario": goal["scenario"], "segment": goal["segment"], "intents": reading.intents},
    )
    return {"outcome": Outcome.of_weighing(weighed, scenario), "reading": reading}


def causes(reason: str | None) -> list[str]:
    """The codes of what went wrong before a fallback answered.

    >>> causes("model_timeout: no answer within 20 s; answer_malformed: it isn't JSON; at all")
    ['model_timeout', 'answer_malformed']
    """
    parts = [part.split(":")[0].strip() for part in (reason or "").split(";") if ":" in part]
    return [p for p in dict.fromkeys(parts) if p.replace("_", "").isalpha() and p.islower()]


def waited_s(goal: Document, now: datetime) -> float:
    """For how long the goal has been on record."""
    return max(0.0, (now - datetime.fromisoformat(goal["submitted_at"])).total_seconds())
