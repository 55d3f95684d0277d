from __future__ import annotations

from collections.abc import Sequence

from tests.api.harness import EDITED, Desk

OTHER = {**EDITED, "click": 0.24, "gmv": 0.31}
UNITS = [f"user-{n}" for n in range(200)]


async def who_has(desk: Desk, policy_id: str, units: Sequence[str] = UNITS) -> set[str]:
    return {u for u in units if (await desk.weights(unit=u))["policy_id"] == policy_id}


async def test_a_share_of_the_users_gets_a_policy_and_keeps_it_as_the_share_grows(desk: Desk) -> None:
    base, trial = await desk.edit(), await desk.edit(weights=OTHER)
    await desk.activate(base["policy_id"])
    activation = (await desk.activate(trial["policy_id"], percent=20)).json()
    few = await who_has(desk, trial["policy_id"])
    assert 0 < len(few) < len(UNITS) / 2
    assert await who_has(desk, trial["policy_id"]) == few
    path = f"/v1/activations/{activation['sequence']}"
    await desk.client.patch(path, json={"percent": 60}, headers={"If-Match": '"1"'})
    more = await who_has(desk, trial["policy_id"])
    assert few < more
    assert await who_has(desk, base["policy_id"]) == set(UNITS) - more
    await desk.client.patch(path, json={"percent": 100}, headers={"If-Match": '"2"'})
    assert await who_has(desk, trial["policy_id"]) == set(UNITS)


async def test_without_a_unit_a_partial_rollout_doesnt_count(desk: Desk) -> None:
    trial = await desk.edit()
    await desk.activate(trial["policy_id"], percent=99)
    for unit in (None, ""):
        served = await desk.weights(unit=unit)
        assert (served["rule"], served["rollout"]) == ("default", None)


async def test_who_gets_a_partial_rollout_is_told_its_share(desk: Desk) -> None:
    trial = await desk.edit()
    sequence = (await desk.activate(trial["policy_id"], percent=50)).json()["sequence"]
    unit = min(await who_has(desk, trial["policy_id"], UNITS[:40]))
    served = await desk.weights(unit=unit)
    assert (served["rule"], served["rollout"]) == ("scenario", {"activation": sequence, "percent": 50.0})
    response = await desk.client.get("/v1/weights/home_feed", params={"unit": unit})
    again = await desk.client.get(
        "/v1/weights/home_feed", params={"unit": unit}, headers={"If-None-Match": response.headers["etag"]}
    )
    assert again.status_code == 304
