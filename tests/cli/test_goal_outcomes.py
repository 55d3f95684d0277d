from __future__ import annotations

import asyncio
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from reward_llm.api.wire.memory import GoalOutcomesWire, TriedWire
from reward_llm.cli.memory_display import show_outcomes
from reward_llm.cli.wording import Lang
from reward_llm.store import upgrade
from tests.cli.conftest import Program
from tests.memories import put_down


def shown(document: object, lang: Lang) -> str:
    out = io.StringIO()
    show_outcomes(Console(file=out, width=120, highlight=False), document, lang)  # type: ignore[arg-type]
    return out.getvalue()


def test_a_goal_that_nobody_looked_at_has_no_outcomes(client: Program) -> None:
    goal = json.loads(client("submit", "raise GMV", "--json").out)["id"]
    assert json.loads(client("goals", "outcomes", goal, "--json").out)["tried"] == []
    assert "long enough" in client("goals", "outcomes", goal).out
    assert client("goals", "outcomes", "goal_none").code == 1


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        (
            Lang.EN,
            (
                "predicted by",
                "surface 3f9a",
                "after 1 d",
                "after 7 d",
                "CTR",
                "20.00% (18.04%–21.96%)",
                "118",
                "watch time, min",
                "31.5",
            ),
        ),
        (Lang.ZH, ("预测来源", "1 天后", "7 天后", "点击率", "成交额", "观看时长（分钟）")),
    ],
)
def test_what_was_predicted_stands_beside_what_was_observed(
    tmp_path: Path, lang: Lang, words: tuple[str, ...]
) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    asyncio.run(upgrade(url))
    memory = asyncio.run(put_down(url, "goal_1", "pol_1"))
    wire = GoalOutcomesWire(
        goal_id="goal_1",
        scenario="home_feed",
        segment=None,
        tried=[TriedWire.of(tried, memory) for tried in memory.tried],
    )
    text = shown(wire.model_dump(mode="json"), lang)
    for word in words:
        assert word in text
