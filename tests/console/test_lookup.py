from __future__ import annotations

import shlex

from reward_llm.domain.rollout import bucket
from tests.console.harness import Console
from tests.console.test_policies import OTHER, in_force


async def test_a_lookup_says_what_is_got_and_why(console: Console) -> None:
    await in_force(console.desk)
    own = await console.desk.edit(segment="new_user", weights=OTHER)
    await console.desk.activate(own["policy_id"], percent=50)
    units = [f"user-{n}" for n in range(20)]
    inside, outside = (next(u for u in units if (bucket(own["policy_id"], u) < 50) is b) for b in (True, False))
    ann = await console.browser()
    page = await ann.see("/lookup", scope="home_feed/new_user", unit=inside)
    assert "The segment's own activation is in force and is for this unit." in page.text
    assert "below 50%, so it is in" in page.text
    page = await ann.see("/lookup", scope="home_feed/new_user", unit=outside)
    assert "the whole scenario's activation is" in page.text
    assert "not below 50%, so it is out" in page.text
    page = await ann.see("/lookup", scope="home_feed/new_user")
    assert "no unit was named" in page.text


async def test_a_lookup_gives_the_tag_and_the_lines_that_ask_the_same(console: Console) -> None:
    await in_force(console.desk)
    page = await (await console.browser()).see("/lookup", scope="home_feed/new_user", unit="a'b c")
    answer = await console.desk.client.get("/v1/weights/home_feed", params={"segment": "new_user", "unit": "a'b c"})
    assert answer.headers["etag"] in page.text
    assert 'WeightsClient("http://test").weights("home_feed", segment="new_user", unit="a\'b c")' in page.text
    line = page.text.split("By curl ")[1].split(" Copy")[0]
    url = shlex.split(line)[-1]
    assert (await console.desk.client.get(url)).json()["policy_id"] == answer.json()["policy_id"]


async def test_a_lookup_goes_back_and_ahead_in_time(console: Console) -> None:
    first = await in_force(console.desk)
    await in_force(console.desk, weights=OTHER)
    later = await console.desk.edit()
    await console.desk.activate(later["policy_id"], **{"from": "2026-06-20T00:00:00Z"})
    ann = await console.browser()
    page = await ann.see("/lookup", scope="home_feed", at="2026-06-18T12:00:30")
    assert f"/policies/{first['policy_id']}" in page.links
    assert "This is how it was then." in page.text
    page = await ann.see("/lookup", scope="home_feed", at="2026-06-21T00:00")
    assert f"/policies/{later['policy_id']}" in page.links
    assert "This is what is known now." in page.text


async def test_a_frozen_scope_is_the_reason(console: Console) -> None:
    await in_force(console.desk)
    await console.desk.client.post("/v1/scopes/home_feed/-/freeze", json={"frozen": True, "reason": "wrong numbers"})
    page = await (await console.browser()).see("/lookup", scope="home_feed")
    assert "anonymous froze it: wrong numbers" in page.text
    assert "Set aside" in page.text


async def test_what_there_is_not_is_a_page_that_says_so(console: Console) -> None:
    ann = await console.browser()
    assert (await ann.see("/lookup", scope="home_fed")).status == 404
    assert (await ann.see("/lookup", scope="home_feed", at="soon")).status == 422
