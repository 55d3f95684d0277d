from __future__ import annotations

from typing import Any

from tests.api.harness import EDITED, Desk
from tests.console.harness import Console

FAR = {**EDITED, "click": 0.05, "gmv": 0.5}
"""So far from the defaults that somebody else must approve."""
OTHER = {**EDITED, "click": 0.24, "gmv": 0.31}
WHOLE = "/policies/scopes/home_feed/-"


async def in_force(desk: Desk, **changes: Any) -> dict[str, Any]:
    policy = await desk.edit(**changes)
    response = await desk.activate(policy["policy_id"])
    assert response.status_code == 200, response.text
    desk.clock.advance(60)
    return policy


async def test_the_overview_says_what_is_in_force_where_and_since_when(console: Console) -> None:
    policy = await in_force(console.desk)
    own = await console.desk.edit(segment="new_user", weights=OTHER)
    await console.desk.activate(own["policy_id"], percent=10)
    later = await console.desk.edit(weights=OTHER)
    await console.desk.activate(
        later["policy_id"], **{"from": "2026-06-20T00:00:00Z", "until": "2026-06-21T00:00:00Z"}
    )
    page = await (await console.browser()).see("/policies")
    assert page.status == 200
    assert f"{policy['policy_id'][:12]} version 1" in page.text
    assert f"10% of the users get {own['policy_id'][:12]}" in page.text
    assert f"{later['policy_id'][:12]} from 20 Jun 2026 00:00" in page.text
    assert {WHOLE, "/policies/scopes/home_feed/new_user", f"/policies/{policy['policy_id']}"} <= set(page.links)


async def test_of_nothing_the_overview_leads_to_a_goal(console: Console) -> None:
    page = await (await console.browser()).see("/policies")
    assert "No policies yet" in page.text
    assert "/goals/new" in page.links


async def test_an_editor_and_an_approver_bring_a_policy_into_force(console: Console) -> None:
    policy = await console.desk.edit(weights=FAR)
    ann, li = await console.browser("anonymous"), await console.browser("li")
    here = f"/policies/{policy['policy_id']}"
    page = await ann.see(here)
    assert "One approval is missing" in page.text
    assert "It is yours, so somebody else has to approve it." in page.text
    assert not page.offers(f"{here}/review")
    assert not page.offers(f"{here}/activation")
    page = await ann.send(page, f"{here}/review-request", comment="Please look.")
    assert "The review is requested." in page.text
    page = await li.see(here)
    assert policy["content_hash"] in page.text
    page = await li.send(page, f"{here}/review", decision="approve", comment="Fine.")
    assert "Your approval is recorded." in page.text
    assert "Fine." in page.text
    page = await ann.send(await ann.see(here), f"{here}/activation")
    assert "The policy is activated." in page.text
    assert "These weights are what is served in this scope now." in page.text
    assert (await console.desk.weights())["policy_id"] == policy["policy_id"]


async def test_a_rejection_without_a_comment_keeps_what_was_chosen_and_says_why(console: Console) -> None:
    policy = await console.desk.edit(weights=FAR)
    here = f"/policies/{policy['policy_id']}"
    li = await console.browser("li")
    page = await li.send(await li.see(here), f"{here}/review", decision="reject")
    assert page.status == 422
    page = await li.send(page, f"{here}/review", decision="reject", comment="Too far.")
    assert "Needs a new version" in page.text
    assert not page.offers(f"{here}/review")


async def test_a_decision_on_other_weights_than_were_shown_is_refused(console: Console) -> None:
    policy = await console.desk.edit(weights=FAR)
    here = f"/policies/{policy['policy_id']}"
    li = await console.browser("li")
    page = await li.send(await li.see(here), f"{here}/review", decision="approve", content_hash="0" * 64)
    assert page.status == 409
    assert (await console.desk.client.get(f"/v1{here}")).json()["decisions"] == []


async def test_a_window_that_cuts_into_another_can_be_accepted(console: Console) -> None:
    sale = await console.desk.edit()
    await console.desk.activate(
        sale["policy_id"], **{"from": "2026-06-20T00:00:00Z", "until": "2026-06-25T00:00:00Z"}
    )
    policy = await console.desk.edit(weights=OTHER)
    here = f"/policies/{policy['policy_id']}"
    ann = await console.browser()
    window = {"from": "2026-06-22T00:00", "until": "2026-06-23T00:00", "percent": "20"}
    page = await ann.send(await ann.see(here), f"{here}/activation", **window)
    assert page.status == 409
    assert ("percent", "20") in page.form(f"{here}/activation").fields
    page = await ann.send(page, f"{here}/activation", conflicts="accept")
    assert "The policy is activated." in page.text


async def test_two_policies_are_compared(console: Console) -> None:
    one, other = await console.desk.edit(), await console.desk.edit(weights=FAR)
    ann = await console.browser()
    page = await ann.see(f"/policies/compare?policy={one['policy_id']}&policy={other['policy_id']}")
    assert "Together they differ by 0.400" in page.text
    assert "+0.200" in page.text
    page = await ann.see("/policies/compare", policy=one["policy_id"])
    assert page.status == 422
    assert "exactly two" in page.text


async def test_an_author_takes_a_policy_back(console: Console) -> None:
    policy = await console.desk.edit()
    here = f"/policies/{policy['policy_id']}"
    ann = await console.browser("anonymous")
    page = await ann.send(await ann.see(here), f"{here}/withdrawal", reason="A slip.")
    assert "The policy is taken back." in page.text
    assert not page.offers(f"{here}/activation")


async def test_the_list_pages_and_keeps_its_scope(console: Console) -> None:
    for _ in range(21):
        await console.desk.edit()
    await console.desk.edit(segment="new_user")
    ann = await console.browser()
    page = await ann.see("/policies", scope="home_feed/new_user")
    assert sum(link.startswith("/policies/pol_") for link in page.links) == 1
    page = await ann.see("/policies", scope="home_feed")
    further = next(link for link in page.links if "cursor=" in link)
    assert "scope=home_feed" in further
    page = await ann.see(further)
    assert sum(link.startswith("/policies/pol_") for link in page.links) == 2


async def test_a_policy_that_there_is_not_is_a_page_that_says_so(console: Console) -> None:
    page = await (await console.browser(language="zh")).see("/policies/pol_none")
    assert page.status == 404


async def test_without_a_ranker_the_preview_says_so_and_how_to_get_one(console: Console) -> None:
    policy = await console.desk.edit(weights=FAR)
    ann = await console.browser()
    page = await ann.see(f"/policies/{policy['policy_id']}")
    assert f"/policies/{policy['policy_id']}/preview" in page.links
    whole = await ann.see(f"/policies/{policy['policy_id']}/preview")
    assert "Nothing ranks here" in whole.text
    part = await ann.part(f"/policies/{policy['policy_id']}/preview")
    assert "<html" not in part.html
    assert "Nothing ranks here" in part.text
