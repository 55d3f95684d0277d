from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from reward_llm.agents.content.cheats import CheatConfig, CheatDetector
from tests.agents.baselines.views import World

CREATORS = 8
OUTSIDE = 6.0
"""Clicks an item gets from outside."""


def recorded(bought: float, *, cheat: int = 3, items: int = 40) -> World:
    """Items of eight creators by turns; one bought so many clicks for each of its own, which last 4 s."""
    is_cheat_I = np.arange(items) % CREATORS == cheat
    clicks_I = np.full(items, OUTSIDE) + bought * is_cheat_I
    facts: dict[str, Any] = {
        "clicks_I": clicks_I.astype(np.float32),
        "completions_I": np.full(items, OUTSIDE / 2, dtype=np.float32),
        "dwell_s_I": (OUTSIDE * 100.0 + 4.0 * bought * is_cheat_I).astype(np.float32),
    }
    return World(items=items, facts=facts)


def started(world: World) -> CheatDetector:
    made = CheatDetector()
    made.begin(world.view())
    return made


@pytest.mark.parametrize("bought", [15.0, 60.0])
def test_who_buys_clicks_is_caught_and_nobody_else(bought: float) -> None:
    world = recorded(bought)
    caught_I = started(world)(world.view())
    assert set(world.view().items.creator_I[caught_I].tolist()) == {3}


def test_without_bought_clicks_nobody_is_caught() -> None:
    world = recorded(0.0)
    assert not started(world)(world.view()).any()


def test_few_clicks_convict_nobody() -> None:
    world = recorded(15.0)
    world.facts |= {name: np.minimum(world.facts[name], 1.0) for name in ("clicks_I", "completions_I", "dwell_s_I")}
    assert not started(world)(world.view()).any()


def test_who_was_caught_stays_so() -> None:
    cheating, honest = recorded(60.0), recorded(0.0)
    found = started(cheating)
    assert found(cheating.view()).any()
    assert (honest.view().items.creator_I[found(honest.view())] == 3).all()
    assert found(honest.view()).any()


def test_what_came_of_slates_is_no_evidence() -> None:
    """Clicks of slates that don't stay and aren't completed, all on one creator's items."""
    world = recorded(0.0)
    found = started(world)
    outcome = world.react(np.arange(40), np.tile(np.arange(3, 40, CREATORS), (40, 1)))
    barren_BN = np.zeros(outcome.item_BN.shape, dtype=np.bool_)
    clicks = type(outcome)(
        **{name: getattr(outcome, name) for name in type(outcome).__slots__}
        | {"clicked_BN": ~barren_BN, "completed_BN": barren_BN, "dwell_s_BN": np.zeros(barren_BN.shape)}
    )
    found.observe(clicks)
    world.facts["clicks_I"] = world.facts["clicks_I"] + np.bincount(outcome.item_BN.ravel(), minlength=40)
    assert not found(world.view()).any()


def test_beliefs_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match="prior"):
        CheatConfig(prior=1.0)
    with pytest.raises(ValueError, match="above 0"):
        CheatConfig(stayed_bought=(0.0, 1.0))
