from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.agents.orchestrator.allotment import NONE, Ledger, allotted
from reward_llm.agents.orchestrator.config import AllotmentConfig

CONFIG = AllotmentConfig(a_page=2, rounds=4)


@given(
    seed=st.integers(0, 10_000),
    users=st.integers(0, 12),
    contents=st.integers(1, 6),
    room=st.integers(-2, 30),
    closed=st.floats(0, 0.9),
)
def test_neither_the_room_nor_what_a_content_asked_for_is_exceeded(
    seed: int, users: int, contents: int, room: int, closed: float
) -> None:
    generator = np.random.default_rng(seed)
    value_BP = generator.random((users, contents))
    value_BP[generator.random((users, contents)) < closed] = -np.inf
    capacity_P = generator.integers(0, 5, contents)
    place_BK = allotted(value_BP, capacity_P, room, CONFIG)
    given_X = place_BK[place_BK != NONE]
    assert len(given_X) <= max(0, room)
    assert (np.bincount(given_X, minlength=contents) <= capacity_P).all()
    for user, places_K in enumerate(place_BK):
        own = places_K[places_K != NONE]
        assert len(set(own.tolist())) == len(own)
        assert np.isfinite(value_BP[user, own]).all()


def test_one_content_goes_to_those_whom_it_suits_best() -> None:
    value_BP = np.array([[0.1], [0.9], [0.5], [0.7]])
    place_BK = allotted(value_BP, np.array([2]), 10, CONFIG)
    assert place_BK[:, 0].tolist() == [NONE, 0, NONE, 0]


def test_who_is_turned_away_is_offered_to_the_next_best() -> None:
    value_BP = np.array([[0.9, 0.2], [0.8, 0.3]])
    place_BK = allotted(value_BP, np.array([1, 1]), 10, CONFIG)
    assert place_BK[:, 0].tolist() == [0, 1]


def test_little_room_goes_to_the_best() -> None:
    value_BP = np.array([[0.2, -np.inf], [-np.inf, 0.9], [0.5, -np.inf]])
    place_BK = allotted(value_BP, np.array([5, 5]), 1, CONFIG)
    assert place_BK.tolist() == [[NONE, NONE], [1, NONE], [NONE, NONE]]


@given(pages=st.lists(st.tuples(st.integers(1, 50), st.floats(0, 1)), max_size=30))
def test_whoever_keeps_to_the_room_keeps_to_the_share(pages: list[tuple[int, float]]) -> None:
    ledger = Ledger()
    for fresh, wish in pages:
        boosted = int(wish * ledger.room(fresh, 0.2))
        ledger.impressions, ledger.boosted = ledger.impressions + fresh, ledger.boosted + boosted
        assert ledger.boosted <= 0.2 * ledger.impressions
