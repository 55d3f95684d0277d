"""The first page: the way to a first policy, what is in force, and what waits for whom."""

from __future__ import annotations

import pytest

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.generation.clients.scripted import ScriptedModel
from tests.api.harness import Setup
from tests.console.harness import Console, console


@pytest.mark.parametrize(
    ("language", "title", "own"),
    [
        ("en", "From a goal to a policy in force", "Write my own goal"),
        ("zh", "从一个目标到一个生效的策略", "自己写一个目标"),
    ],
)
async def test_an_empty_database_shows_the_way(console: Console, language: str, title: str, own: str) -> None:
    page = await (await console.browser(language=language)).see("/")
    assert title in page.text
    assert own in page.text
    assert sum(link.startswith("/goals/new?text=") for link in page.links) == 3


async def test_the_way_goes_on_with_the_goal_and_ends_with_a_policy_in_force(console: Console) -> None:
    ann = await console.browser()
    goal = await console.desk.submit()
    page = await ann.see("/")
    assert "Go on with this goal" in page.text
    assert f"/goals/{goal['id']}" in page.links
    await ann.send(await ann.see(f"/goals/{goal['id']}"), f"/goals/{goal['id']}/activation")
    page = await ann.see("/")
    assert "From a goal to a policy in force" not in page.text
    assert goal["proposal"]["policy_id"][:12] in page.text


async def test_what_waits_is_shown_to_everybody_and_marked_for_who_can_do_it(setup: Setup) -> None:
    bold = [("group_order", Direction.RAISE, Emphasis.DOMINANT), ("cold_start", Direction.RAISE, Emphasis.DOMINANT)]
    async with console(setup, model=ScriptedModel([canonical_answer(bold)])) as running:
        ann, li = await running.browser("ann"), await running.browser("li")
        goal = await running.desk.client.post(
            "/v1/goals", json={"scenario": "home_feed", "text": "Order first"}, headers={"X-Actor": "ann"}
        )
        page = await ann.see(f"/goals/{goal.json()['id']}")
        await ann.send(page, f"{page.path}/review-request")
        assert "One approval is missing" in (await ann.see("/")).text
        assert "you can" not in (await ann.see("/")).text
        assert "you can" in (await li.see("/")).text
