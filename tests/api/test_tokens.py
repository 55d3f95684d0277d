from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from reward_llm.domain.access import Grant, Role
from tests.api.callers import ADMIN, Office, office
from tests.api.harness import Desk, Setup, assert_problem

FEED_ADMIN = Grant(role=Role.ADMIN, scenario="home_feed")
NEW = {"name": "ci", "grants": [{"role": "viewer", "scenario": "home_feed"}], "reason": "nightly job"}


@pytest.fixture
async def at(setup: Setup) -> AsyncIterator[Office]:
    async with office(setup) as opened:
        yield opened


async def make(at: Office, by: Any, **changes: Any) -> httpx.Response:
    return await at.ask("POST", "/v1/tokens", by, json={**NEW, **changes})


async def test_a_token_is_shown_once_and_lets_in(at: Office) -> None:
    root = await at.token(ADMIN, name="root")
    made = await make(at, root)
    assert made.status_code == 201
    assert made.headers["cache-control"] == "no-store"
    body = made.json()
    assert (body["created_by"], body["state"], body["grants"]) == ("root", "live", NEW["grants"])
    assert (await at.ask("GET", "/v1/weights/home_feed", body["token"])).status_code == 200
    shown = (await at.ask("GET", made.headers["location"], root)).json()
    assert "token" not in shown
    assert shown["id"] == body["id"]


async def test_a_token_holds_for_90_days_unless_something_else_is_asked(at: Office) -> None:
    root = await at.token(ADMIN, name="root")
    made = (await make(at, root)).json()
    assert (made["created_at"][:10], made["expires_at"][:10]) == ("2026-06-18", "2026-09-16")
    shorter = (await make(at, root, name="week", days=7)).json()
    assert shorter["expires_at"][:10] == "2026-06-25"
    for days in (0, 366, -1, 1.5, "7"):
        assert_problem(await make(at, root, name="other", days=days), 422, "invalid_input")


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Ann"},
        {"name": "ann@example.org"},
        {"name": "vllm"},
        {"name": "anonymous"},
        {"name": ""},
        {"grants": []},
        {"grants": [{"role": "emperor"}]},
        {"grants": [{"role": "viewer", "scenario": "home_feed", "segment": "new_user"}]},
        {"grants": "admin"},
        {"grants": [{"role": "viewer"}] * 101},
        {"secret": "mine"},
    ],
    ids=str,
)
async def test_what_is_no_token_is_refused_and_on_record(at: Office, changes: dict[str, Any]) -> None:
    root = await at.token(ADMIN, name="root")
    assert_problem(await make(at, root, **changes), 422, "invalid_input")
    records = (await at.ask("GET", "/v1/audit", root)).json()["items"]
    assert (records[0]["action"], records[0]["actor"]) == ("token.refused", "root")


async def test_a_scenario_that_there_is_none_of_can_not_be_granted(at: Office) -> None:
    refused = await make(at, await at.token(ADMIN), grants=[{"role": "viewer", "scenario": "nowhere"}])
    assert_problem(refused, 404, "scenario_unknown")


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("scenario", [None, "video_feed"])
async def test_an_admin_of_one_scenario_grants_nothing_beyond_it(
    at: Office, role: Role, scenario: str | None
) -> None:
    local = await at.token(FEED_ADMIN, name="local")
    reaching = [{"role": "viewer", "scenario": "home_feed"}, {"role": role.value, "scenario": scenario}]
    assert_problem(await make(at, local, grants=reaching), 403, "forbidden")
    assert [t["name"] for t in (await at.ask("GET", "/v1/tokens", local)).json()["items"]] == ["local"]


async def test_an_admin_of_one_scenario_grants_every_role_in_it(at: Office) -> None:
    local = await at.token(FEED_ADMIN, name="local")
    for role in Role:
        made = await make(at, local, name=f"made-{role}", grants=[{"role": role.value, "scenario": "home_feed"}])
        assert made.status_code == 201
    second = (await make(at, local, name="second", grants=[{"role": "admin", "scenario": "home_feed"}])).json()
    further = await make(at, second["token"], name="third", grants=[{"role": "viewer"}])
    assert_problem(further, 403, "forbidden")


async def test_an_admin_of_one_scenario_sees_the_tokens_that_reach_into_it(at: Office) -> None:
    local = await at.token(FEED_ADMIN, name="local")
    root = await at.token(ADMIN, name="root")
    other = await at.token(Grant(role=Role.ADMIN, scenario="video_feed"), name="other")
    seen = (await at.ask("GET", "/v1/tokens", local)).json()["items"]
    assert [t["name"] for t in seen] == ["root", "local"]
    assert (await at.ask("GET", f"/v1/tokens/{root.token.id}", local)).status_code == 200
    assert_problem(await at.ask("GET", f"/v1/tokens/{other.token.id}", local), 404, "token_unknown")


async def test_an_admin_of_one_scenario_revokes_nothing_that_reaches_beyond_it(at: Office) -> None:
    local = await at.token(FEED_ADMIN, name="local")
    both = await at.token(FEED_ADMIN, Grant(role=Role.VIEWER, scenario="video_feed"), name="both")
    inside = await at.token(Grant(role=Role.EDITOR, scenario="home_feed"), name="inside")
    for token, status in ((both, 403), (inside, 200)):
        answer = await at.ask("POST", f"/v1/tokens/{token.token.id}/revocation", local)
        assert answer.status_code == status


async def test_a_revocation_is_on_record_with_its_reason_and_happens_once(at: Office) -> None:
    root, victim = await at.token(ADMIN, name="root"), await at.token(FEED_ADMIN, name="victim")
    path = f"/v1/tokens/{victim.token.id}/revocation"
    first = await at.ask("POST", path, root, json={"reason": "left the team"})
    assert first.json()["state"] == "revoked"
    again = await at.ask("POST", path, root)
    assert again.json() == first.json()
    records = (await at.ask("GET", "/v1/audit", root, params={"subject": victim.token.id})).json()["items"]
    assert [(r["action"], r["actor"]) for r in records] == [("token.revoked", "root"), ("token.created", "root")]
    assert "left the team" in json.dumps(records[0])


async def test_two_live_tokens_have_two_names(at: Office) -> None:
    root = await at.token(ADMIN, name="root")
    assert (await make(at, root)).status_code == 201
    problem = assert_problem(await make(at, root), 409, "token_name_taken")
    assert "Revoke" in problem["hint"]


async def test_ended_tokens_are_listed_if_they_are_asked_for(at: Office) -> None:
    root = await at.token(ADMIN, name="root")
    await at.expired()
    await at.revoked()
    assert [t["name"] for t in (await at.ask("GET", "/v1/tokens", root)).json()["items"]] == ["root"]
    everything = (await at.ask("GET", "/v1/tokens", root, params={"ended": "true"})).json()["items"]
    assert {t["name"]: t["state"] for t in everything} == {"root": "live", "over": "expired", "gone": "revoked"}


async def test_no_secret_is_in_the_audit_log_or_in_its_export(at: Office) -> None:
    root = await at.token(ADMIN, name="root")
    made = (await make(at, root)).json()
    secret = made["token"].rpartition("_")[2]
    for path in ("/v1/audit", "/v1/audit/export", "/v1/tokens", f"/v1/tokens/{made['id']}"):
        answer = await at.ask("GET", path, root)
        assert answer.status_code == 200
        assert secret not in answer.text
        assert '"hash": "' not in answer.text


async def test_tokens_can_be_made_before_they_are_asked_for(desk: Desk) -> None:
    made = await desk.client.post("/v1/tokens", json=NEW, headers={"X-Actor": "ann"})
    assert (made.status_code, made.json()["created_by"]) == (201, "ann")


async def test_the_description_says_what_each_operation_takes(desk: Desk) -> None:
    document = (await desk.client.get("/openapi.json")).json()
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    submit = document["paths"]["/v1/goals"]["post"]
    assert (submit["security"], submit["x-least-role"]) == ([{"token": []}], "submitter")
    assert {"401", "403"} <= set(submit["responses"])
    assert "security" not in document["paths"]["/livez"]["get"]


async def test_every_reference_in_the_description_leads_somewhere(desk: Desk) -> None:
    document = (await desk.client.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    for reference in _references(document):
        assert reference.removeprefix("#/components/schemas/") in schemas, reference


def _references(part: Any) -> list[str]:
    if isinstance(part, dict):
        own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
        return own + [r for value in part.values() for r in _references(value)]
    return [r for item in part for r in _references(item)] if isinstance(part, list) else []
