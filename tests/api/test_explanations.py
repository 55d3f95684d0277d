from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.api.harness import EDITED, Desk, assert_problem

OTHER = {**EDITED, "click": 0.24, "gmv": 0.31}
UNITS = [f"user-{n}" for n in range(40)]


async def explained(desk: Desk, segment: str = "-", **query: Any) -> dict[str, Any]:
    response = await desk.client.get(f"/v1/scopes/home_feed/{segment}/explanation", params=query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def in_force(desk: Desk, *, percent: float = 100, **changes: Any) -> dict[str, Any]:
    response = await desk.activate((await desk.edit(**changes))["policy_id"], percent=percent)
    assert response.status_code == 200, response.text
    desk.clock.advance(60)
    made: dict[str, Any] = response.json()
    return made


def outcomes(explanation: dict[str, Any]) -> list[tuple[int, str]]:
    return [(s["activation"]["sequence"], s["outcome"]) for s in explanation["steps"]]


async def test_what_was_served_then_is_what_is_explained_now(desk: Desk) -> None:
    """Through edits, shares that change both ways, a freeze and a rollback."""
    seen: list[tuple[datetime, str | None, str, str, str]] = []

    async def look() -> None:
        desk.clock.advance(60)
        for segment in (None, "new_user"):
            for unit in (*UNITS[:3], ""):
                served = await desk.weights(segment, unit)
                seen.append((desk.clock.now, segment, unit, served["policy_id"], served["rule"]))
        desk.clock.advance(60)

    async def change(sequence: int, revision: int, **terms: Any) -> None:
        path, tag = f"/v1/activations/{sequence}", {"If-Match": f'"{revision}"'}
        response = await desk.client.patch(path, json=terms, headers=tag)
        assert response.status_code == 200, response.text

    async def post(path: str, **body: Any) -> None:
        response = await desk.client.post(f"/v1/scopes/home_feed/{path}", json={"reason": "why not", **body})
        assert response.status_code == 200, response.text

    await look()
    await in_force(desk)
    canary = (await in_force(desk, percent=50, weights=OTHER))["sequence"]
    await look()
    await change(canary, 1, percent=90)
    await look()
    await change(canary, 2, percent=5)
    own = (await in_force(desk, percent=30, segment="new_user"))["sequence"]
    await look()
    await post("new_user/freeze", frozen=True)
    await look()
    await post("new_user/freeze", frozen=False)
    await change(own, 1, percent=100, until="2026-06-19T00:00:00Z")
    await look()
    await post("-/rollback")
    await look()
    assert len({policy for *_, policy, _ in seen}) == 5
    for moment, segment, unit, policy, rule in seen:
        found = await explained(desk, segment or "-", at=moment.isoformat(), **({"unit": unit} if unit else {}))
        assert (found["policy"]["policy_id"], found["rule"]) == (policy, rule), (moment, segment, unit)


async def test_an_explanation_says_what_became_of_each_activation(desk: Desk) -> None:
    below, base = (await in_force(desk))["sequence"], (await in_force(desk))["sequence"]
    canary = await in_force(desk, percent=50, segment="new_user", weights=OTHER)
    places = {u: (await explained(desk, "new_user", unit=u))["steps"][0]["bucket"] for u in UNITS}
    inside, outside = min(places, key=lambda u: places[u]), max(places, key=lambda u: places[u])
    found = await explained(desk, "new_user", unit=inside)
    assert outcomes(found) == [(canary["sequence"], "serves"), (base, "below"), (below, "below")]
    assert found["serving"] == canary
    assert [s["rule"] for s in found["steps"]] == ["segment", "scenario", "scenario"]
    found = await explained(desk, "new_user", unit=outside)
    assert outcomes(found) == [(canary["sequence"], "not_for_unit"), (base, "serves"), (below, "below")]
    assert (found["rule"], found["unit"], found["steps"][1]["bucket"]) == ("scenario", outside, None)
    assert places[inside] < 50 <= places[outside]
    everybody = await explained(desk, "new_user")
    assert (everybody["unit"], everybody["steps"][0]["bucket"]) == (None, None)
    assert everybody["policy"]["policy_id"] == found["policy"]["policy_id"]


async def test_a_freeze_is_the_reason_while_it_lasts(desk: Desk) -> None:
    made = await in_force(desk)
    freeze = {"frozen": True, "reason": "numbers look wrong"}
    await desk.client.post("/v1/scopes/home_feed/-/freeze", json=freeze, headers={"X-Actor": "li"})
    found = await explained(desk, "new_user")
    assert (found["rule"], found["serving"], found["policy"]["version"]) == ("frozen", None, 0)
    assert outcomes(found) == [(made["sequence"], "frozen")]
    assert [(f["by"], f["reason"]) for f in found["frozen_by"]] == [("li", "numbers look wrong")]


async def test_what_is_to_come_is_explained_by_what_is_known(desk: Desk) -> None:
    policy = await desk.edit()
    await desk.activate(policy["policy_id"], **{"from": "2026-06-20T00:00:00Z", "until": "2026-06-21T00:00:00Z"})
    days = [(await explained(desk, at=f"2026-06-{day}T12:00:00Z"))["rule"] for day in (19, 20, 21)]
    assert days == ["default", "scenario", "default"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("home_fed/-/explanation", 404, "scenario_unknown"),
        ("home_feed/vip/explanation", 404, "segment_unknown"),
        ("home_feed/-/explanation?at=yesterday", 422, "invalid_input"),
        ("home_feed/-/explanation?at=2026-06-18T12:00:00", 422, "invalid_input"),
    ],
)
async def test_what_cannot_be_explained_is_refused(desk: Desk, path: str, status: int, code: str) -> None:
    assert_problem(await desk.client.get(f"/v1/scopes/{path}"), status, code)
