from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from reward_llm.agents.baselines.filling import fill, put_in
from reward_llm.agents.baselines.memory import grown
from reward_llm.agents.baselines.worth import lift


def greedy(score_I: np.ndarray, category_I: np.ndarray, slots: int, repetition: float) -> list[int]:
    """One slate, as one would write it down."""
    left, chosen = score_I.astype(np.float32).copy(), []
    for _ in range(slots):
        best = int(left.argmax())
        chosen.append(best)
        left[category_I == category_I[best]] -= np.float32(repetition)
        left[best] = -np.inf
    return chosen


def test_slates_are_filled_as_a_plain_greedy_loop_fills_them() -> None:
    generator = np.random.default_rng(0)
    score_BI, category_I = generator.random((20, 50)).astype(np.float32), generator.integers(5, size=50)
    for repetition in (0.0, 0.1, 0.7):
        filled = fill(score_BI, category_I, 8, repetition)
        assert filled.tolist() == [greedy(score_I, category_I, 8, repetition) for score_I in score_BI]


@given(
    score_BI=arrays.arrays(np.float32, (3, 12), elements=st.floats(-1e6, 1e6, width=32)),
    repetition=st.floats(0, 2),
)
def test_no_item_stands_twice_in_a_slate(score_BI: np.ndarray, repetition: float) -> None:
    filled = fill(score_BI, np.arange(12) % 3, 12, repetition)
    assert (np.sort(filled, axis=1) == np.arange(12)).all()


@given(slot=st.integers(0, 3), item=st.integers(0, 9))
def test_what_is_put_in_stands_there_and_nothing_stands_twice(slot: int, item: int) -> None:
    item_BN = np.array([[0, 1, 2, 3], [9, 8, 7, 6]])
    put_in(item_BN, slot, np.array([item, item]))
    assert (item_BN[:, slot] == item).all()
    assert all(len(set(row)) == 4 for row in item_BN.tolist())


def test_an_array_grows_with_zeros_and_keeps_what_it_held() -> None:
    larger = grown(np.ones((2, 3), dtype=np.float32), (4, 3))
    assert larger.dtype == np.float32
    assert larger.sum() == 6
    assert larger[:2].all()


def test_a_lift_of_one_is_two_deviations_above_the_mean() -> None:
    relevance_BI = np.random.default_rng(0).random((4, 1_000)).astype(np.float32)
    base_B = relevance_BI.mean(axis=1) + 2 * relevance_BI.std(axis=1)
    assert np.allclose(lift(relevance_BI) * base_B[:, None], relevance_BI, atol=1e-5)
    assert np.allclose(lift(7 * relevance_BI), lift(relevance_BI), atol=1e-5), "whatever the scale"
    assert not lift(np.zeros((2, 5), dtype=np.float32)).any()
