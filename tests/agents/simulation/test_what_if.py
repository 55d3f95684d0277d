"""The simulator as something that can be asked: small markets, really lived through."""

from __future__ import annotations

import statistics

import pytest

from reward_llm.agents.simulation.run import simulate
from reward_llm.agents.simulation.what_if import MEASURED, SimulatedWhatIf
from reward_llm.domain.simulation import Outcome, RecommenderName, SimulationArm, SimulationPlan, market_concepts
from tests.strategies import HOME_FEED

POPULAR = SimulatedWhatIf(scenario=HOME_FEED, recommender=RecommenderName.POPULAR, users=40, days=10, seeds=2)
NEW = {**HOME_FEED.defaults, "cold_start": 0.3, "click": 0.05}


def test_it_tells_what_a_simulation_reports_on_the_same_seeds() -> None:
    arm = SimulationArm(
        name="new", recommender=RecommenderName.POPULAR, weights=NEW, origin="weights", source="human"
    )
    plan = SimulationPlan(
        scenario="home_feed",
        segment=None,
        arms=(arm,),
        concepts=market_concepts(HOME_FEED),
        seeds=2,
        days=10,
        users=40,
        first_seed=7,
    )
    (told,) = POPULAR.expected([NEW], seed=7)
    for row in simulate(plan).rows:
        by_seed = row.arms[0].by_seed
        if row.outcome in MEASURED and None not in by_seed:
            values = [value for value in by_seed if value is not None]
            assert told[row.outcome].mean == pytest.approx(statistics.fmean(values))
            assert told[row.outcome].error == pytest.approx(statistics.stdev(values) / 2**0.5)


def test_all_weights_live_through_the_same_seeds_and_every_month_is_told() -> None:
    months: list[int] = []
    asked = SimulatedWhatIf(
        scenario=HOME_FEED,
        recommender=RecommenderName.POPULAR,
        users=40,
        seeds=2,
        on_month=lambda: months.append(1),
    )
    one, other, again = asked.expected([HOME_FEED.defaults, NEW, HOME_FEED.defaults])
    assert (one == again, one == other, len(months)) == (True, False, 6)


def test_of_everything_that_it_measures_more_is_better() -> None:
    assert Outcome.BOOST_COST not in POPULAR.metrics
    assert {Outcome.GMV, Outcome.CTR, Outcome.NEXT_DAY_RETENTION} <= set(POPULAR.metrics)
    assert POPULAR.name == "simulator"
