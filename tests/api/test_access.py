"""Every caller at every route: what a role may do is what its permissions say, and a route without one is shut."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from reward_llm.api.access.permissions import AskingNeed, Need, Where, declared_need, needs
from reward_llm.domain.access import ROLE_PERMISSIONS, Grant, Permission, Role
from reward_llm.domain.tokens import NewToken
from reward_llm.feedback.metrics.online import MetricsStore, open_logs
from tests.api.callers import ADMIN, Office, office
from tests.api.harness import EDIT, EDITED, GOAL, Desk, Setup, assert_problem

HERE: Final = "home_feed"
ELSEWHERE: Final = "video_feed"
NOT_A_ROUTE_OF_OURS: Final = {"/openapi.json"}
REFUSED: Final = {401, 403}
EVALUATES: Final = "/ofrep/v1/evaluate/"
"""OpenFeature's protocol looks weights up by POST."""
ASKS: Final = (
    EVALUATES,
    "/v1/rerank",
    "/v1/policies/preview",
    "/v1/policies/weighing",
    "/v1/ranker/explanation",
    "/v1/agents/decision",
)
"""What is asked by POST and changes nothing."""
SEARCH: Final = {"scenario": HERE, "objectives": ["ctr"], "method": "random", "budget": 2}
CONTROLLER: Final = {
    "scenario": HERE,
    "utility": "cold_start",
    "exposure": {"setpoint": 0.2},
    "gains": {"proportional": 0.1},
    "envelope": {"min": 0.02, "max": 0.2},
    "reason": "try",
}
SIMULATION: Final = {"scenario": HERE, "arms": [{"name": "waits"}]}

CALLERS: Final[Mapping[str, tuple[Grant, ...]]] = {
    f"{role.value}@{place or 'everywhere'}": (Grant(role=role, scenario=place),)
    for role in Role
    for place in (None, HERE, ELSEWHERE)
} | {"viewer everywhere and editor elsewhere": (Grant(role=Role.VIEWER), Grant(role=Role.EDITOR, scenario=ELSEWHERE))}
STRANGERS: Final = ("anonymous", "expired", "revoked", "garbage", "tampered")


@dataclass(frozen=True, slots=True)
class Operation:
    """A route by one of its methods."""

    method: str
    path: str
    need: Need | AskingNeed | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def lets_in(self, grants: tuple[Grant, ...]) -> bool:
        """Whether a caller with the grants may do this to something of home_feed."""
        assert self.need is not None
        where = self.need.where
        if self.need.permission is None:
            return True
        held = {g.scenario for g in grants if self.need.permission in ROLE_PERMISSIONS[g.role]}
        if where in {Where.SOMEWHERE, Where.LISTED}:
            return bool(held)
        touches_here = callable(where) or where is Where.IN_BODY or (where is None and "{scenario}" in self.path)
        return None in held or (touches_here and HERE in held)


def operations(app: FastAPI) -> Iterator[Operation]:
    for context in iter_route_contexts(app.routes):
        if context.path in NOT_A_ROUTE_OF_OURS:
            continue
        route = context.original_route
        need = declared_need(route) if isinstance(route, APIRoute) else None
        for method in sorted((context.methods or {"*"}) - {"HEAD"}):
            yield Operation(method, str(context.path), need)


def row(operation: Operation) -> str:
    """The operation as the page on access has it."""
    assert operation.need is not None
    where = operation.need.where
    if operation.need.permission is None:
        return f"| `{operation}` | - | everybody |"
    place = {
        Where.LISTED: "in any; shows what one may see",
        Where.SOMEWHERE: "in any",
        Where.IN_BODY: "in the one that it touches",
    }.get(where, "in all")  # type: ignore[arg-type]
    if callable(where) or (where is None and "{scenario}" in operation.path):
        place = "in the one that it touches"
    return f"| `{operation}` | {operation.need.permission.value} | {place} |"


def guarded(app: FastAPI) -> list[Operation]:
    return [o for o in operations(app) if o.need is None or o.need.permission is not None]


@pytest.fixture
async def at_home(setup: Setup) -> AsyncIterator[Office]:
    metrics = MetricsStore(open_logs(None, 1), setup.clock)
    async with office(replace(setup, online=metrics)) as opened:
        yield opened
    await metrics.aclose()


@dataclass(slots=True)
class Things:
    """Something of home_feed for every path, and a body for every route that finds its scenario there."""

    paths: dict[str, Any]
    bodies: dict[str, Any]

    def path(self, operation: Operation) -> str:
        named = self.paths | self.paths.get(operation.path, {})
        return re.sub(r"{(\w+)(:\w+)?}", lambda m: str(named[m[1]]), operation.path)

    async def ask(self, at: Office, operation: Operation, token: str | NewToken | None) -> httpx.Response:
        return await at.ask(operation.method, self.path(operation), token, json=self.bodies.get(operation.path, {}))


async def things(at: Office) -> Things:
    """Make one of each, as an admin."""
    root = await at.token(ADMIN, name="maker")

    async def made(path: str, document: Any, status: int = 201) -> dict[str, Any]:
        answer = await at.ask("POST", path, root, json=document)
        assert answer.status_code == status, answer.text
        return dict(answer.json())

    goal = await made("/v1/goals", GOAL)
    policy = await made("/v1/policies", EDIT)
    activation = await made(f"/v1/policies/{policy['policy_id']}/activation", {}, 200)
    records = (await at.ask("GET", "/v1/audit", root, params={"subject": goal["id"]})).json()["items"]
    simulation = await made("/v1/simulations", SIMULATION, 202)
    search = await made("/v1/searches", SEARCH, 202)
    trial = {"name": "try", "treatment": policy["policy_id"], "primary": "ctr"}
    experiment = await made("/v1/experiments", trial)
    controller = await made("/v1/controllers", CONTROLLER)
    victim = await at.token(Grant(role=Role.VIEWER, scenario=HERE), name="victim")
    return Things(
        paths={
            "scenario": HERE,
            "segment": "-",
            "goal_id": goal["id"],
            "policy_id": policy["policy_id"],
            "sequence": activation["sequence"],
            "simulation_id": simulation["id"],
            "search_id": search["id"],
            "experiment_id": experiment["id"],
            "controller_id": controller["id"],
            "token_id": victim.token.id,
            "webhook_id": "wh_none",
            "delivery_id": 1,
            "name": "goal_to_intents",
            "number": 1,
            "label": "staging",
            "/v1/scenarios/{name}": {"name": HERE},
            "/v1/audit/{sequence}": {"sequence": records[-1]["sequence"]},
        },
        bodies={
            "/v1/goals": GOAL,
            "/v1/policies": {"scenario": HERE, "weights": EDITED, "reason": "again"},
            "/v1/policies/preview": {"scenario": HERE, "weights": EDITED},
            "/v1/policies/weighing": {"scenario": HERE, "intents": []},
            "/v1/searches": SEARCH,
            "/v1/experiments": trial,
            "/v1/controllers": CONTROLLER,
            "/v1/simulations": SIMULATION,
            "/v1/ranker/explanation": {"scenario": HERE, "request": "0"},
            "/v1/agents/decision": {"scenario": HERE, "user": "u", "candidates": [{"item_id": "a"}], "size": 1},
            "/v1/rerank": {"scenario": HERE, "candidates": [{"item_id": "a"}], "size": 1},
            "/v1/tokens": {"name": "new", "grants": [{"role": "viewer", "scenario": HERE}]},
        },
    )


async def stranger(at: Office, kind: str) -> str | NewToken | None:
    made = {"expired": at.expired, "revoked": at.revoked}
    if kind in made:
        return await made[kind]()
    if kind == "tampered":
        text = (await at.token(ADMIN)).text
        return text[:-1] + ("0" if text[-1] != "0" else "1")
    return None if kind == "anonymous" else "rlm_abcdefgh_nonsense"


async def test_every_route_says_who_may_use_it(at_home: Office) -> None:
    found = list(operations(at_home.desk.app))
    assert len(found) > 20
    assert [str(o) for o in found if o.need is None] == []


async def test_only_probes_and_signing_in_are_for_everybody(at_home: Office) -> None:
    for_everybody = {o.path for o in operations(at_home.desk.app) if o.need and o.need.permission is None}
    assert for_everybody == {
        "/livez",
        "/readyz",
        "/v1/me",
        "/v1/sign-in",
        "/v1/sign-in/callback",
        "/v1/sign-out",
    }


async def test_nothing_is_changed_with_the_permission_to_look(at_home: Office) -> None:
    lookers = {Permission.READ, Permission.AUDIT}
    looking = [o for o in operations(at_home.desk.app) if o.need and o.need.permission in lookers]
    assert {o.method for o in looking if not o.path.startswith(ASKS)} == {"GET"}


async def test_a_role_is_let_in_where_its_permissions_say_so(at_home: Office) -> None:
    made, wrong = await things(at_home), {}
    for number, (caller, grants) in enumerate(CALLERS.items()):
        token = await at_home.token(*grants, name=f"caller-{number}")
        for operation in guarded(at_home.desk.app):
            answer = await made.ask(at_home, operation, token)
            assert answer.status_code != 500, (operation, answer.text)
            if (answer.status_code not in REFUSED) is not operation.lets_in(grants):
                wrong[f"{caller}: {operation}"] = answer.status_code, answer.json().get("detail")
            elif answer.status_code in REFUSED:
                assert_problem(answer, 403, "forbidden")
    assert wrong == {}


async def test_whoever_nobody_knows_is_let_in_to_what_is_for_everybody_alone(at_home: Office) -> None:
    made = await things(at_home)
    for kind in STRANGERS:
        token = await stranger(at_home, kind)
        for operation in guarded(at_home.desk.app):
            answer = await made.ask(at_home, operation, token)
            assert_problem(answer, 401, "unauthenticated")
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for probe in ("/livez", "/readyz", "/openapi.json"):
            assert (await at_home.ask("GET", probe, token)).status_code == 200


@pytest.mark.parametrize(("place", "other"), [(HERE, ELSEWHERE), (ELSEWHERE, HERE)])
async def test_nothing_that_is_read_tells_of_a_scenario_that_one_may_not_read(
    at_home: Office, place: str, other: str
) -> None:
    made = await things(at_home)
    root = await at_home.token(ADMIN, name="root")
    elsewhere = await at_home.ask("POST", "/v1/goals", root, json={**GOAL, "scenario": ELSEWHERE})
    assert elsewhere.status_code == 201
    token = await at_home.token(Grant(role=Role.ADMIN, scenario=place))
    read = 0
    for operation in guarded(at_home.desk.app):
        if operation.method == "GET" or operation.path.startswith(EVALUATES):
            answer = await made.ask(at_home, operation, token)
            if answer.status_code == 200:
                read += 1
                assert other not in answer.text, operation
    assert read > 5


async def test_a_route_that_declares_nothing_is_shut_before_it_runs(at_home: Office) -> None:
    ran = []
    at_home.desk.app.add_api_route("/v1/forgotten", lambda: ran.append(1))
    answer = await at_home.ask("GET", "/v1/forgotten", await at_home.token(ADMIN))
    assert "declares no permission" in assert_problem(answer, 403, "forbidden")["detail"]
    assert ran == []


@pytest.mark.parametrize("where", [Where.LISTED, Where.IN_BODY])
async def test_a_route_that_forgets_to_ask_its_caller_answers_nothing_even_where_access_is_open(
    desk: Desk, where: Where
) -> None:
    router = APIRouter()
    router.add_api_route("/v1/forgetful", lambda: {"secret": 1}, dependencies=[needs(Permission.READ, where)])
    desk.app.include_router(router)
    assert_problem(await desk.client.get("/v1/forgetful"), 500, "internal_error")


async def test_what_is_not_there_is_not_told_from_what_one_may_not_see(at_home: Office) -> None:
    token = await at_home.token(Grant(role=Role.ADMIN, scenario=HERE))
    for path in ("/v1/goals/goal_none", "/v1/policies/pol_none", "/v1/tokens/aaaaaaaa"):
        assert (await at_home.ask("GET", path, token)).status_code == 404
    for path in ("/v1/audit/x", "/v1/activations/x", f"/v1/audit/{10**30}", f"/v1/activations/{10**30}"):
        assert 400 <= (await at_home.ask("GET", path, token)).status_code < 500


async def test_the_actor_is_who_shows_the_token_whatever_x_actor_says(at_home: Office) -> None:
    token = await at_home.token(ADMIN, name="ann")
    goal = await at_home.ask("POST", "/v1/goals", token, json=GOAL, headers={"X-Actor": "bob"})
    assert goal.json()["submitted_by"] == "ann"
    records = (await at_home.ask("GET", "/v1/audit", token)).json()["items"]
    assert "bob" not in {r["actor"] for r in records}


async def test_where_access_is_open_the_actor_is_who_x_actor_says(desk: Desk) -> None:
    goal = await desk.client.post("/v1/goals", json=GOAL, headers={"X-Actor": "bob", "Authorization": "Bearer x"})
    assert goal.json()["submitted_by"] == "bob"


async def test_what_is_wrong_is_told_to_those_who_may_read_something(at_home: Office) -> None:
    for caller, told in ((None, False), ("rlm_nonsense", False), (await at_home.token(ADMIN), True)):
        ready = await at_home.ask("GET", "/readyz", caller)
        assert ready.status_code == 200
        checks = ready.json()["checks"].values()
        assert {bool(c["detail"]) for c in checks} == {told}
        assert all(c["ok"] for c in checks)


async def test_the_page_on_access_says_what_each_route_takes(at_home: Office) -> None:
    page = (Path(__file__).parents[2] / "docs" / "access.md").read_text("utf-8")
    rows = {line for line in page.splitlines() if re.match(r"\| `[A-Z]+ /", line)}
    assert rows == {row(o) for o in operations(at_home.desk.app)}


async def test_a_refused_submission_is_on_record_under_the_name_of_the_token(at_home: Office) -> None:
    viewer = await at_home.token(Grant(role=Role.SUBMITTER, scenario=ELSEWHERE), name="stranger")
    refused = await at_home.ask("POST", "/v1/goals", viewer, json=GOAL)
    problem = assert_problem(refused, 403, "forbidden")
    assert problem["detail"] == "stranger may not submit in 'home_feed'"
    assert "submitter in 'home_feed'" in problem["hint"]
    records = (await at_home.ask("GET", "/v1/audit", await at_home.token(ADMIN))).json()["items"]
    assert [r["actor"] for r in records if r["action"] == "goal.refused"] == ["stranger"]
