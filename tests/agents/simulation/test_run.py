"""Simulations of small markets, and the process that runs them for a service."""

from __future__ import annotations

import asyncio
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest

from reward_llm.agents.simulation.jobs import Jobs, JobsConfig
from reward_llm.agents.simulation.lines import plan_line, read_line
from reward_llm.agents.simulation.run import known_weights, market_of, simulate
from reward_llm.domain.simulation import Outcome, SimulationProblem, SimulationReport, SimulationState
from reward_llm.errors import SimulationUnknown, WeightsInvalid
from tests.agents.simulation.plans import arm_of, plan_of
from tests.agents.simulation.scripted import COMMAND

WORKER = JobsConfig().command


def values(report: SimulationReport) -> list[Any]:
    return [(row.outcome, arm.arm, arm.by_seed) for row in report.rows for arm in row.arms]


def test_the_same_seeds_give_the_same_report_in_one_process_and_in_two() -> None:
    plan = plan_of()
    told: list[int] = []
    report = simulate(plan, told.append)
    assert told == list(range(1, plan.steps + 1))
    together: list[int] = []
    assert values(simulate(plan, together.append, processes=2)) == values(report)
    assert together == [10, 20]


def test_arms_that_do_the_same_live_through_the_same() -> None:
    report = simulate(plan_of(arms=(arm_of("a"), arm_of("b"))))
    for row in report.rows:
        first, second = row.arms
        assert first.by_seed == second.by_seed
    gmv = next(row for row in report.rows if row.outcome is Outcome.GMV).arms[0]
    assert len(set(gmv.by_seed)) == 2, "each seed is a market of its own"


def test_every_outcome_has_a_value_and_a_curve_of_all_days() -> None:
    report = simulate(plan_of(users=60))
    assert [row.outcome for row in report.rows] == list(Outcome)
    assert all(arm.interval is not None for row in report.rows for arm in row.arms)
    assert {len(curve.days) for curve in report.curves} == {10}


def test_weights_change_what_happens() -> None:
    arms = (arm_of("clicks", click=1.0), arm_of("money", gmv=1.0))
    before, after = next(row for row in simulate(plan_of(arms=arms)).rows if row.outcome is Outcome.CTR).arms
    assert set(before.by_seed).isdisjoint(after.by_seed)


def test_utilities_that_the_market_doesnt_know_leave_the_others_their_proportions() -> None:
    weights = known_weights({"click": 0.3, "gmv": 0.1, "calm": 0.6})
    assert (weights["click"], weights["gmv"]) == pytest.approx((0.75, 0.25))
    with pytest.raises(WeightsInvalid, match="knows none"):
        known_weights({"calm": 1.0})


def test_a_smaller_market_has_less_of_everything() -> None:
    small, usual = market_of(100, 30).scale, market_of(1_000, 30).scale
    assert (small.items, small.creators) == (usual.items // 10, usual.creators // 10)
    assert small.items_a_day == pytest.approx(usual.items_a_day / 10)
    assert (small.slate, small.topics) == (usual.slate, usual.topics)


def test_the_process_says_how_far_it_is_and_what_came_of_it() -> None:
    plan = plan_of()
    run = subprocess.run(WORKER, input=plan_line(plan), capture_output=True, check=True)
    *steps, last = map(read_line, run.stdout.splitlines())
    assert steps == list(range(1, plan.steps + 1))
    assert isinstance(last, SimulationReport)
    assert values(last) == values(simulate(plan))


def test_the_process_says_why_nothing_came_of_it() -> None:
    wrong = plan_of(concepts={"calm": "calm"}, arms=(arm_of("calm", calm=1.0),))
    run = subprocess.run(WORKER, input=plan_line(wrong), capture_output=True, check=True)
    problem = read_line(run.stdout)
    assert isinstance(problem, SimulationProblem)
    assert (problem.code, problem.hint is not None) == ("weights_invalid", True)


async def all_over(jobs: Jobs) -> None:
    async with asyncio.timeout(300):
        while True:
            if all(job.state.is_over for job in (await jobs.jobs(scenarios=None)).items):
                return
            await asyncio.sleep(0.02)


async def test_a_job_ends_with_the_report_of_its_plan() -> None:
    jobs = Jobs(lambda: datetime.now(UTC))
    job = await jobs.start(plan_of(), "ann")
    await all_over(jobs)
    job = await jobs.job(job.id)
    assert job.state is SimulationState.DONE
    assert job.done == job.plan.steps
    assert job.report is not None
    await jobs.aclose()


async def test_the_oldest_jobs_are_forgotten_and_none_that_still_waits() -> None:
    jobs = Jobs(lambda: datetime.now(UTC), JobsConfig(command=COMMAND, kept=2))
    first, *_ = [await jobs.start(plan_of(), "ann") for _ in range(3)]
    assert len((await jobs.jobs(scenarios=None)).items) == 3, "all of them still wait"
    await all_over(jobs)
    last = await jobs.start(plan_of(), "ann")
    kept = [job.id for job in (await jobs.jobs(scenarios=None)).items]
    assert len(kept) == 2
    assert kept[0] == last.id
    with pytest.raises(SimulationUnknown):
        await jobs.job(first.id)
    await jobs.aclose()
