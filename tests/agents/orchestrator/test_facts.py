from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from reward_llm.agents.orchestrator.facts import Past
from tests.agents.baselines.views import TOPICS, World

EVERYBODY = np.arange(4)


def started(world: World) -> Past:
    made = Past(TOPICS)
    made.begin_day(world.users, world.items)
    return made


def clicked(world: World, past: Past, item_BN: np.ndarray, pages: int = 1) -> None:
    """Everybody clicks all of it."""
    for _ in range(pages):
        outcome = world.react(EVERYBODY, item_BN)
        past.observe(world.view(), replace(outcome, clicked_BN=np.ones(item_BN.shape, dtype=np.bool_)))


def test_a_profile_is_nothing_at_first_and_comes_to_what_is_clicked() -> None:
    world = World(users=4, items=20)
    past = started(world)
    assert not past.profile(EVERYBODY).any()
    item_BN = np.array([[0, 4, 8, 12, 16], [1, 5, 9, 13, 17], [0, 4, 1, 5, 8], [3, 7, 11, 15, 19]])
    clicked(world, past, item_BN)
    after_one = np.linalg.norm(past.profile(EVERYBODY), axis=1)
    clicked(world, past, item_BN, pages=80)
    assert after_one.max() < 0.1
    assert np.linalg.norm(past.profile(EVERYBODY), axis=1) == pytest.approx(np.ones(4), abs=0.02)
    assert past.profile(EVERYBODY)[2].argsort()[::-1][:2].tolist() == [0, 1]


def test_pages_without_clicks_leave_a_profile_as_it_was() -> None:
    world = World(users=4, items=20)
    past = started(world)
    item_BN = np.tile(np.arange(5), (4, 1))
    clicked(world, past, item_BN, pages=5)
    before = past.profile(EVERYBODY)
    outcome = world.react(EVERYBODY, item_BN)
    past.observe(world.view(), replace(outcome, clicked_BN=np.zeros(item_BN.shape, dtype=np.bool_)))
    assert (past.profile(EVERYBODY) == before).all()


def test_what_tires_a_user_is_closed_for_some_pages_and_no_part_of_the_profile() -> None:
    world = World(users=4, items=20)
    past = started(world)
    item_BN = np.tile(np.arange(5), (4, 1))
    clicked(world, past, item_BN)
    past.weary_UT[2, 1] = 2
    assert past.open(EVERYBODY)[2].tolist() == [1, 0, 1, 1]
    assert past.profile(EVERYBODY)[2, 1] == 0 < past.profile(EVERYBODY)[1, 1]
    clicked(world, past, item_BN, pages=2)
    assert past.open(EVERYBODY).all()


def test_the_facts_of_pages_are_those_of_all_items() -> None:
    world = World(users=4, items=20)
    past = started(world)
    item_BN = np.array([[0, 4, 8, 12, 16], [1, 5, 9, 13, 17], [0, 4, 1, 5, 8], [3, 7, 11, 15, 19]])
    clicked(world, past, item_BN, pages=3)
    everything = np.stack(past.pairs(world.view(), EVERYBODY), axis=-1)
    own_BNF = past.pairs_at(world.view(), EVERYBODY, item_BN)
    np.testing.assert_allclose(np.take_along_axis(everything, item_BN[..., None], axis=1), own_BNF, rtol=1e-5)
