from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_llm.domain.goal import Goal
from reward_llm.domain.scenario import Scope
from reward_llm.domain.solving import Feasibility, Solution
from reward_llm.domain.weighting import weights_for
from reward_llm.domain.weights import Weights
from reward_llm.loop.solving.search import SearchConfig, best, merit
from reward_llm.loop.solving.solver import SolverConfig, SurfaceSolver
from reward_llm.loop.surface.region import FloatArray, Region
from reward_llm.loop.surface.surface import Surface
from reward_llm.reading.rules import RuleReader
from reward_llm.validation import gate
from tests.loop.surface.problems import METRICS, ClosedForm, surface
from tests.strategies import HOME_FEED, VIDEO_FEED

READER = RuleReader(HOME_FEED)
EXACT, NOISY = surface(), surface(ClosedForm(noise=0.05))
NOW = HOME_FEED.defaults


def solved(text: str, over: Surface = EXACT, config: SolverConfig | None = None, **targets: float) -> Solution | None:
    reading = READER.read(text)
    goal = Goal(
        id="goal_x",
        scope=Scope("home_feed"),
        text=text,
        submitted_at=datetime(2026, 6, 18, tzinfo=UTC),
        targets=targets,
    )
    proposed = weights_for(reading.intents, HOME_FEED, NOW)
    solver = SurfaceSolver(surfaces={"home_feed": over}, config=config or SolverConfig())
    return solver.solve(goal, reading, proposed, HOME_FEED, NOW)


def solution(text: str, over: Surface = EXACT, config: SolverConfig | None = None, **targets: float) -> Solution:
    found = solved(text, over, config, **targets)
    assert found is not None
    return found


def test_solved_weights_bring_what_is_demanded_and_pass_the_gate() -> None:
    found = solution("GMV提升15%，次日留存不低于56%")
    weights = found.solved.weights
    assert found.feasibility is Feasibility.FEASIBLE
    assert METRICS["gmv"](weights) >= 1.15 * METRICS["gmv"](NOW)
    assert METRICS["next_day_retention"](weights) >= 0.56
    assert gate.check(weights, HOME_FEED, NOW) == ()
    assert (found.in_the_way, found.what_if, found.surface) == ((), "simulator", EXACT.fingerprint)
    assert all(j.chance >= 0.94 for j in found.solved.judged)


def test_both_answers_stand_beside_each_other() -> None:
    text = "GMV提升10%，次日留存不低于56%"
    found = solution(text)
    assert found.proposed.weights == weights_for(READER.read(text).intents, HOME_FEED, NOW)
    assert [j.met for j in found.proposed.judged] == [
        METRICS["gmv"](found.proposed.weights) >= 1.1 * METRICS["gmv"](NOW),
        METRICS["next_day_retention"](found.proposed.weights) >= 0.56,
    ]
    assert not found.proposed.met
    assert found.solved.met
    assert found.now["gmv"].mean == pytest.approx(METRICS["gmv"](NOW), rel=0.01)
    assert found.now["gmv"].low < found.now["gmv"].mean < found.now["gmv"].high


def test_an_infeasible_goal_names_what_is_in_the_way_and_how_far_one_gets() -> None:
    found = solution("GMV提升10%，次日留存不低于90%")
    assert found.feasibility is Feasibility.INFEASIBLE
    (blocker,) = found.in_the_way
    assert (blocker.demand.utility, blocker.bound) == ("retention", 0.9)
    region = Region.of(HOME_FEED, NOW)
    drawn = [_weights(row) for row in region.drawn(3_000, np.random.default_rng(7)).tolist()]
    reachable = [METRICS["next_day_retention"](w) for w in drawn if METRICS["gmv"](w) >= 1.1 * METRICS["gmv"](NOW)]
    assert max(reachable) - 0.02 < blocker.nearest < max(reachable) + 0.02
    assert blocker.share == pytest.approx(blocker.nearest / METRICS["next_day_retention"](NOW), rel=0.01)


def test_the_nearest_target_that_is_named_can_be_met() -> None:
    nearest = solution("GMV提升10%，次日留存不低于90%").in_the_way[0].nearest
    again = solution(f"GMV提升10%，次日留存不低于{100 * nearest - 0.05:.2f}%")
    assert again.feasibility is Feasibility.FEASIBLE


def test_demands_that_only_fail_together_are_both_named() -> None:
    one, other = "次日留存不低于62%", "冷启动成功率不低于41%"
    assert all(solution(text).feasibility is Feasibility.FEASIBLE for text in (one, other))
    both = solution(f"{one}，{other}")
    assert both.feasibility is Feasibility.INFEASIBLE
    assert {b.demand.utility for b in both.in_the_way} == {"retention", "cold_start"}
    ways = [abs(b.nearest / b.bound - 1) for b in both.in_the_way]
    assert ways == sorted(ways)


def test_between_what_can_be_met_and_what_cant_it_is_uncertain() -> None:
    share = solution("GMV提升500%", NOISY).in_the_way[0].share
    assert share is not None
    said = [solution(f"GMV提升{100 * (share - 1) + more:.1f}%", NOISY) for more in (-3, 0, 2, 4, 6, 8, 10, 15, 25)]
    order = [Feasibility.FEASIBLE, Feasibility.UNCERTAIN, Feasibility.INFEASIBLE]
    places = [order.index(one.feasibility) for one in said]
    assert places == sorted(places)
    assert set(places) == {0, 1, 2}
    assert [bool(one.in_the_way) for one in said] == [place == 2 for place in places]


@pytest.mark.parametrize("text", ["GMV提升10%，点击率不能掉", "冷启动成功率提升20%，次日留存不低于56%，GMV不能掉"])
def test_no_point_of_a_dense_grid_is_much_better(text: str) -> None:
    config = SolverConfig(margin=0.5, caution=0.0, faith=0.0)
    found = solution(text, config=config)
    target = next(iter(found.demands.objectives))
    region = Region.of(HOME_FEED, NOW, HOME_FEED.guardrails.max_step - 1e-3)
    grid_WK = _grid(region)
    assert len(grid_WK) > 1_000
    told = [EXACT.fits[m].mean_of(grid_WK) for m in (target, *(d.metric for d in found.demands.demands))]
    bounds = [j.bound for j in found.solved.judged]
    passing_W = np.all([m >= b for m, b in zip(told[1:], bounds, strict=True)], axis=0)
    best_on_grid = told[0][passing_W].max()
    reached = EXACT.fits[target].mean_of(np.array([found.solved.weights.vector]))[0]
    assert reached >= best_on_grid - 0.02 * EXACT.spread(target)


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_search_never_leaves_the_region_and_never_ends_below_its_starts(seed: int) -> None:
    generator = np.random.default_rng(seed)
    region = Region.of(HOME_FEED, NOW, float(generator.uniform(0.05, 1.0)))
    slope_K, wall_K = generator.standard_normal((2, 7))
    start_WK = region.drawn(20, generator)
    least = float((start_WK @ wall_K).mean())

    def judge(weights_WK: FloatArray) -> tuple[FloatArray, FloatArray]:
        return weights_WK @ slope_K, np.maximum(least - weights_WK @ wall_K, 0.0)

    found_K = best(judge, region, start_WK, SearchConfig())
    assert region.contains(found_K[None]).all()
    assert merit(*judge(found_K[None]))[0] >= merit(*judge(start_WK)).max()


def test_the_same_goal_is_solved_the_same_way() -> None:
    text = "GMV提升15%，点击率不能掉"
    assert solution(text) == solution(text)


def test_the_proposal_is_where_a_goal_without_objectives_stays_near() -> None:
    near = solution("次日留存不低于55%", config=SolverConfig(faith=100.0))
    far = solution("次日留存不低于55%", config=SolverConfig(faith=0.01))
    assert near.solved.weights.distance(near.proposed.weights) < far.solved.weights.distance(far.proposed.weights)


def test_a_correction_moves_what_a_level_takes() -> None:
    corrected = EXACT.corrected({"next_day_retention": 0.9})
    assert solution("GMV提升5%，次日留存不低于60%").feasibility is Feasibility.FEASIBLE
    assert solution("GMV提升5%，次日留存不低于60%", corrected).feasibility is Feasibility.INFEASIBLE


def test_without_demands_or_a_surface_over_the_utilities_nothing_is_solved() -> None:
    assert solved("提升GMV") is None
    reading, goal = (
        READER.read("GMV提升10%"),
        Goal(id="g", scope=Scope("video_feed"), text="GMV提升10%", submitted_at=datetime(2026, 6, 18, tzinfo=UTC)),
    )
    for surfaces in ({}, {"video_feed": EXACT}):
        solver = SurfaceSolver(surfaces=surfaces)
        assert solver.solve(goal, reading, VIDEO_FEED.defaults, VIDEO_FEED, VIDEO_FEED.defaults) is None


def _weights(row: list[float]) -> Weights:
    return Weights.rounded(dict(zip(HOME_FEED.utility_names, row, strict=True)))


def _grid(region: Region) -> FloatArray:
    """All weights in steps of 0.05 from the least ones, as far as they lie in the region."""
    free, step = 1 - region.low_K.sum(), 0.05
    units = round(free / step)
    corners = np.array(list(_compositions(units, len(region.low_K))), dtype=np.float64)
    grid_WK = region.low_K + corners * (free / units)
    return np.asarray(grid_WK[region.contains(grid_WK)])


def _compositions(total: int, parts: int) -> list[tuple[int, ...]]:
    if parts == 1:
        return [(total,)]
    return [(n, *rest) for n in range(min(total, 9) + 1) for rest in _compositions(total - n, parts - 1)]
