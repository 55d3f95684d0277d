from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.weights import Weights
from reward_llm.loop.surface.design import design
from reward_llm.loop.surface.region import Region
from reward_llm.validation import gate
from tests.strategies import HOME_FEED

NAMES = HOME_FEED.utility_names


@given(seed=st.integers(0, 2**32 - 1), radius=st.floats(0.01, 2.0))
def test_what_is_drawn_lies_within_the_region(seed: int, radius: float) -> None:
    region = Region.of(HOME_FEED, HOME_FEED.defaults, radius)
    assert region.contains(region.drawn(60, np.random.default_rng(seed))).all()


def test_what_lies_outside_is_told() -> None:
    region = Region.of(HOME_FEED, HOME_FEED.defaults)
    defaults_K = np.array(HOME_FEED.defaults.vector)
    moved_K = defaults_K.copy()
    moved_K[0], moved_K[1] = 0.01, defaults_K[1] + defaults_K[0] - 0.01
    far_K = np.array([0.05, 0.5, 0.03, 0.135, 0.02, 0.25, 0.015])
    assert region.contains(np.stack([defaults_K, moved_K, far_K, defaults_K * 1.01])).tolist() == [
        True,
        False,
        False,
        False,
    ]


def test_what_is_in_force_below_a_held_floor_may_stay_there() -> None:
    held = HOME_FEED.guardrails.held[0]
    floor = HOME_FEED.utility(held).held_floor
    lower = max(HOME_FEED.utility(held).bounds.min, floor - 0.03)
    other = next(name for name in NAMES if name not in HOME_FEED.guardrails.held)
    moved = HOME_FEED.defaults[held] - lower
    centre = Weights({**HOME_FEED.defaults, held: lower, other: HOME_FEED.defaults[other] + moved})
    assert lower < floor
    assert gate.check(centre, HOME_FEED, centre) == ()
    region = Region.of(HOME_FEED, centre)
    assert region.contains(region.centre_K[None]).all()
    assert region.low_K[NAMES.index(held)] == lower


def test_the_points_reach_every_utilitys_bounds() -> None:
    region = Region.of(HOME_FEED, HOME_FEED.defaults, 2.0)
    drawn_WK = region.drawn(2_000, np.random.default_rng(0))
    assert drawn_WK.max(0) == pytest.approx(region.high_K)
    assert drawn_WK.min(0) == pytest.approx(region.low_K)


def test_a_design_begins_with_the_defaults_and_has_half_of_its_points_within_a_step() -> None:
    points = design(HOME_FEED, 20)
    assert points[0] == HOME_FEED.defaults
    assert len(set(points)) == 20
    assert points == design(HOME_FEED, 20)
    passing = [not gate.check(p, HOME_FEED, HOME_FEED.defaults) for p in points]
    assert sum(passing) >= 10
    assert not all(passing)


def test_a_design_is_spread_wider_than_what_is_drawn_at_random() -> None:
    region = Region.of(HOME_FEED, HOME_FEED.defaults)
    drawn = [Weights.rounded(dict(zip(NAMES, row, strict=True))) for row in _random(region)]
    assert _nearest(design(HOME_FEED, 12)) > 2 * _nearest(drawn)


def _random(region: Region) -> list[list[float]]:
    rows: list[list[float]] = region.drawn(12, np.random.default_rng(3)).tolist()
    return rows


def _nearest(points: list[Weights] | tuple[Weights, ...]) -> float:
    return min(a.distance(b) for i, a in enumerate(points) for b in points[:i])
