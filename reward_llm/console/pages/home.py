"""The first page: what is in force, what waits for somebody, and for a newcomer the way to a first policy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response

from reward_llm.console.frame import Area
from reward_llm.console.in_force import in_force
from reward_llm.console.next_step import NextStep, Step, next_step
from reward_llm.console.visit import Visit, Visiting

router = APIRouter()
AREA = Area(name="home", router=router, path="/")

Document = Mapping[str, Any]
_GOALS: Final = 5
_POLICIES: Final = 50
_WAITING: Final = 8
_EXAMPLES: Final = 3
_WAITS: Final = {Step.APPROVE, Step.ACTIVATE}
_ASKED_FOR: Final = {"in_review", "approved"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSteps:
    """How far a newcomer has come on the way to a first policy in force."""

    goal: Document | None
    """The goal to go on with."""
    is_in_force: bool

    @property
    def step(self) -> int:
        """The next one: 1 submit a goal, 2 look at it and activate, 3 all done."""
        return 3 if self.is_in_force else 2 if self.goal else 1


@router.get("/")
async def home(visit: Visiting) -> Response:
    """What is going on."""
    if not visit.may_somewhere("read"):
        return visit.page("home/nothing.html")
    snapshot = await visit.api.get("/v1/weights")
    goals = (await visit.api.get("/v1/goals", limit=_GOALS))["items"]
    policies = (await visit.api.get("/v1/policies", limit=_POLICIES))["items"]
    steps = first_steps(snapshot, goals)
    return visit.page(
        "home/home.html",
        scopes=in_force(snapshot),
        goals=goals,
        waiting=waiting(visit, policies),
        first=steps if steps.step < 3 and not any(p["activations"] for p in policies) else None,
        examples=[visit.t(f"goals.examples.e{n}") for n in range(1, _EXAMPLES + 1)],
    )


def first_steps(snapshot: Document, goals: Sequence[Document]) -> FirstSteps:
    """How far a newcomer has come, by what is served and by the newest goals."""
    proposed = [g for g in goals if g["state"] in {"proposed", "received"}]
    return FirstSteps(
        goal=proposed[0] if proposed else None,
        is_in_force=any(item["version"] for item in snapshot["items"]),
    )


def waiting(visit: Visit, policies: Sequence[Document]) -> list[tuple[Document, NextStep]]:
    """The policies that wait for a decision that was asked for, those first that this person can take."""
    found = [(p, step) for p in policies if p["state"] in _ASKED_FOR and (step := next_step(p, visit.person))]
    waits = [(p, step) for p, step in found if step.step in _WAITS]
    return sorted(waits, key=lambda pair: not pair[1].can)[:_WAITING]
