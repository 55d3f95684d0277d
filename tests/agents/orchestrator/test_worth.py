from __future__ import annotations

import numpy as np
import pytest

from reward_llm.agents.allocation import UTILITIES
from reward_llm.agents.orchestrator.estimates import Prospects
from reward_llm.agents.orchestrator.worth import Gains, Scales, novelty, worth
from tests.agents.baselines.views import World

GENERATOR = np.random.default_rng(0)
GAINS = Gains(by_utility={name: GENERATOR.random((5, 30)).astype(np.float32) for name in UTILITIES})


def scales() -> Scales:
    made = Scales()
    for _ in range(3):
        made.follow(GAINS, np.tile(np.arange(10), (5, 1)))
    return made


@pytest.mark.parametrize("utility", UTILITIES)
def test_more_weight_puts_what_serves_the_utility_on_top(utility: str) -> None:
    reached = []
    for weight in (0.0, 0.2, 0.5, 0.9):
        weights = {name: weight if name == utility else (1 - weight) / 6 for name in UTILITIES}
        top_BN = np.argsort(-worth(GAINS, scales(), weights), axis=1)[:, :10]
        reached.append(np.take_along_axis(GAINS.by_utility[utility], top_BN, axis=1).mean())
    assert reached == sorted(reached)
    assert reached[0] < reached[-1]


def test_the_unit_of_a_utility_does_not_matter() -> None:
    larger = Gains(
        by_utility={name: gain * (1_000 if name == "gmv" else 1) for name, gain in GAINS.by_utility.items()}
    )
    weights = dict.fromkeys(UTILITIES, 1 / 7)
    found = Scales()
    found.follow(larger, np.tile(np.arange(10), (5, 1)))
    np.testing.assert_allclose(worth(larger, found, weights), worth(GAINS, scales(), weights), rtol=1e-4)


def test_a_topic_without_clicks_is_novel_and_the_usual_one_is_not() -> None:
    found = novelty(np.array([[8.0, 4.0, 0.0], [0.0, 0.0, 0.0]]), np.array([0, 1, 2, 0]))
    assert found[0].tolist() == [0.0, 0.5, 1.0, 0.0]
    assert found[1].tolist() == [1.0] * 4


def test_cold_start_counts_completed_views_of_new_content_as_far_as_they_are_needed() -> None:
    is_new_I = np.array([True, True, False, True])
    world = World(users=1, items=4, facts={"is_new_I": is_new_I})
    half_BI = np.full((1, 4), 0.5, dtype=np.float32)
    prospects = Prospects(
        click_BI=half_BI,
        completion_BI=np.array([[0.8, 0.4, 0.8, 0.8]], dtype=np.float32),
        purchase_BI=half_BI,
        dwell_s_I=np.ones(4, dtype=np.float32),
    )
    need_I = np.array([1.0, 1.0, 1.0, 0.25], dtype=np.float32)
    gains = Gains.of(world.view(), np.zeros((1, 4), dtype=np.float32), prospects, need_I)
    assert gains.by_utility["cold_start"][0].tolist() == pytest.approx([0.4, 0.2, 0.0, 0.1])
