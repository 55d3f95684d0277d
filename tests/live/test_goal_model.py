"""The goal model that ships, on goals that it wasn't trained on."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

import pytest

from reward_llm.bootstrap import build_model, build_proposer, load_settings
from reward_llm.tuning.evaluation import Report, evaluate, load_lines
from tests.strategies import HOME_FEED

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples" / "goals.jsonl"
DEV = Path(os.environ.get("REWARD_LLM_DEV_GOALS", ROOT.parent / "shared" / "data" / "goals" / "dev.jsonl"))
LEAST = 0.80
"""Below this share of goals read right, the model isn't fit to be the first reader."""


async def read(path: Path) -> Report:
    settings = load_settings(backend="embedded")
    model = build_model(settings)
    try:
        proposer = build_proposer(settings, model)
        return await evaluate(load_lines(path, HOME_FEED), HOME_FEED, proposer, monotonic=time.perf_counter)
    finally:
        await model.aclose()


@pytest.mark.parametrize("path", [EXAMPLES, DEV], ids=["examples", "dev"])
def test_the_shipped_model_reads_goals_right(path):
    if not path.is_file():
        pytest.skip("no evaluation goals: set REWARD_LLM_DEV_GOALS to their file")
    report = asyncio.run(read(path))
    assert report.valid.value == 1.0
    assert report.directional.value >= LEAST
    assert report.hostile_safe.value == 1.0
    assert set(report.sources) <= {"embedded", "default", "refused"}, "a fallback answered for the model"
