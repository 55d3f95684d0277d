from __future__ import annotations

import csv
import io
import sqlite3
from typing import Any

import pytest

from reward_llm.domain.act import Act
from reward_llm.domain.audit_verification import verify
from reward_llm.validation.audit_export import read_export
from tests.api.harness import EDITED, NOON, Desk, Setup, assert_problem


async def audit(desk: Desk, **query: str | int) -> list[dict[str, Any]]:
    response = await desk.client.get("/v1/audit", params=query)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


async def test_a_record_says_who_when_what_why_from_where_and_with_which_request(desk: Desk) -> None:
    sent = {"scenario": "home_feed", "weights": EDITED, "reason": "618大促"}
    response = await desk.client.post("/v1/policies", json=sent, headers={"X-Actor": "王芳".encode()})
    policy = response.json()
    (record,) = await audit(desk, subject=policy["policy_id"])
    assert (record["actor"], record["action"], record["reason"]) == ("王芳", "policy.edited", "618大促")
    assert (record["address"], record["request_id"]) == ("127.0.0.1", response.headers["x-request-id"])
    assert (record["scenario"], record["sequence"], record["position"]) == ("home_feed", 1, 1)
    assert record["at"].endswith("Z")
    (change,) = record["changes"]
    assert change["path"] == f"/policies/{policy['policy_id']}"
    assert change["before"] is None
    assert change["after"]["weights"] == EDITED
    assert record["details"] == {}


async def test_a_change_says_the_value_before_and_after(desk: Desk) -> None:
    goal = await desk.submit()
    settled = (await audit(desk, subject=goal["id"]))[0]
    changes = {c["path"]: (c["before"], c["after"]) for c in settled["changes"]}
    assert changes[f"/goals/{goal['id']}/state"] == ("received", "proposed")


async def test_a_record_has_an_address_of_its_own(desk: Desk) -> None:
    await desk.submit()
    for record in await audit(desk):
        assert (await desk.client.get(f"/v1/audit/{record['sequence']}")).json() == record
    assert_problem(await desk.client.get("/v1/audit/99"), 404, "audit_record_unknown")
    for nonsense in ("0", "-1", "x", str(2**63)):
        assert_problem(await desk.client.get(f"/v1/audit/{nonsense}"), 422, "invalid_input")


async def test_the_log_is_searched(desk: Desk) -> None:
    goal = await desk.submit()
    edited = await desk.client.post(
        "/v1/policies", json={"scenario": "home_feed", "weights": EDITED, "reason": "x"}, headers={"X-Actor": "li"}
    )
    await desk.client.post("/v1/goals", json={})
    middle = (await audit(desk, actor="li"))[0]
    found = {
        "actor": await audit(desk, actor="li"),
        "subject": await audit(desk, subject=goal["id"]),
        "action": await audit(desk, action="goal."),
        "request": await audit(desk, request_id=edited.headers["x-request-id"]),
        "scenario": await audit(desk, scenario="home_feed"),
        "none": await audit(desk, scenario="-"),
        "since": await audit(desk, since=middle["at"]),
        "until": await audit(desk, until=middle["at"]),
        "both": await audit(desk, action="goal.", scenario="home_feed"),
    }
    assert {k: [r["action"] for r in v] for k, v in found.items()} == {
        "actor": ["policy.edited"],
        "subject": ["goal.proposed", "goal.received"],
        "action": ["goal.refused", "goal.proposed", "goal.received"],
        "request": ["policy.edited"],
        "scenario": ["policy.edited", "goal.proposed", "goal.received"],
        "none": ["goal.refused"],
        "since": ["goal.refused", "policy.edited"],
        "until": ["goal.proposed", "goal.received"],
        "both": ["goal.proposed", "goal.received"],
    }


async def test_wildcards_of_the_database_are_letters(desk: Desk) -> None:
    await desk.submit()
    assert await audit(desk, action="goal_") == []
    assert await audit(desk, action="%") == []


@pytest.mark.parametrize("query", [{"since": "yesterday"}, {"since": "2026-06-18"}, {"limit": "0"}, {"cursor": "x"}])
async def test_a_search_that_makes_no_sense_is_refused(desk: Desk, query: dict[str, str]) -> None:
    assert_problem(await desk.client.get("/v1/audit", params=query), 422, "invalid_input")


async def test_pages_follow_each_other(desk: Desk) -> None:
    for _ in range(3):
        await desk.edit()
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await desk.client.get("/v1/audit", params={"limit": 2, **cursor})).json()
        seen += [r["sequence"] for r in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [3, 2, 1]


async def test_an_export_is_verified_without_the_service(desk: Desk) -> None:
    await desk.submit()
    await desk.edit()
    response = await desk.client.get("/v1/audit/export")
    assert response.headers["content-type"] == "application/jsonl"
    assert "audit.jsonl" in response.headers["content-disposition"]
    lines = response.content.splitlines(keepends=True)
    found = verify(read_export(lines))
    assert found.intact
    assert found.records == len(await audit(desk)) == 3
    verified = (await desk.client.get("/v1/audit/verification")).json()
    assert (verified["intact"], verified["compared"], verified["flaw"]) == (True, True, None)
    assert (verified["sequence"], verified["hash"]) == (3, found.head.hash)
    assert verified["chains"] == {"home_feed": {"position": 3, "hash": found.head.hash}}


async def test_a_part_is_exported_as_one(desk: Desk) -> None:
    for _ in range(4):
        await desk.edit()
    part = (await desk.client.get("/v1/audit/export", params={"from": 2, "to": 3})).content
    assert verify(read_export(part.splitlines(keepends=True)), first=2, last=3).intact
    for query in ({"from": 9}, {"from": 3, "to": 2}):
        assert (await desk.client.get("/v1/audit/export", params=query)).content == b""
    assert_problem(await desk.client.get("/v1/audit/export", params={"from": 0}), 422, "invalid_input")
    assert_problem(await desk.client.get("/v1/audit/export", params={"format": "xml"}), 422, "invalid_input")


async def test_a_long_log_is_exported_whole(desk: Desk) -> None:
    for number in range(205):
        await desk.store.record_refusal(Act(actor="ann", at=NOON), "goal.refused", {"number": number})
    for form in ("jsonl", "csv"):
        content = (await desk.client.get("/v1/audit/export", params={"format": form})).content
        assert len(content.splitlines()) == 205 + (form == "csv")


async def test_a_table_for_people_computes_nothing(desk: Desk) -> None:
    harmless, formulas = 'a,"b"\n=c', ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "＝1"]
    for reason in (harmless, *formulas):
        await desk.store.record_refusal(Act(actor="ann", at=NOON, reason=reason), "goal.refused", {})
    response = await desk.client.get("/v1/audit/export", params={"format": "csv"})
    assert response.headers["content-type"].startswith("text/csv")
    rows = [*csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline=""))]
    reasons = [r["reason"] for r in rows]
    assert reasons == [harmless, *(f"'{f}" for f in formulas)]
    assert rows[0]["at"].startswith(f"{NOON:%Y-%m-%dT%H:%M}")
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())


async def test_a_table_for_people_says_what_changed(desk: Desk) -> None:
    goal = await desk.submit()
    response = await desk.client.get("/v1/audit/export", params={"format": "csv"})
    rows = [*csv.DictReader(io.StringIO(response.content.decode("utf-8-sig"), newline=""))]
    assert f'/goals/{goal["id"]}/state: "received" -> "proposed"' in rows[1]["changes"]


async def test_a_log_that_was_touched_says_so(setup: Setup) -> None:
    async with setup.start() as desk:
        await desk.edit()
        await desk.edit()
        connection = sqlite3.connect(setup.path)
        connection.execute("DROP TRIGGER audit_refuses_UPDATE")
        connection.execute("UPDATE audit SET reason = 'none' WHERE sequence = 2")
        connection.commit()
        connection.close()
        found = (await desk.client.get("/v1/audit/verification")).json()
    assert (found["intact"], found["records"], found["sequence"]) == (False, 1, 1)
    assert (found["flaw"]["kind"], found["flaw"]["sequence"], found["flaw"]["scenario"]) == (
        "changed",
        2,
        "home_feed",
    )


async def test_without_the_store_the_log_is_away(setup: Setup) -> None:
    async with setup.start() as desk:
        await desk.edit()
        setup.take_the_store_away()
        for path in ("", "/1", "/verification", "/export"):
            assert_problem(await desk.client.get(f"/v1/audit{path}"), 503, "store_unavailable")
        setup.bring_the_store_back()
