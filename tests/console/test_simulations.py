"""The pages on simulations; a script stands in for the process that simulates."""

from __future__ import annotations

import asyncio

import pytest

from tests.api.harness import EDITED
from tests.console.harness import Browser, Console, Page


async def over(browser: Browser, page: Page) -> Page:
    """The page of a simulation once it is over."""
    path = page.path.partition("?")[0]
    async with asyncio.timeout(60):
        while "hx-get" in page.html:
            await asyncio.sleep(0.3)
            page = await browser.see(path)
    return page


@pytest.mark.parametrize(
    ("language", "empty", "better"),
    [("en", "No simulation was run yet", "better"), ("zh", "还没有运行过模拟", "更好")],
)
async def test_a_simulation_is_started_watched_and_compared(
    console: Console, language: str, empty: str, better: str
) -> None:
    policy = await console.desk.edit()
    ann = await console.browser("ann", language)
    page = await ann.see("/simulations")
    assert empty in page.text
    values = {"arm.1.recommender": "item_cf", "arm.1.policy_id": policy["policy_id"], "seeds": "2", "days": "10"}
    ended = await over(ann, await ann.send(page, "/simulations", **values))
    assert better in ended.text
    assert ended.html.count('class="chart plot"') == 10
    assert f"{EDITED['gmv']:.3f}" in ended.text
    listed = await ann.see("/simulations")
    assert ended.path.partition("?")[0] in listed.links


async def test_a_goal_may_stand_for_weights(console: Console) -> None:
    ann = await console.browser()
    page = await ann.see("/simulations")
    values = {"arm.1.recommender": "bandit", "arm.1.goal": "Raise GMV", "seeds": "2", "days": "10"}
    ended = await over(ann, await ann.send(page, "/simulations", **values))
    assert "of a goal" in ended.text
    assert "Bandit" in ended.text


@pytest.mark.parametrize(
    ("values", "told"),
    [({"days": "3"}, "days"), ({"seeds": "x"}, "seeds"), ({"arm.0.policy_id": "pol_none"}, "pol_none")],
)
async def test_what_can_not_be_simulated_is_said_and_stays_in_the_form(
    console: Console, values: dict[str, str], told: str
) -> None:
    await console.desk.edit()
    ann = await console.browser()
    refused = await ann.send(await ann.see("/simulations"), "/simulations", **{"arm.1.goal": "kept", **values})
    assert refused.status in {404, 422}
    assert told in refused.text
    assert dict(refused.form("/simulations").filled())["arm.1.goal"] == "kept"


async def test_one_is_cancelled(console: Console) -> None:
    ann = await console.browser()
    job = await console.desk.client.post(
        "/v1/simulations", json={"scenario": "home_feed", "arms": [{"name": "waits"}], "seeds": 2, "days": 10}
    )
    path = f"/simulations/{job.json()['id']}"
    page = await ann.see(path)
    assert "hx-get" in page.html
    part = await ann.part(path)
    assert "<html" not in part.html
    done = await ann.send(page, f"{path}/cancellation")
    assert "The simulation is cancelled." in done.text
    assert "hx-get" not in done.html


async def test_one_that_failed_says_why(console: Console) -> None:
    ann = await console.browser()
    sent = {"scenario": "home_feed", "arms": [{"name": "breaks off"}], "seeds": 2, "days": 10}
    job = await console.desk.client.post("/v1/simulations", json=sent)
    page = await over(ann, await ann.see(f"/simulations/{job.json()['id']}"))
    assert "too few users" in page.text
    assert "Take more." in page.text
