"""Searches over HTTP; the searching process is a real one, over a problem whose answer is known."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from reward_llm.errors import StoreUnavailable
from reward_llm.loop.search.jobs import SearchJobs, SearchJobsConfig
from tests.api.harness import Desk, Setup, assert_problem
from tests.loop.search.scripted import DIES, WAITS

SEARCHES = "/v1/searches"
ONE = {
    "scenario": "home_feed",
    "objectives": ["ctr", "gmv"],
    "constraints": [{"metric": "variety", "least": 0.9, "relative": True}],
    "method": "random",
    "budget": 12,
    "finalists": 2,
    "final_evaluations": 8,
}


async def started(desk: Desk, **changes: Any) -> dict[str, Any]:
    response = await desk.client.post(SEARCHES, json={**ONE, **changes}, headers={"X-Actor": "ann"})
    assert response.status_code == 202, response.text
    study: dict[str, Any] = response.json()
    assert response.headers["location"] == f"{SEARCHES}/{study['id']}"
    return study


async def seen(desk: Desk, study: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await desk.client.get(f"{SEARCHES}/{study['id']}")).json()
    return found


async def over(desk: Desk, study: dict[str, Any]) -> dict[str, Any]:
    async with asyncio.timeout(240):
        while True:
            now = await seen(desk, study)
            if now["state"] not in {"queued", "running"}:
                return now
            await asyncio.sleep(0.05)


async def with_trials(desk: Desk, study: dict[str, Any], count: int) -> dict[str, Any]:
    async with asyncio.timeout(240):
        while True:
            now = await seen(desk, study)
            if len(now["trials"]) >= count:
                return now
            await asyncio.sleep(0.05)


async def act(desk: Desk, study: dict[str, Any], what: str, **sent: Any) -> Any:
    return await desk.client.post(f"{SEARCHES}/{study['id']}/{what}", json=sent, headers={"X-Actor": "bob"})


async def test_a_search_runs_beside_the_service_and_ends_with_finalists(desk: Desk) -> None:
    study = await started(desk)
    assert (study["state"], study["result"], study["created_by"]) == ("queued", None, "ann")
    assert study["progress"] == {"done": 0, "of": 1 + 12 + 8}
    ended = await over(desk, study)
    assert (ended["state"], ended["problem"], ended["progress"]) == ("done", None, {"done": 21, "of": 21})
    stages = [trial["stage"] for trial in ended["trials"]]
    assert stages == ["in_force", *["search"] * 12, *["final"] * 8]
    assert ended["trials"][0]["weights"] == ended["in_force"] == (await desk.weights())["weights"]
    result = ended["result"]
    by_number = {trial["number"]: trial for trial in ended["trials"]}
    assert result["chosen"] in {finalist["trial"] for finalist in result["finalists"]} <= set(by_number)
    assert result["finalists"][0]["weights"] == by_number[result["finalists"][0]["trial"]]["weights"]
    volumes = [point["hypervolume"] for point in result["hypervolume"]]
    assert volumes == sorted(volumes)
    assert result["hypervolume"][-1]["evaluations"] == 13
    assert await desk.actions() == ["study.done", "study.started", "study.created"]


async def test_the_same_search_finds_the_same(desk: Desk) -> None:
    first, second = [await over(desk, await started(desk, method="evolution", seed=5)) for _ in range(2)]
    assert first["id"] != second["id"]
    assert first["trials"] == second["trials"]
    assert first["result"] == second["result"]


async def test_a_key_that_comes_twice_starts_one_search(desk: Desk) -> None:
    headers = {"Idempotency-Key": "once"}
    made = [(await desk.client.post(SEARCHES, json=ONE, headers=headers)).json()["id"] for _ in range(2)]
    assert made[0] == made[1]
    assert len((await desk.client.get(SEARCHES)).json()["items"]) == 1
    other = await desk.client.post(SEARCHES, json={**ONE, "seed": 1}, headers=headers)
    assert_problem(other, 422, "idempotency_conflict")


async def test_a_cancelled_search_keeps_its_trials_and_goes_on_where_it_was(desk: Desk) -> None:
    whole = await over(desk, await started(desk, method="nsga2", seed=3))
    study = await started(desk, method="nsga2", seed=WAITS)
    await with_trials(desk, study, 3)
    assert_problem(await act(desk, study, "resumption"), 409, "search_busy")
    cancelled = (await act(desk, study, "cancellation")).json()
    assert (cancelled["state"], len(cancelled["trials"])) == ("cancelled", 3)
    resumed = await act(desk, study, "resumption")
    assert (resumed.status_code, resumed.json()["state"]) == (202, "queued")
    ended = await over(desk, study)
    assert (ended["state"], len(ended["trials"])) == ("done", len(whole["trials"]))
    assert ended["trials"][:3] == cancelled["trials"]
    assert [t["number"] for t in ended["trials"]] == list(range(1, 22))
    assert_problem(await act(desk, study, "resumption"), 409, "search_busy")
    assert (await act(desk, study, "cancellation")).json()["state"] == "done"
    actions = await desk.actions()
    assert actions[:5] == ["study.refused", "study.done", "study.started", "study.resumed", "study.cancelled"]


async def keyed(desk: Desk, study: dict[str, Any], what: str, key: str, **sent: Any) -> Any:
    headers = {"X-Actor": "bob", "Idempotency-Key": key}
    return await desk.client.post(f"{SEARCHES}/{study['id']}/{what}", json=sent, headers=headers)


async def test_the_same_key_cancels_and_resumes_once(desk: Desk) -> None:
    study, other = await started(desk, seed=WAITS), await started(desk, seed=WAITS + 1)
    await with_trials(desk, study, 3)
    cancelled = [await keyed(desk, study, "cancellation", "k1") for _ in range(2)]
    assert [(a.status_code, a.json()["state"]) for a in cancelled] == [(200, "cancelled")] * 2
    assert cancelled[0].json() == cancelled[1].json()
    resumed = [await keyed(desk, study, "resumption", "k2") for _ in range(2)]
    assert [a.status_code for a in resumed] == [202, 202]
    ended = await over(desk, study)
    assert (ended["state"], len(ended["trials"])) == ("done", 21)
    assert (await keyed(desk, study, "cancellation", "k1")).json() == ended, "as it is now"
    assert (await keyed(desk, study, "resumption", "k2")).json() == ended
    actions = await desk.actions()
    assert [actions.count(f"study.{done}") for done in ("cancelled", "resumed")] == [1, 1]
    assert_problem(await keyed(desk, study, "cancellation", "k1", reason="x"), 422, "idempotency_conflict")
    assert_problem(await keyed(desk, study, "resumption", "k2", reason="x"), 422, "idempotency_conflict")
    assert_problem(await keyed(desk, study, "resumption", "k1"), 422, "idempotency_conflict")
    assert_problem(await keyed(desk, other, "cancellation", "k1"), 422, "idempotency_conflict")
    assert_problem(await keyed(desk, other, "resumption", "k2"), 422, "idempotency_conflict")
    assert_problem(await keyed(desk, other, "cancellation", "k" * 201), 422, "invalid_input")


async def test_the_same_key_in_the_same_instant_resumes_once(desk: Desk) -> None:
    study = await started(desk, seed=WAITS)
    await with_trials(desk, study, 3)
    await act(desk, study, "cancellation")
    resumed = await asyncio.gather(*(keyed(desk, study, "resumption", "k1") for _ in range(4)))
    assert [a.status_code for a in resumed] == [202] * 4
    assert {a.json()["state"] for a in resumed} <= {"queued", "running"}
    ended = await over(desk, study)
    assert [t["number"] for t in ended["trials"]] == list(range(1, 22))
    assert (await desk.actions())[:5] == [
        "study.done",
        "study.started",
        "study.resumed",
        "study.cancelled",
        "study.started",
    ]


async def test_a_key_that_had_nothing_to_cancel_cancels_nothing_later(desk: Desk) -> None:
    study = await started(desk, seed=DIES)
    assert (await over(desk, study))["state"] == "failed"
    assert (await keyed(desk, study, "cancellation", "k1")).json()["state"] == "failed"
    await act(desk, study, "resumption")
    assert (await keyed(desk, study, "cancellation", "k1")).json()["state"] in {"queued", "running"}
    assert_problem(await keyed(desk, study, "cancellation", "k1", reason="x"), 422, "idempotency_conflict")
    assert (await over(desk, study))["state"] == "done"


async def test_a_restart_interrupts_a_search_which_then_is_gone_on_with(setup: Setup) -> None:
    async with setup.start() as desk:
        study = await started(desk, seed=WAITS)
        before = await with_trials(desk, study, 3)
    async with setup.start() as desk:
        found = await seen(desk, study)
        assert (found["state"], found["trials"]) == ("interrupted", before["trials"])
        await act(desk, study, "resumption")
        ended = await over(desk, study)
        assert (ended["state"], len(ended["trials"])) == ("done", 21)
        same = await over(desk, await started(desk, seed=WAITS + 1))
        assert same["trials"][0]["weights"] == ended["trials"][0]["weights"]


async def test_a_search_that_another_service_takes_over_is_left_to_it(setup: Setup) -> None:
    async with setup.start() as first, setup.start() as second:
        study = await started(first, seed=WAITS)
        await with_trials(first, study, 3)
        await act(second, study, "resumption")
        ended = await over(second, study)
        assert (ended["state"], len(ended["trials"])) == ("done", 21)
    async with setup.start() as desk:
        assert (await seen(desk, study))["state"] == "done"


async def test_who_leaves_a_search_to_another_service_leaves_it_when_closing_too(setup: Setup) -> None:
    async with setup.start() as second:
        async with setup.start() as first:
            study = await started(first, seed=WAITS)
            await with_trials(first, study, 3)
            busy = await started(second, seed=WAITS)
            await with_trials(second, busy, 3)
            assert (await act(second, study, "resumption")).json()["state"] == "queued"
        assert (await seen(second, study))["state"] == "queued"
        await act(second, busy, "cancellation")
        assert (await over(second, study))["state"] == "done"


async def test_a_search_that_the_database_stopped_is_interrupted_and_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("the database went away")

    with monkeypatch.context() as patch:
        patch.setattr(SearchJobs, "_keep", away)
        study = await started(desk)
        assert (await over(desk, study))["state"] == "interrupted"
    listed = (await desk.client.get(SEARCHES)).json()["items"]
    assert [(one["id"], one["state"]) for one in listed] == [(study["id"], "interrupted")]
    await act(desk, study, "resumption")
    assert (await over(desk, study))["state"] == "done"


async def test_a_process_that_dies_fails_its_search_and_no_other(desk: Desk) -> None:
    dies, lives = [await started(desk, seed=seed) for seed in (DIES, 0)]
    failed = await over(desk, dies)
    assert failed["problem"]["detail"] == "the searching process ended with code 3"
    assert (failed["state"], len(failed["trials"])) == ("failed", 3)
    assert (await over(desk, lives))["state"] == "done"
    await act(desk, dies, "resumption")
    assert (await over(desk, dies))["state"] == "done"


async def test_what_a_search_finds_is_proposed_and_never_activated(desk: Desk) -> None:
    study = await started(desk)
    assert_problem(await act(desk, study, "proposal"), 422, "search_invalid")
    ended = await over(desk, study)
    before = await desk.weights()
    response = await act(desk, study, "proposal")
    assert response.status_code == 201, response.text
    policy = response.json()
    chosen = next(f for f in ended["result"]["finalists"] if f["trial"] == ended["result"]["chosen"])
    assert (policy["source"], policy["origin"], policy["weights"]) == ("search", study["id"], chosen["weights"])
    assert policy["state"] == "draft"
    assert await desk.weights() | {"age_s": 0} == before | {"age_s": 0}
    found = await seen(desk, study)
    assert (found["state"], found["policy_id"]) == ("proposed", policy["policy_id"])
    assert (await desk.actions())[:2] == ["study.proposed", "policy.edited"]


async def test_another_finalist_may_be_proposed_and_nothing_else(desk: Desk) -> None:
    ended = await over(desk, await started(desk))
    other = next(f for f in ended["result"]["finalists"] if f["trial"] != ended["result"]["chosen"])
    policy = (await act(desk, ended, "proposal", trial=other["trial"], reason="safer")).json()
    assert policy["weights"] == other["weights"]
    problem = assert_problem(await act(desk, ended, "proposal", trial=1), 422, "search_invalid")
    assert "isn't a finalist" in problem["detail"]


async def test_a_key_that_comes_twice_proposes_once(desk: Desk) -> None:
    ended = await over(desk, await started(desk))
    headers = {"Idempotency-Key": "once"}
    path = f"{SEARCHES}/{ended['id']}/proposal"
    made = [(await desk.client.post(path, json={}, headers=headers)).json()["policy_id"] for _ in range(2)]
    assert made[0] == made[1]
    assert len((await desk.client.get("/v1/policies")).json()["items"]) == 1


async def test_a_proposal_that_was_cut_short_is_finished_by_the_same_key(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise StoreUnavailable("the database went away")

    ended = await over(desk, await started(desk))
    path, headers = f"{SEARCHES}/{ended['id']}/proposal", {"Idempotency-Key": "once"}
    with monkeypatch.context() as patch:
        patch.setattr(SearchJobs, "proposed", away)
        assert_problem(await desk.client.post(path, json={}, headers=headers), 503, "store_unavailable")
    made = (await desk.client.post(path, json={}, headers=headers)).json()
    found = await seen(desk, ended)
    assert (found["state"], found["policy_id"]) == ("proposed", made["policy_id"])
    assert len((await desk.client.get("/v1/policies")).json()["items"]) == 1


async def test_what_keeps_to_no_constraint_is_not_proposed(desk: Desk) -> None:
    ended = await over(desk, await started(desk, constraints=[{"metric": "variety", "least": 5.0}]))
    assert ended["result"]["chosen"] is None
    problem = assert_problem(await act(desk, ended, "proposal"), 422, "search_invalid")
    assert "keeps to the constraints" in problem["detail"]


async def test_a_policy_that_is_in_force_by_now_may_close_the_gate(desk: Desk) -> None:
    ended = await over(desk, await started(desk, constraints=[], budget=20))
    for far in (
        {"click": 0.05, "gmv": 0.1, "satisfaction": 0.15, "retention": 0.15}
        | {"diversity": 0.25, "cold_start": 0.25, "group_order": 0.05},
        {"click": 0.05, "gmv": 0.05, "satisfaction": 0.03, "retention": 0.135}
        | {"diversity": 0.4, "cold_start": 0.3, "group_order": 0.035},
    ):
        policy = await desk.edit(weights=far)
        await desk.approve(policy)
        await desk.activate(policy["policy_id"])
    assert (await desk.weights())["policy_id"] == policy["policy_id"]
    chosen = next(f for f in ended["result"]["finalists"] if f["trial"] == ended["result"]["chosen"])
    distance = sum(abs(far[name] - weight) for name, weight in chosen["weights"].items())
    assert distance > 0.7
    assert_problem(await act(desk, ended, "proposal"), 422, "gate_refused")


@pytest.mark.parametrize(
    ("changes", "status", "code", "path"),
    [
        ({"scenario": "home_fed"}, 404, "scenario_unknown", None),
        ({"segment": "old"}, 404, "segment_unknown", None),
        ({"objectives": []}, 422, "invalid_input", "objectives"),
        ({"objectives": ["ctr"] * 4}, 422, "invalid_input", "objectives"),
        ({"objectives": ["ctr", "ctr"]}, 422, "search_invalid", "objectives"),
        ({"method": "oracle"}, 422, "invalid_input", "method"),
        ({"budget": 0}, 422, "invalid_input", "budget"),
        ({"prefer": "variety"}, 422, "search_invalid", "prefer"),
        ({"final_evaluations": 5}, 422, "search_invalid", "final_evaluations"),
        ({"evaluator": {"kind": "oracle"}}, 422, "invalid_input", "evaluator/kind"),
    ],
)
async def test_what_cant_be_searched_is_refused(
    desk: Desk, changes: dict[str, Any], status: int, code: str, path: str | None
) -> None:
    problem = assert_problem(await desk.client.post(SEARCHES, json={**ONE, **changes}), status, code)
    assert path is None or problem["violations"][0]["path"] == path
    assert (await desk.client.get(SEARCHES)).json()["items"] == []


async def test_a_metric_that_nobody_measures_fails_the_search_with_what_there_is(desk: Desk) -> None:
    failed = await over(desk, await started(desk, objectives=["profit"]))
    assert (failed["state"], failed["problem"]["code"]) == ("failed", "search_invalid")
    assert "ctr, gmv, variety" in failed["problem"]["hint"]


async def test_searches_are_listed_newest_first_without_their_trials(desk: Desk) -> None:
    made = [await over(desk, await started(desk, seed=seed)) for seed in range(3)]
    first = (await desk.client.get(SEARCHES, params={"limit": 2})).json()
    assert [study["id"] for study in first["items"]] == [made[2]["id"], made[1]["id"]]
    assert first["items"][0]["progress"] == {"done": 21, "of": 21}
    assert "trials" not in first["items"][0]
    rest = (await desk.client.get(SEARCHES, params={"cursor": first["next_cursor"]})).json()
    assert ([study["id"] for study in rest["items"]], rest["next_cursor"]) == ([made[0]["id"]], None)
    assert (await desk.client.get(SEARCHES, params={"scenario": "video_feed"})).json()["items"] == []
    assert_problem(await desk.client.get(f"{SEARCHES}/std_none"), 404, "loop_record_unknown")


async def test_no_more_searches_wait_than_may(desk: Desk) -> None:
    await with_trials(desk, await started(desk, seed=WAITS), 1)
    for _ in range(SearchJobsConfig().most_waiting):
        await started(desk)
    busy = await desk.client.post(SEARCHES, json=ONE)
    assert_problem(busy, 409, "search_busy")


async def test_no_more_searches_wait_than_may_if_all_come_in_the_same_instant(desk: Desk) -> None:
    await with_trials(desk, await started(desk, seed=WAITS), 1)
    most = SearchJobsConfig().most_waiting
    asked = (desk.client.post(SEARCHES, json={**ONE, "seed": seed}) for seed in range(most + 4))
    answers = await asyncio.gather(*asked)
    assert sorted(a.status_code for a in answers) == [202] * most + [409] * 4


async def test_a_key_finds_its_search_where_no_other_may_wait(desk: Desk) -> None:
    await with_trials(desk, await started(desk, seed=WAITS), 1)
    headers = {"Idempotency-Key": "once"}
    for _ in range(SearchJobsConfig().most_waiting - 1):
        await started(desk)
    first, second = [await desk.client.post(SEARCHES, json=ONE, headers=headers) for _ in range(2)]
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] == second.json()["id"]


async def test_what_is_answered_is_what_is_described(desk: Desk) -> None:
    done = await over(desk, await started(desk))
    registry = Registry().with_resource("urn:openapi", DRAFT202012.create_resource(desk.app.openapi()))
    listed = (await desk.client.get(SEARCHES)).json()
    for name, answer in (("SearchWire", done), ("Listing_SearchSummaryWire_", listed)):
        schema = {"$ref": f"urn:openapi#/components/schemas/{name}"}
        Draft202012Validator(schema, registry=registry).validate(answer)
