"""Reports of made-up months: pairs, ratios, verdicts and what couldn't be measured."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from reward_llm.agents.simulation.lines import plan_line, read_line, read_plan, report_line
from reward_llm.agents.simulation.months import Month, report_of
from reward_llm.agents.simulation.page import report_page
from reward_llm.domain.simulation import ArmOutcome, Outcome, OutcomeRow, SimulationReport
from tests.agents.simulation.plans import plan_of


def month(value: float, days: Sequence[float] = (1.0, 2.0), **others: float) -> Month:
    whole = {outcome: others.get(outcome.value, value) for outcome in Outcome}
    return Month(whole=whole, by_day={outcome: np.array(days) for outcome in Outcome})


def rows(report: SimulationReport) -> Mapping[Outcome, OutcomeRow]:
    return {row.outcome: row for row in report.rows}


def second(report: SimulationReport, outcome: Outcome) -> tuple[OutcomeRow, ArmOutcome]:
    row = rows(report)[outcome]
    return row, row.arms[1]


def test_arms_are_compared_seed_by_seed() -> None:
    """Seeds differ by 10, arms by 1: only pairs tell the arms apart."""
    before = [month(v) for v in (10.0, 20.0, 30.0)]
    after = [month(v) for v in (11.0, 21.1, 30.9)]
    row, arm = second(report_of({"now": before, "then": after}, 1.0), Outcome.GMV)
    assert arm.interval is not None
    assert row.arms[0].interval is not None
    assert arm.interval.low < row.arms[0].interval.high
    assert arm.difference is not None
    assert arm.difference.mean == pytest.approx(1.0)
    assert arm.difference.low > 0
    assert row.verdict(arm) == "better"
    assert arm.ratio == pytest.approx(63 / 60)


def test_a_lower_cost_is_better() -> None:
    report = report_of({"now": [month(2.0), month(2.1)], "then": [month(1.0), month(1.1)]}, 1.0)
    row, cost = second(report, Outcome.BOOST_COST)
    assert row.verdict(cost) == "better"
    row, gmv = second(report, Outcome.GMV)
    assert row.verdict(gmv) == "worse"


def test_a_difference_around_nothing_is_unclear() -> None:
    report = report_of({"now": [month(1.0), month(2.0)], "then": [month(2.0), month(1.0)]}, 1.0)
    row, arm = second(report, Outcome.CTR)
    assert (row.verdict(row.arms[0]), row.verdict(arm)) == (None, "unclear")


def test_what_a_seed_cant_measure_is_said_and_not_made_up() -> None:
    unmeasured = [month(1.0, boost_cost=math.nan), month(1.0)]
    report = report_of({"now": [month(1.0), month(2.0)], "then": unmeasured}, 1.0)
    row, arm = second(report, Outcome.BOOST_COST)
    assert (arm.interval, arm.difference, arm.ratio, row.verdict(arm)) == (None, None, None, None)
    assert arm.by_seed == (None, 1.0)
    turned = report_of({"now": unmeasured, "then": [month(1.0), month(2.0)]}, 1.0)
    _, arm = second(turned, Outcome.BOOST_COST)
    assert arm.interval is not None
    assert (arm.difference, arm.ratio) == (None, None)


def test_a_ratio_to_nothing_is_none() -> None:
    report = report_of({"now": [month(0.0), month(0.0)], "then": [month(1.0), month(1.0)]}, 1.0)
    assert second(report, Outcome.GMV)[1].ratio is None


def test_a_day_that_hardly_any_seed_could_measure_has_no_interval() -> None:
    lived = [month(1.0, days=(math.nan, 1.0, 1.0)), month(1.0, days=(1.0, 3.0, math.nan))]
    curve = report_of({"now": lived}, 1.0).curves[0]
    assert curve.days[0] is None
    assert curve.days[1] is not None
    assert curve.days[1].mean == 2.0
    assert curve.days[2] is None


def test_a_plan_and_its_report_survive_the_way_between_processes() -> None:
    plan = plan_of("now", "then", seeds=3)
    assert read_plan(plan_line(plan)) == plan
    unmeasured = [month(1.0, gmv=math.nan), month(1.5)]
    report = report_of({"a": [month(1.0), month(3.0, days=(math.nan, 1.0))], "b": unmeasured}, 0.25)
    assert read_line(report_line(report).encode()) == report


def test_a_page_shows_every_row_and_arm_and_loads_nothing() -> None:
    plan = plan_of("now", "<script>alert(1)</script>", "then")
    lived = {arm.name: [month(0.1 * n, boost_cost=math.nan), month(0.2)] for n, arm in enumerate(plan.arms)}
    page = report_page(plan, report_of(lived, 1.0))
    assert page.count("<h2>") == len(Outcome)
    assert page.count("<polyline") == len(Outcome) * 3
    assert "&lt;script&gt;" in page
    for outside in ("<script", "http:", "https:", "src=", "@import", "url("):
        assert outside not in page
    assert "nan" not in page
