from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from reward_llm.domain.access import Grant, Role
from reward_llm.domain.review_rules import RaisedRule, ReviewRules
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.source import Source
from tests.api.callers import ADMIN, office
from tests.api.harness import EDIT, EDITED, SCENARIOS, Desk, Setup, assert_problem
from tests.strategies import HOME_FEED

ONE_APPROVAL = ReviewRules(approvals=1)


def ruled(rules: ReviewRules) -> Mapping[str, Scenario]:
    return SCENARIOS | {"home_feed": replace(HOME_FEED, review=rules)}


@pytest.fixture
async def strict(setup: Setup) -> AsyncIterator[Desk]:
    """An application where every change needs somebody else's approval."""
    async with setup.start(scenarios=ruled(ONE_APPROVAL)) as desk:
        yield desk


async def post(desk: Desk, policy: Mapping[str, Any], name: str, by: str = "wang", **body: Any) -> Any:
    path = f"/v1/policies/{policy['policy_id']}/{name}"
    return await desk.client.post(path, json=body, headers={"X-Actor": by})


async def stands(desk: Desk, policy: Mapping[str, Any]) -> dict[str, Any]:
    body: dict[str, Any] = (await desk.client.get(f"/v1/policies/{policy['policy_id']}")).json()
    return body


async def test_a_policy_goes_from_draft_through_review_into_force(strict: Desk) -> None:
    policy = await strict.edit()
    assert (policy["state"], policy["author"]) == ("draft", "anonymous")
    required = {"approvals": 1, "given": 0, "self_approval": False, "reasons": ["every change needs it"]}
    assert policy["requirement"] == required
    asked = await post(strict, policy, "review-request", comment="please look")
    assert (asked.status_code, asked.json()["state"]) == (200, "in_review")
    approved = (await strict.approve(policy)).json()
    assert (approved["state"], approved["requirement"]["given"]) == ("approved", 1)
    (decision,) = approved["decisions"]
    assert (decision["decision"], decision["by"], decision["comment"]) == ("approve", "li", "looked at it")
    assert (await strict.activate(policy["policy_id"])).status_code == 200
    active = await stands(strict, policy)
    assert (active["state"], [a["state"] for a in active["activations"]]) == ("active", ["running"])
    done = ["policy.activated", "policy.approved", "policy.review_requested", "policy.edited"]
    assert (await strict.actions())[:4] == done


async def test_what_lacks_approvals_isnt_put_into_force(strict: Desk) -> None:
    policy = await strict.edit()
    problem = assert_problem(await strict.activate(policy["policy_id"]), 409, "approvals_missing")
    assert "1 of 1 approvals are missing" in problem["detail"]
    assert (await strict.weights())["rule"] == "default"
    assert (await strict.actions())[0] == "activation.refused"


async def test_approvals_dont_carry_over_to_a_new_version(strict: Desk) -> None:
    first = await strict.edit()
    await strict.approve(first)
    second = await strict.edit(weights={**EDITED, "gmv": 0.29, "click": 0.26})
    assert (second["state"], second["requirement"]["given"]) == ("draft", 0)
    assert_problem(await strict.activate(second["policy_id"]), 409, "approvals_missing")
    mismatch = await strict.decide(second, "approve", "li", content_hash=first["content_hash"])
    assert_problem(mismatch, 409, "content_hash_mismatch")
    assert (await stands(strict, second))["decisions"] == []


async def test_an_authors_own_approval_counts_only_where_the_rules_say_so(setup: Setup) -> None:
    async with setup.start(scenarios=ruled(ONE_APPROVAL)) as desk:
        policy = await desk.edit()
        assert_problem(await desk.approve(policy, by="anonymous"), 409, "self_approval_forbidden")
    async with setup.start(scenarios=ruled(ReviewRules(approvals=1, self_approval=True))) as desk:
        approved = (await desk.approve(policy, by="anonymous")).json()
        assert (approved["state"], approved["requirement"]["self_approval"]) == ("approved", True)
        assert (await desk.activate(policy["policy_id"])).status_code == 200


async def test_two_approvals_are_two_people(setup: Setup) -> None:
    async with setup.start(scenarios=ruled(ReviewRules(approvals=2))) as desk:
        policy = await desk.edit()
        for by, given in (("li", 1), ("li", 1), ("zhao", 2)):
            approved = (await desk.approve(policy, by=by)).json()
            assert approved["requirement"]["given"] == given
        assert {d["by"] for d in approved["decisions"]} == {"li", "zhao"}
        assert (await desk.activate(policy["policy_id"])).status_code == 200


async def test_a_rejection_is_for_good(strict: Desk) -> None:
    policy = await strict.edit()
    await strict.approve(policy)
    rejected = await strict.decide(policy, "reject", "zhao")
    assert rejected.json()["state"] == "rejected"
    assert_problem(await strict.approve(policy, by="zhao"), 409, "policy_rejected")
    problem = assert_problem(await strict.activate(policy["policy_id"]), 409, "policy_rejected")
    assert "new version" in problem["hint"]
    assert_problem(await post(strict, policy, "review-request"), 409, "policy_rejected")


async def test_whats_in_force_isnt_rejected_or_withdrawn(strict: Desk) -> None:
    policy = await strict.edit()
    await strict.approve(policy)
    await strict.activate(policy["policy_id"])
    assert_problem(await strict.decide(policy, "reject", "zhao"), 409, "policy_in_force")
    assert_problem(await post(strict, policy, "withdrawal", reason="typo"), 409, "policy_in_force")


async def test_a_policy_that_was_taken_back_stays_out(strict: Desk) -> None:
    policy = await strict.edit()
    assert (await post(strict, policy, "withdrawal", reason="typo")).json()["state"] == "withdrawn"
    assert_problem(await strict.approve(policy), 409, "policy_withdrawn")
    assert_problem(await strict.activate(policy["policy_id"]), 409, "policy_withdrawn")


@pytest.mark.parametrize(
    ("name", "body", "path"),
    [
        ("review", {"decision": "approve"}, "content_hash"),
        ("review", {"decision": "maybe", "content_hash": "x"}, "decision"),
        ("review", {"decision": "reject", "content_hash": "x", "comment": " "}, "comment"),
        ("review", {"decision": "approve", "content_hash": "x", "comment": "x" * 1_001}, "comment"),
        ("review-request", {"comment": 3}, "comment"),
        ("withdrawal", {}, "reason"),
        ("withdrawal", {"reason": "\x00"}, "reason"),
    ],
)
async def test_a_decision_that_says_too_little_is_refused(
    strict: Desk, name: str, body: dict[str, Any], path: str
) -> None:
    problem = assert_problem(await post(strict, await strict.edit(), name, **body), 422, "invalid_input")
    assert problem["violations"][0]["path"] == path
    refused = {"review": "review", "review-request": "review_request", "withdrawal": "withdrawal"}[name]
    assert (await strict.actions())[0] == f"{refused}.refused"


async def test_a_decision_is_made_once(strict: Desk) -> None:
    policy = await strict.edit()
    path = f"/v1/policies/{policy['policy_id']}/review"
    sent = {"decision": "approve", "content_hash": policy["content_hash"]}
    keyed = {"Idempotency-Key": "once", "X-Actor": "li"}
    first, second = [await strict.client.post(path, json=sent, headers=keyed) for _ in range(2)]
    assert first.json() == second.json()
    assert (await strict.actions()).count("policy.approved") == 1


async def test_a_rule_raises_the_bar_for_the_change_that_it_fits(setup: Setup) -> None:
    rules = ReviewRules(
        raised=(
            RaisedRule(lowers=("diversity",), approvals=1),
            RaisedRule(sources=(Source.HUMAN,), step_over=0.3, approvals=2),
        )
    )
    async with setup.start(scenarios=ruled(rules)) as desk:
        small = await desk.edit(weights={**dict(HOME_FEED.defaults), "click": 0.24, "gmv": 0.21})
        lowering, large = await desk.edit(), await desk.edit(weights={**EDITED, "click": 0.1, "gmv": 0.45})
        needed = [p["requirement"]["approvals"] for p in (small, lowering, large)]
        assert needed == [0, 1, 2]
        assert lowering["requirement"]["reasons"] == ["it lowers diversity"]
        assert (await desk.activate(small["policy_id"])).status_code == 200


async def test_a_goals_answer_says_how_far_its_policy_is_and_what_it_needs(strict: Desk) -> None:
    goal = await strict.submit()
    assert (goal["proposal"]["policy_state"], goal["proposal"]["requirement"]["approvals"]) == ("draft", 1)
    await strict.approve(goal["proposal"])
    (listed,) = (await strict.client.get("/v1/goals")).json()["items"]
    assert (listed["proposal"]["policy_state"], listed["proposal"]["requirement"]["given"]) == ("approved", 1)
    policy = await stands(strict, goal["proposal"])
    assert (policy["author"], policy["origin"]) == ("anonymous", goal["id"])


async def test_only_the_author_or_an_administrator_takes_a_policy_back(setup: Setup) -> None:
    async with office(setup) as at:
        wang, li = [await at.token(Grant(role=Role.EDITOR), name=n) for n in ("wang", "li")]
        root = await at.token(ADMIN, name="root")
        for author, token, status in ((wang, li, 409), (wang, wang, 200), (li, root, 200)):
            policy = (await at.ask("POST", "/v1/policies", author, json=EDIT)).json()
            path = f"/v1/policies/{policy['policy_id']}/withdrawal"
            response = await at.ask("POST", path, token, json={"reason": "typo"})
            assert response.status_code == status, response.text
            if status == 409:
                assert_problem(response, 409, "not_the_author")


async def test_the_defaults_are_nobodys_to_decide_on(desk: Desk) -> None:
    served = await desk.weights()
    defaults = await stands(desk, served)
    assert (defaults["state"], defaults["author"], defaults["requirement"]) == (None, None, None)
    assert_problem(await desk.decide(defaults, "approve", "li"), 404, "policy_unknown")


async def test_an_edit_after_a_policy_that_isnt_the_newest_shows_what_is(desk: Desk) -> None:
    first = await desk.edit()
    other = {**EDITED, "click": 0.24, "gmv": 0.31}
    path, condition = "/v1/policies", {"If-Match": f'"{first["content_hash"]}"'}
    sent = {"scenario": "home_feed", "weights": other, "reason": "mine"}
    second = await desk.client.post(path, json=sent, headers=condition)
    assert (second.status_code, second.headers["etag"]) == (201, f'"{second.json()["content_hash"]}"')
    late = await desk.client.post(path, json={**sent, "weights": EDITED}, headers=condition)
    problem = assert_problem(late, 412, "precondition_failed")
    assert problem["current"]["policy_id"] == second.json()["policy_id"]
    assert problem["differences"] == [
        {"path": "weights/click", "yours": 0.25, "current": 0.24},
        {"path": "weights/gmv", "yours": 0.3, "current": 0.31},
    ]
    assert len((await desk.client.get(path)).json()["items"]) == 2
    assert (await desk.actions())[0] == "policy.refused"


async def test_of_edits_after_one_policy_at_once_one_is_made(desk: Desk) -> None:
    first = await desk.edit()
    condition = {"If-Match": f'"{first["content_hash"]}"'}
    answers = await asyncio.gather(
        *(desk.client.post("/v1/policies", json={**EDIT, "reason": r}, headers=condition) for r in ("a", "b", "c"))
    )
    assert sorted(r.status_code for r in answers) == [201, 412, 412]
    assert len((await desk.client.get("/v1/policies")).json()["items"]) == 2


async def test_an_edit_after_nothing_needs_something_to_be_there(desk: Desk) -> None:
    sent = {"scenario": "home_feed", "weights": EDITED, "reason": "mine"}
    response = await desk.client.post("/v1/policies", json=sent, headers={"If-Match": "*"})
    problem = assert_problem(response, 412, "precondition_failed")
    assert "current" not in problem
    weak = await desk.client.post("/v1/policies", json=sent, headers={"If-Match": "nonsense"})
    assert assert_problem(weak, 422, "invalid_input")["violations"][0]["path"] == "If-Match"
