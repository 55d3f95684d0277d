from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.agents.users.config import UserStateConfig
from reward_llm.agents.users.states import UserStates
from tests.agents.users.cases import outcome

CONFIG = UserStateConfig()
LOOKS_N = np.array([1.0, 0.5, 0.5], dtype=np.float32)


def states(users: int = 1, config: UserStateConfig = CONFIG) -> UserStates:
    made = UserStates.start(config, topics=4)
    made.grow(users)
    return made


def test_satisfaction_is_the_weighted_mean_of_what_pages_completed() -> None:
    found, expected = states(), 0.5
    for completed, share in (([1, 0, 0], 1 / 2), ([0, 0, 0], 0), ([1, 1, 1], 3 / 2)):
        found.observe(outcome([[1, 1, 1]], [completed]), np.array([[0, 1, 2]]), LOOKS_N)
        expected = 0.8 * expected + 0.2 * min(1.0, share / CONFIG.pleased)
        assert found.satisfaction_U[0] == pytest.approx(expected)


def test_curiosity_grows_by_clicks_on_novel_topics_alone() -> None:
    found = states(2)
    found.clicked_UT[1] = [10, 0, 0, 0]
    found.observe(outcome([[1, 0, 0], [1, 0, 0]]), np.array([[3, 0, 0], [0, 0, 0]]), LOOKS_N)
    assert found.curiosity_U.tolist() == [0, 0]
    found.observe(outcome([[0, 0, 0], [1, 0, 0]]), np.array([[0, 0, 0], [2, 0, 0]]), LOOKS_N)
    assert found.curiosity_U.tolist() == pytest.approx([0, CONFIG.curiosity_gain])


@pytest.mark.parametrize(("topics", "tired"), [([1, 1, 1], True), ([1, 1, 2], False), ([2, 1, 1], False)])
def test_three_alike_in_a_row_tire(topics: list[int], tired: bool) -> None:
    found = states()
    found.observe(outcome([[1, 1, 1]]), np.array([topics]), LOOKS_N)
    assert (found.fatigue_U[0] > 0) == tired


def test_a_run_goes_on_from_page_to_page_and_a_night_rests() -> None:
    found = states()
    found.observe(outcome([[1, 1, 0]]), np.array([[1, 1, 2]]), LOOKS_N)
    assert found.fatigue_U[0] == 0
    found.observe(outcome([[0, 0, 1]]), np.array([[3, 3, 1]]), LOOKS_N)
    assert found.fatigue_U[0] == pytest.approx(CONFIG.fatigue_gain)
    found.sleep()
    assert found.fatigue_U[0] == pytest.approx(CONFIG.rest * CONFIG.fatigue_gain)


def test_who_is_dissatisfied_explores() -> None:
    found = states(2)
    for _ in range(30):
        page = outcome([[1, 1, 0], [1, 1, 0]], [[0, 0, 0], [1, 1, 0]])
        found.observe(page, np.array([[0, 1, 2], [0, 1, 2]]), LOOKS_N)
    bored, pleased = 1 - found.exploitation_U
    assert bored > 0.3 > pleased


@given(
    pages=st.lists(
        st.lists(st.tuples(st.booleans(), st.booleans(), st.integers(0, 3)), min_size=3, max_size=3), max_size=20
    )
)
def test_states_stay_between_0_and_1(pages: list[list[tuple[bool, bool, int]]]) -> None:
    found = states(config=UserStateConfig(urge=5.0, fatigue_gain=0.9, curiosity_gain=0.9))
    for page in pages:
        clicked = [click for click, _, _ in page]
        completed = [click and done for click, done, _ in page]
        found.observe(outcome([clicked], [completed]), np.array([[topic for _, _, topic in page]]), LOOKS_N)
        row_4 = found.read(np.array([0]))
        assert ((row_4 >= 0) & (row_4 <= 1)).all()


def test_those_who_come_later_start_as_the_others_did() -> None:
    found = states(2)
    found.observe(outcome([[1, 1, 1], [0, 0, 0]]), np.zeros((2, 3), dtype=np.int64), LOOKS_N)
    found.grow(3)
    assert found.read(np.array([2])).tolist() == states(1).read(np.array([0])).tolist()
    assert len(found) == 3
