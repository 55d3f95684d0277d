"""The ranker as something that can be asked, over small networks that never learned anything."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from ranker.whatif import WhatIfConfig
from reward_llm.errors import WeightsInvalid
from reward_llm.ranking.engine import Engine, EngineConfig
from reward_llm.ranking.what_if import RankerWhatIf
from tests.strategies import HOME_FEED

MORE_GMV = {**dict.fromkeys(HOME_FEED.utility_names, 0.05), "gmv": 0.7}


@pytest.fixture(scope="module")
def engine(folder: Path) -> Engine:
    everything = WhatIfConfig(requests=1_000, nearby=6, resamples=200)
    return Engine.load(EngineConfig(checkpoint=folder, what_if=everything))


def test_it_tells_the_mean_utilities_of_the_slates_that_a_preview_compares(engine: Engine) -> None:
    asked = RankerWhatIf(scenario=HOME_FEED, engine=engine, requests=1_000)
    before, after = asked.expected([HOME_FEED.defaults, MORE_GMV])
    preview = engine.preview(HOME_FEED, HOME_FEED.defaults, MORE_GMV)
    assert preview.requests == len(engine.values(HOME_FEED, MORE_GMV, requests=1_000, seed=0)["gmv"])
    for change in preview.changes:
        assert before[change.utility].mean == pytest.approx(change.before, abs=1e-5)
        assert after[change.utility].mean == pytest.approx(change.after, abs=1e-5)
    assert asked.metrics == HOME_FEED.utility_names
    assert any(found.error > 0 for found in after.values())


def test_the_seed_says_which_requests_are_drawn(engine: Engine) -> None:
    told: list[int] = []
    asked = RankerWhatIf(scenario=HOME_FEED, engine=engine, requests=10, on_weights=lambda: told.append(1))
    assert asked.expected([MORE_GMV], seed=1) == asked.expected([MORE_GMV], seed=1)
    assert asked.expected([MORE_GMV], seed=1) != asked.expected([MORE_GMV], seed=2)
    assert len(told) == 4


def test_weights_of_what_it_doesnt_measure_are_refused(engine: Engine) -> None:
    own = tuple(dataclasses.replace(u, name=f"our_{u.name}", concept=None) for u in HOME_FEED.utilities)
    guardrails = dataclasses.replace(HOME_FEED.guardrails, held=())
    ours = dataclasses.replace(HOME_FEED, name="ours", utilities=own, guardrails=guardrails)
    with pytest.raises(WeightsInvalid, match="none of the utilities"):
        RankerWhatIf(scenario=ours, engine=engine).expected([ours.defaults])
