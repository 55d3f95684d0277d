"""What goals have taught corrects what is predicted next."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reward_llm.bootstrap import load_settings
from reward_llm.bootstrap.memory import build_corrections
from reward_llm.bootstrap.solving import build_forecaster, build_solver
from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Decision, Interpretation
from reward_llm.domain.scenario import Scope
from reward_llm.store.database import Database
from tests.api.harness import SCENARIOS, Setup
from tests.memories import RAISE_GMV, put_down
from tests.strategies import HOME_FEED


async def test_a_forecast_is_corrected_by_what_was_observed(setup: Setup) -> None:
    database = Database.open(setup.url)
    book = build_corrections(database, SCENARIOS)
    forecaster = build_forecaster(load_settings(database_url=setup.url), book.factors)
    assert forecaster is not None
    await book.refresh()
    assert book.factors("home_feed") == {}
    plain = await forecaster.forecast(Scope("home_feed"), HOME_FEED.defaults)
    await put_down(setup.url, "goal_1", "pol_1")
    await book.refresh()
    factor = book.factors("home_feed")["ctr"]
    assert 1 < factor < 1.25
    corrected = await forecaster.forecast(Scope("home_feed"), HOME_FEED.defaults)
    assert plain is not None
    assert corrected is not None
    assert corrected.metrics["ctr"].mean == pytest.approx(factor * plain.metrics["ctr"].mean)
    assert (plain.metrics["ctr"].factor, corrected.metrics["ctr"].factor) == (1.0, pytest.approx(factor))
    assert book.factors("video_feed") == {}
    await database.aclose()


def test_a_kept_solution_is_made_again_once_corrections_change() -> None:
    factors: dict[str, dict[str, float]] = {}
    solver = build_solver(load_settings(), lambda scenario: factors.get(scenario, {}))
    goal = Goal(
        id="goal_1",
        scope=Scope("home_feed"),
        text="CTR",
        submitted_at=datetime(2026, 6, 18, tzinfo=UTC),
        targets={"click": 0.05},
    )
    reading = Interpretation(decision=Decision.PROPOSE, intents=(RAISE_GMV,))
    asked = (goal, reading, HOME_FEED.defaults, HOME_FEED, HOME_FEED.defaults)
    plain = solver.solve(*asked)
    assert plain is not None
    assert solver.solve(*asked) is plain
    factors["home_feed"] = {"ctr": 1.1}
    corrected = solver.solve(*asked)
    assert corrected is not None
    assert corrected.now["ctr"].mean == pytest.approx(1.1 * plain.now["ctr"].mean)
    assert solver.solve(*asked) is corrected
    factors.clear()
    assert solver.solve(*asked) is plain
