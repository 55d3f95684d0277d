"""`POST /v1/policies/weighing`: the weights that a reading asks for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.harness import EDITED, Desk, assert_problem
from tests.strategies import HOME_FEED

PATH = "/v1/policies/weighing"
RAISE_GMV = {"utility": "gmv", "direction": "raise", "emphasis": "clear"}


async def weighed(desk: Desk, *intents: dict[str, str], **scope: str) -> dict[str, Any]:
    response = await desk.client.post(PATH, json={"scenario": "home_feed", "intents": list(intents), **scope})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


async def test_a_reading_is_weighed_as_the_goal_was(desk: Desk) -> None:
    goal = await desk.submit()
    found = await weighed(desk, RAISE_GMV)
    assert found["weights"] == goal["proposal"]["weights"]
    assert found["now"] == goal["proposal"]["previous_weights"] == dict(HOME_FEED.defaults)
    assert found["step"] == pytest.approx(sum(abs(found["weights"][u] - w) for u, w in found["now"].items()))
    assert (found["gate"], found["requirement"]["approvals"]) == ([], 0)


async def test_the_weights_pass_the_gate_as_a_persons_edit(desk: Desk) -> None:
    found = await weighed(desk, {**RAISE_GMV, "emphasis": "dominant"}, {"utility": "click", "direction": "lower"})
    policy = await desk.edit(weights=found["weights"])
    assert policy["weights"] == found["weights"]
    assert policy["requirement"]["approvals"] == found["requirement"]["approvals"]
    assert policy["requirement"]["reasons"] == found["requirement"]["reasons"]


async def test_a_reading_is_weighed_against_what_is_in_force_in_its_scope(desk: Desk) -> None:
    policy = await desk.edit(segment="new_user")
    assert (await desk.activate(policy["policy_id"])).is_success
    found = await weighed(desk, segment="new_user")
    assert (found["policy_id"], found["now"], found["weights"]) == (policy["policy_id"], EDITED, EDITED)
    assert found["step"] == 0
    assert (await weighed(desk))["now"] == dict(HOME_FEED.defaults)


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"scenario": "home_fed", "intents": []}, 404, "scenario_unknown"),
        ({"scenario": "home_feed", "segment": "nobody", "intents": []}, 404, "segment_unknown"),
        ({"scenario": "home_feed", "intents": [{**RAISE_GMV, "utility": "gvm"}]}, 422, "invalid_input"),
        ({"scenario": "home_feed", "intents": [RAISE_GMV, RAISE_GMV]}, 422, "invalid_input"),
        ({"scenario": "home_feed", "intents": [{**RAISE_GMV, "direction": "up"}]}, 422, "invalid_input"),
        ({"scenario": "home_feed"}, 422, "invalid_input"),
    ],
)
async def test_what_cant_be_weighed_is_refused(desk: Desk, sent: dict[str, Any], status: int, code: str) -> None:
    assert_problem(await desk.client.post(PATH, json=sent), status, code)
    assert await desk.actions() == []
