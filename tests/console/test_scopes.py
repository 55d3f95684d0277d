from __future__ import annotations

import pytest

from tests.console.harness import Browser, Console, Page
from tests.console.test_policies import OTHER, WHOLE, in_force

NEW_USER = "/policies/scopes/home_feed/new_user"


async def changing(browser: Browser, sequence: int) -> Page:
    return await browser.see(WHOLE, change=str(sequence))


async def test_a_scope_shows_what_holds_and_what_is_to_come(console: Console) -> None:
    first, second = await in_force(console.desk), await in_force(console.desk, weights=OTHER)
    later = await console.desk.edit()
    await console.desk.activate(later["policy_id"], **{"from": "2026-06-20T00:00:00Z"})
    page = await (await console.browser()).see(WHOLE)
    assert page.status == 200
    assert "by the whole scenario's activation" in page.text
    assert page.text.index("To come") < page.text.index(later["policy_id"][:12], page.text.index("To come"))
    for policy in (first, second, later):
        assert f"/policies/{policy['policy_id']}" in page.links
    below = await (await console.browser()).see(NEW_USER)
    assert "Below them, of the whole scenario" in below.text
    assert f"{NEW_USER}/rollback" not in below.links


async def test_a_rollback_says_what_it_will_do_and_does_it(console: Console) -> None:
    first, second = await in_force(console.desk), await in_force(console.desk, weights=OTHER)
    li = await console.browser("li")
    page = await li.see(f"{WHOLE}/rollback")
    assert f"{first['policy_id'][:12]} version 1 , which is in force below." in page.text
    page = await li.send(page, f"{WHOLE}/rollback", reason="Complaints doubled.")
    assert "The rollback is done." in page.text
    assert (await console.desk.weights())["policy_id"] == first["policy_id"]
    page = await li.see(f"{WHOLE}/rollback")
    assert "The scenario's defaults, because nothing else is in force below." in page.text
    page = await li.send(page, f"{WHOLE}/rollback", reason="No.", to_policy=second["policy_id"])
    assert (await console.desk.weights())["policy_id"] == second["policy_id"]


async def test_of_two_who_roll_back_at_once_the_second_is_told_what_holds_now(console: Console) -> None:
    await in_force(console.desk)
    first, _ = await in_force(console.desk), await in_force(console.desk, weights=OTHER)
    li, wang = await console.browser("li"), await console.browser("wang")
    seen = await wang.see(f"{WHOLE}/rollback")
    await li.send(await li.see(f"{WHOLE}/rollback"), f"{WHOLE}/rollback", reason="Complaints.")
    page = await wang.send(seen, f"{WHOLE}/rollback", reason="Complaints, too.")
    assert page.status == 409
    assert ("reason", "Complaints, too.") in page.form(f"{WHOLE}/rollback").fields
    assert (await console.desk.weights())["policy_id"] == first["policy_id"]


async def test_without_anything_in_force_there_is_nothing_to_roll_back(console: Console) -> None:
    page = await (await console.browser()).see(f"{NEW_USER}/rollback")
    assert "There is nothing to roll back here" in page.text
    assert WHOLE in page.links


async def test_freezing_says_what_will_happen_and_unfreezing_what_returns(console: Console) -> None:
    policy = await in_force(console.desk)
    later = await console.desk.edit(weights=OTHER)
    await console.desk.activate(later["policy_id"], **{"from": "2026-06-20T00:00:00Z"})
    li = await console.browser("li")
    page = await li.see(f"{WHOLE}/freeze")
    for said in (
        "everybody in home_feed gets the defaults of home_feed",
        "All its 2 segments do too.",
        "One activation that is in force is set aside",
        "One that is scheduled will not be served",
        "Nothing can be activated there until somebody unfreezes it.",
    ):
        assert said in page.text
    page = await li.send(page, f"{WHOLE}/freeze", reason="Numbers look wrong.")
    assert "The scope is frozen." in page.text
    assert "Numbers look wrong." in page.text
    assert (await console.desk.weights())["rule"] == "frozen"
    page = await li.see(f"{WHOLE}/freeze")
    assert f"{policy['policy_id'][:12]} version 1 again" in page.text
    page = await li.send(page, f"{WHOLE}/freeze", reason="They were right.")
    assert "The scope is unfrozen." in page.text
    assert (await console.desk.weights())["policy_id"] == policy["policy_id"]


async def test_a_segment_of_a_frozen_scenario_says_what_else_is_frozen(console: Console) -> None:
    li = await console.browser("li")
    for path in (WHOLE, NEW_USER):
        await li.send(await li.see(f"{path}/freeze"), f"{path}/freeze", reason="Stop.")
    page = await li.see(f"{NEW_USER}/freeze")
    assert "The whole scenario is frozen as well" in page.text
    page = await li.send(page, f"{NEW_USER}/freeze", reason="Go on.")
    assert "The whole scenario is frozen." in page.text


async def test_a_freeze_without_a_reason_is_not_made(console: Console) -> None:
    li = await console.browser("li")
    page = await li.send(await li.see(f"{WHOLE}/freeze"), f"{WHOLE}/freeze", reason="")
    assert page.status == 422
    assert (await console.desk.weights())["rule"] == "default"


async def test_an_activation_is_changed_and_ended(console: Console) -> None:
    policy = await in_force(console.desk)
    ann = await console.browser()
    page = await ann.send(await changing(ann, 1), f"{WHOLE}/activations/1", percent="25")
    assert "The activation is changed." in page.text
    assert "25% of the users" in page.text
    page = await ann.send(await changing(ann, 1), f"{WHOLE}/activations/1", until="2026-06-30T18:00")
    assert "30 Jun 2026 18:00" in page.text
    shown = (await console.desk.client.get("/v1/activations/1")).json()
    assert (shown["percent"], shown["until"], shown["revision"]) == (25, "2026-06-30T18:00:00Z", 3)
    page = await ann.send(await changing(ann, 1), f"{WHOLE}/activations/1/end", reason="Enough.")
    assert "The activation is ended." in page.text
    assert (await console.desk.client.get(f"/v1/policies/{policy['policy_id']}")).json()["state"] == "expired"


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_change_that_somebody_was_faster_with_shows_both(console: Console, language: str) -> None:
    await in_force(console.desk)
    ann, wang = await console.browser(language=language), await console.browser("wang")
    seen = await changing(ann, 1)
    await wang.send(await changing(wang, 1), f"{WHOLE}/activations/1", percent="50")
    page = await ann.send(seen, f"{WHOLE}/activations/1", percent="20")
    assert page.status == 412
    assert "20%" in page.text
    assert "50%" in page.text
    page = await ann.send(page, f"{WHOLE}/activations/1")
    assert page.status == 200
    assert (await console.desk.client.get("/v1/activations/1")).json()["percent"] == 20
