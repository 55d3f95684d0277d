from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from reward_llm.agents.simulation.what_if import SimulatedWhatIf
from reward_llm.domain.searching import Constraint, SearchMethod, SearchPlan, Stage, StudyResult, Trial
from reward_llm.domain.simulation import RecommenderName
from reward_llm.domain.weights import Weights
from reward_llm.domain.what_if import Expected
from reward_llm.errors import SearchInvalid
from reward_llm.loop.search.documents import read_task, read_trial, task_line, trial_document
from reward_llm.loop.search.finalists import Contest, Means
from reward_llm.loop.search.from_surface import SurfaceWhatIf
from reward_llm.loop.search.pareto import front
from reward_llm.loop.search.study import Study
from reward_llm.validation.gate import check
from tests.loop.search.problems import IN_FORCE, Tradeoff, plan
from tests.strategies import HOME_FEED


def run(
    asked: SearchPlan, what_if: Tradeoff | None = None, done: list[Trial] | None = None
) -> tuple[StudyResult, list[Trial]]:
    told: list[Trial] = []
    result = Study(asked, HOME_FEED, what_if or Tradeoff(noise=0.01)).run(told.append, done or [])
    return result, told


def test_everything_that_is_tried_passes_the_gate() -> None:
    _, trials = run(plan())
    for trial in trials:
        assert check(trial.weights, HOME_FEED, Weights(IN_FORCE)) == ()


def test_the_search_is_on_one_seed_and_the_finals_on_others() -> None:
    _, trials = run(plan(seed=4))
    searched = {trial.seed for trial in trials if trial.stage is not Stage.FINAL}
    finals = {trial.seed for trial in trials if trial.stage is Stage.FINAL}
    assert len(searched) == 1
    assert not searched & finals
    _, others = run(plan(seed=5))
    assert not {trial.seed for trial in others} & (searched | finals)


@pytest.mark.parametrize("method", [m for m in SearchMethod if m is not SearchMethod.GP])
@pytest.mark.parametrize("kept", [1, 11, 25, 30])
def test_a_study_that_is_gone_on_with_ends_as_if_nothing_had_happened(method: SearchMethod, kept: int) -> None:
    asked = plan(method=method)
    whole, trials = run(asked)
    what_if = Tradeoff(noise=0.01)
    done = [read_trial(trial_document(trial)) for trial in trials[:kept]]
    rest, told = run(asked, what_if, done)
    assert rest == whole
    assert told == trials[kept:]
    assert len(what_if.asked) == len(trials) - kept


def test_the_front_is_feasible_and_none_of_it_is_beaten() -> None:
    result, trials = run(plan(budget=48), Tradeoff())
    by_number = {trial.number: trial for trial in trials}
    on_front = [by_number[number] for number in result.front]
    assert all(trial.is_feasible for trial in on_front)
    values = [trial.values(("ctr", "gmv")) for trial in on_front]
    assert front(values, [0.0] * len(values)) == list(range(len(values)))
    least = 0.9 * trials[0].metrics["variety"].mean
    assert all(trial.metrics["variety"].mean >= least for trial in on_front)


def test_finalists_are_compared_with_what_is_in_force_on_the_same_seeds() -> None:
    _, trials = run(plan(final_evaluations=20))
    finals = [trial for trial in trials if trial.stage is Stage.FINAL]
    in_force = [trial.seed for trial in finals if trial.of == 1]
    for number in {trial.of for trial in finals}:
        seeds = [trial.seed for trial in finals if trial.of == number]
        assert seeds == in_force[: len(seeds)]
        assert len(seeds) >= 2


def test_the_chosen_one_is_the_preferred_metrics_best_that_keeps_to_the_constraints() -> None:
    result, _ = run(plan(budget=48, prefer="gmv", finalists=4, final_evaluations=16))
    kept = [finalist for finalist in result.finalists if finalist.violation <= 0]
    assert result.chosen == max(kept, key=lambda finalist: finalist.metrics["gmv"].mean).trial


def test_constraints_that_nothing_keeps_to_choose_nothing() -> None:
    result, trials = run(plan(constraints=(Constraint(metric="variety", least=3.0),)))
    assert result.chosen is None
    assert result.hypervolume[-1][1] == 0
    nearest = min((trial for trial in trials if trial.stage is not Stage.FINAL), key=lambda trial: trial.violation)
    assert nearest.number in result.front


def test_what_cannot_be_measured_is_told() -> None:
    with pytest.raises(SearchInvalid, match="tradeoff doesn't measure profit"):
        run(plan(objectives=("profit",)))


def test_weights_under_which_something_cannot_be_measured_are_never_chosen() -> None:
    class Patchy(Tradeoff):
        def _one(self, weights, seed):  # type: ignore[no-untyped-def]
            found = dict(super()._one(weights, seed))
            if weights["gmv"] > 0.22:
                del found["gmv"]
            return found

    result, trials = run(plan(budget=30), Patchy())
    lost = {trial.number for trial in trials if "gmv" not in trial.metrics}
    assert lost
    assert not lost & {result.chosen, *result.front}


def _most_money(drawn: Sequence[Means]) -> int:
    return 1 + int(np.argmax([one["gmv"] for one in drawn[1:]]))


def test_thompson_sampling_gives_the_best_the_most_and_finds_it() -> None:
    """Of five with means a spread apart, and noise of two spreads."""
    found, most = [], []
    for seed in range(20):
        noise = np.random.default_rng([seed, 1])
        contest = Contest(6, ["gmv"], np.random.default_rng(seed))

        for _ in range(80):
            place = contest.next(_most_money)
            mean = 0.0 if place == 0 else float(place)
            contest.tell(place, {"gmv": Expected(mean=mean + 2 * float(noise.standard_normal()))})
        levels = [contest.expected(place)["gmv"].mean for place in range(6)]
        counts = [contest.evaluations(place) for place in range(6)]
        found.append(int(np.argmax(levels[1:])) + 1)
        most.append(counts[5] > counts[1])
    assert np.mean(np.array(found) >= 4) > 0.8
    assert np.mean(most) > 0.8


def test_the_simulated_market_is_searched() -> None:
    """The real thing, on a small market: the same study twice, and more money where more is asked for."""
    what_if = SimulatedWhatIf(scenario=HOME_FEED, recommender=RecommenderName.POPULAR, users=40, days=10, seeds=1)
    asked = plan(
        objectives=("gmv",),
        constraints=(Constraint(metric="ctr", least=0.5, relative=True),),
        budget=3,
        finalists=1,
        final_evaluations=4,
    )
    told: list[Trial] = []
    result = Study(asked, HOME_FEED, what_if).run(told.append)
    assert len(told) == 8
    again: list[Trial] = []
    assert Study(asked, HOME_FEED, what_if).run(again.append, told[:6]) == result
    assert again == told[6:]


def test_a_surface_may_be_asked_in_place_of_what_it_is_of() -> None:
    class Predicting:
        def predict(self, weights):  # type: ignore[no-untyped-def]
            return Tradeoff().expected([weights])[0]

    what_if = SurfaceWhatIf(Predicting(), ("ctr", "gmv", "variety"))
    told: list[Trial] = []
    result = Study(plan(), HOME_FEED, what_if).run(told.append)
    assert (result, told) == run(plan(), Tradeoff())


def test_a_task_is_read_as_it_was_written() -> None:
    asked = plan(prefer="gmv")
    _, trials = run(asked)
    assert read_task(task_line(asked, trials)) == (asked, trials)
