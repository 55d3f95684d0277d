"""What searches for weights: the jobs of the service, and the process that does the work for them.

python -m reward_llm.bootstrap.search < task.json
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

from reward_llm.bootstrap.basics import load_all_scenarios, load_settings, now
from reward_llm.bootstrap.models import let_openmp_wait
from reward_llm.domain.searching import Evaluator, EvaluatorKind, StudyProblem
from reward_llm.errors import RewardLLMError, ScenarioUnknown, SearchUnavailable
from reward_llm.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reward_llm.domain.ports.searching import Searches
    from reward_llm.domain.scenario import Scenario
    from reward_llm.domain.searching import SearchPlan, StudyResult, Trial
    from reward_llm.domain.what_if import WhatIf
    from reward_llm.store.database import Database

_NICENESS: Final = 10
"""What serves goes first."""


def build_searches(database: Database) -> Searches:
    """What searches for the service, one study at a time in a process of its own."""
    from reward_llm.loop.search.jobs import SearchJobs
    from reward_llm.store.loop import SqlLoop

    return SearchJobs(SqlLoop(database), now)


def search(
    settings: Settings, plan: SearchPlan, on_trial: Callable[[Trial], None], done: Sequence[Trial] = ()
) -> StudyResult:
    """The result of a plan, searched here.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SearchInvalid: If the evaluator doesn't measure what is asked for.
        SearchUnavailable: If what the method or the evaluator needs isn't there.
        WeightsInvalid: If the evaluator knows none of the utilities.
    """
    scenarios = load_all_scenarios(settings)
    if plan.scenario not in scenarios:
        raise ScenarioUnknown(f"no scenario {plan.scenario!r}", hint=f"There are: {', '.join(scenarios)}.")
    let_openmp_wait()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch load, which want every core
    scenario = scenarios[plan.scenario]
    try:
        from reward_llm.loop.search.study import Study

        what_if = build_what_if(settings, scenario, plan.evaluator)
    except ModuleNotFoundError as exc:
        hint = "Install what is missing: pip install 'reward-llm[agents,loop,ranker]'."
        raise SearchUnavailable(f"searches need {exc.name}", hint=hint) from exc
    return Study(plan, scenario, what_if).run(on_trial, done)


def build_what_if(settings: Settings, scenario: Scenario, evaluator: Evaluator) -> WhatIf:
    """What says what weights would bring.

    Raises:
        ModuleNotFoundError: If what it needs isn't installed.
        RankerUnavailable: If the ranker's checkpoint or log can't be read.
        SearchUnavailable: If the scenario has no surface.
        SurfaceInvalid: If a file of the settings holds no surface.
    """
    if evaluator.kind is EvaluatorKind.SIMULATOR:
        from reward_llm.agents.simulation.what_if import SimulatedWhatIf

        return SimulatedWhatIf(
            scenario=scenario,
            recommender=evaluator.recommender,
            users=evaluator.users,
            days=evaluator.days,
            seeds=evaluator.seeds,
        )
    if evaluator.kind is EvaluatorKind.RANKER:
        from reward_llm.bootstrap.ranking import load_engine
        from reward_llm.ranking.what_if import RankerWhatIf

        return RankerWhatIf(scenario=scenario, engine=load_engine(settings))
    from reward_llm.loop.search.from_surface import SurfaceWhatIf
    from reward_llm.loop.surface.shelf import load_surfaces

    surface = load_surfaces(settings.surfaces_dir).get(scenario.name)
    if surface is None or not surface.fits_scenario(scenario):
        raise SearchUnavailable(f"{scenario.name} has no surface", hint="Make one with `reward-llm solve fit`.")
    return SurfaceWhatIf(surface, surface.metrics)


def main() -> None:
    """Work on the task on standard input."""
    os.nice(_NICENESS)
    with os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8") as out:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print isn't for the service
        from reward_llm.loop.search.documents import problem_line, read_task, result_line, trial_line

        def say(line: str) -> None:
            out.write(line + "\n")
            out.flush()

        plan, done = read_task(sys.stdin.buffer.readline())
        try:
            say(result_line(search(load_settings(), plan, lambda trial: say(trial_line(trial)), done)))
        except RewardLLMError as exc:
            say(problem_line(StudyProblem(code=exc.code, message=exc.message, hint=exc.hint)))


if __name__ == "__main__":
    main()
