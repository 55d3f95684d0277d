"""The pages on searches; the searching process is a real one, over a problem whose answer is known."""

from __future__ import annotations

import asyncio

import pytest

from tests.console.harness import Browser, Console, Page
from tests.loop.search.scripted import DIES, WAITS

ASKED = {
    "scenario": "home_feed",
    "objectives": ["ctr", "gmv"],
    "constraints": [{"metric": "variety", "least": 0.9, "relative": True}],
    "method": "random",
    "budget": 12,
    "finalists": 2,
    "final_evaluations": 8,
}


async def started(console: Console, **changes: object) -> str:
    answer = await console.desk.client.post("/v1/searches", json={**ASKED, **changes})
    assert answer.status_code == 202, answer.text
    return f"/searches/{answer.json()['id']}"


async def over(browser: Browser, path: str) -> Page:
    """The page of a search once it is over."""
    async with asyncio.timeout(240):
        while True:
            page = await browser.see(path)
            if "hx-get" not in page.html:
                return page
            await asyncio.sleep(0.3)


@pytest.mark.parametrize(
    ("language", "empty", "finalists"),
    [("en", "Nothing was searched yet", "Finalists"), ("zh", "还没有搜索", "入围者")],
)
async def test_a_search_is_watched_and_what_it_found_is_proposed(
    console: Console, language: str, empty: str, finalists: str
) -> None:
    ann = await console.browser("ann", language)
    assert empty in (await ann.see("/searches")).text
    path = await started(console)
    page = await over(ann, path)
    assert finalists in page.text
    assert page.html.count('class="chart plot"') == 2
    assert page.html.count("<circle") == 12
    assert path in (await ann.see("/searches")).links
    number = dict(page.form(f"{path}/proposal").filled())["trial"]
    policy = await ann.send(page, f"{path}/proposal")
    assert policy.path.startswith("/policies/pol_")
    found = await console.desk.client.get(f"/v1{path}")
    assert found.json()["state"] == "proposed"
    assert number in {str(one["trial"]) for one in found.json()["result"]["finalists"]}


async def test_a_form_starts_one_and_what_is_refused_stays_in_it(console: Console) -> None:
    ann = await console.browser()
    page = await ann.see("/searches")
    for name, label in (("diversity", "diversity · Re-ranker on logged requests"), ("gmv", "GMV")):
        assert page.html.count(f'<option value="{name}">{label}</option>') == 4
    refused = await ann.send(page, "/searches", **{"budget": "9999", "objective.1": "gmv"})
    assert refused.status == 422
    assert "budget" in refused.text
    assert dict(refused.form("/searches").filled())["objective.1"] == "gmv"
    values = {"objective.0": "gmv", "constraint": "ctr", "least": "97", "budget": "2", "method": "random"}
    made = await ann.send(refused, "/searches", **values, **{"objective.1": ""})
    found = (await console.desk.client.get(f"/v1{made.path.partition('?')[0]}")).json()
    assert found["objectives"] == ["gmv"]
    assert found["constraints"] == [{"metric": "ctr", "least": 0.97, "relative": True}]
    ended = await over(ann, made.path.partition("?")[0])
    assert "97" in ended.text
    assert ended.html.count('class="chart plot"') == 1


async def test_one_is_cancelled_and_gone_on_with(console: Console) -> None:
    ann = await console.browser()
    path = await started(console, seed=WAITS)
    page = await ann.see(path)
    assert "hx-get" in page.html
    assert "<html" not in (await ann.part(path)).html
    async with asyncio.timeout(240):
        while True:
            if (await console.desk.client.get(f"/v1{path}")).json()["progress"]["done"] >= 3:
                break
            await asyncio.sleep(0.1)
    done = await ann.send(await ann.see(path), f"{path}/cancellation")
    assert "The search is cancelled." in done.text
    resumed = await ann.send(done, f"{path}/resumption")
    assert "The search goes on." in resumed.text
    assert "Finalists" in (await over(ann, path)).text


async def test_one_that_failed_says_why(console: Console) -> None:
    ann = await console.browser()
    page = await over(ann, await started(console, seed=DIES))
    assert "the searching process ended with code 3" in page.text
