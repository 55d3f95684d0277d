"""A goal's page shows what was predicted beside what came of it."""

from __future__ import annotations

from reward_llm.generation.clients.scripted import ScriptedModel
from tests.api.harness import RAISE_GMV, Setup
from tests.console.harness import console
from tests.console.test_goals import submitted
from tests.memories import put_down


async def test_what_came_of_a_goal_stands_on_its_page_in_either_language(setup: Setup) -> None:
    async with console(setup, model=ScriptedModel([RAISE_GMV])) as running:
        browser = await running.browser()
        page = await submitted(browser)
        assert "What came of it" not in page.text
        goal_id = page.path.rsplit("/", 1)[1]
        (policy,) = (await running.desk.client.get("/v1/policies")).json()["items"]
        await put_down(setup.url, goal_id, policy["policy_id"])
        page = await browser.see(page.path)
        for shown in (
            "What came of it",
            "After one day",
            "After 7 days",
            "Predicted by surface 3f9a",
            "20.0%",
            "25.0%",
        ):
            assert shown in page.text
        assert "18.0% to 22.0%" in page.text
        chinese = await (await running.browser("小王", "zh")).see(page.path)
        for shown in ("结果如何", "1 天后", "7 天后", "点击率", "成交额"):
            assert shown in chinese.text


async def test_weights_that_are_in_force_and_not_looked_at_yet_say_so(setup: Setup) -> None:
    async with console(setup, model=ScriptedModel([RAISE_GMV])) as running:
        browser = await running.browser()
        page = await submitted(browser)
        (policy,) = (await running.desk.client.get("/v1/policies")).json()["items"]
        await put_down(setup.url, page.path.rsplit("/", 1)[1], policy["policy_id"], predicted=False, days=())
        page = await browser.see(page.path)
        assert "Nothing is observed yet" in page.text
        assert "Nothing was predicted" in page.text
