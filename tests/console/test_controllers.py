"""The pages on controllers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from reward_llm.domain.act import Act
from reward_llm.domain.control import Hold, Memory, Reading
from reward_llm.domain.control_documents import reading_document
from tests.api.harness import NOON
from tests.api.test_controllers import ASKED, WIDE
from tests.console.harness import Console


async def made(console: Console, **changes: Any) -> dict[str, Any]:
    policy = await console.desk.edit()
    await console.desk.activate(policy["policy_id"])
    headers = {"X-Actor": "ann"}
    answer = await console.desk.client.post("/v1/controllers", json={**ASKED, **changes}, headers=headers)
    assert answer.status_code == 201, answer.text
    one: dict[str, Any] = answer.json()
    return one


async def looked(console: Console, one: dict[str, Any]) -> None:
    records = console.desk.app.state.context.services.controllers
    for minute, weight in enumerate((0.07, 0.09, 0.09)):
        reading = Reading(
            at=NOON,
            policy_id=one["base_policy"],
            weight=weight,
            memory=Memory(integral=weight),
            setpoint=0.2,
            measured=0.1 + 0.05 * minute,
            held=Hold.STALE if minute == 2 else None,
            note="old" if minute == 2 else "",
        )
        at = NOON + timedelta(minutes=minute)
        await records.gather(one["id"], [reading_document(reading)], Act(actor="controller", at=at))


@pytest.mark.parametrize(
    ("language", "empty", "stale", "metric"),
    [
        ("en", "There is no controller yet", "the feed is stale", "Cold-start share = 0.200"),
        ("zh", "还没有控制器", "数据已过期", "冷启动曝光占比 = 0.200"),
    ],
)
async def test_a_controller_is_listed_and_shown_with_its_plots(
    console: Console, language: str, empty: str, stale: str, metric: str
) -> None:
    ann = await console.browser("ann", language)
    assert empty in (await ann.see("/controllers")).text
    one = await made(console)
    await looked(console, one)
    listed = await ann.see("/controllers")
    assert f"/controllers/{one['id']}" in listed.links
    page = await ann.see(f"/controllers/{one['id']}")
    for shown in (listed, page):
        assert metric in shown.text
        assert "cold_start_share" not in shown.text
    assert page.html.count('class="chart plot"') == 2
    assert stale in page.text
    assert "a fifth" in page.text


async def test_a_proposed_one_is_approved_by_somebody_else_paused_and_ended(console: Console) -> None:
    one = await made(console, **WIDE)
    path = f"/controllers/{one['id']}"
    ann, li = await console.browser("ann"), await console.browser("li")
    refused = await ann.send(await ann.see(path), f"{path}/approval")
    assert "authors&#39; own approvals" in refused.html or "own approvals" in refused.text
    granted = await li.send(await li.see(path), f"{path}/approval", comment="fine")
    assert "The controller is approved." in granted.text
    ended = await li.send(granted, f"{path}/end", reason="enough")
    assert "The controller has ended." in ended.text
    assert "enough" in ended.text
