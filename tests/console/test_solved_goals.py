"""The second answer on a goal's page, and taking it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.generation.clients.scripted import ScriptedModel
from reward_llm.loop.solving.solver import SurfaceSolver
from tests.api.harness import Setup
from tests.console.harness import console
from tests.console.test_goals import submitted
from tests.loop.surface.problems import surface

DEMANDING = canonical_answer(
    [("gmv", Direction.RAISE, Emphasis.CLEAR), ("retention", Direction.HOLD, Emphasis.CLEAR)]
)


@pytest.fixture(scope="module")
def solver() -> SurfaceSolver:
    return SurfaceSolver(surfaces={"home_feed": surface()})


async def test_both_answers_stand_side_by_side_and_the_solved_one_becomes_a_policy(
    setup: Setup, solver: SurfaceSolver
) -> None:
    async with console(replace(setup, solver=solver), model=ScriptedModel([DEMANDING])) as running:
        browser = await running.browser()
        page = await submitted(browser, "GMV提升10%，次日留存不低于56%")
        for shown in ("Solved for what is demanded", "Can be met", "Next-day retention at least 56.0%", "likely met"):
            assert shown in page.text
        policy = await browser.send(page, f"{page.path}/solved")
        assert policy.path.startswith("/policies/pol_")
        assert "The solved weights are a policy now" in policy.text
        assert "Solved" in policy.text


async def test_what_is_in_the_way_is_said_in_chinese(setup: Setup, solver: SurfaceSolver) -> None:
    async with console(replace(setup, solver=solver), model=ScriptedModel([DEMANDING])) as running:
        page = await submitted(await running.browser("小王", "zh"), "GMV目标1亿，次日留存不低于90%")
        for shown in ("按要求求解", "无法达到", "次日留存：要求 90.0%", "该数字使用平台自身的单位"):
            assert shown in page.text


async def test_without_a_surface_there_is_one_answer(setup: Setup) -> None:
    async with console(setup, model=ScriptedModel([DEMANDING])) as running:
        page = await submitted(await running.browser(), "GMV提升10%，次日留存不低于56%")
        assert "Solved for what is demanded" not in page.text
