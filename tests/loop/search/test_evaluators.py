"""What searches ask, as a service builds it: the ranker and the surface that ship."""

from __future__ import annotations

import pytest

from reward_llm.bootstrap import load_settings
from reward_llm.bootstrap.search import build_what_if, search
from reward_llm.domain.searching import Constraint, Evaluator, EvaluatorKind, SearchMethod, SearchPlan, Trial
from reward_llm.domain.weights import Weights
from reward_llm.errors import SearchInvalid, SearchUnavailable
from reward_llm.loop.surface.shelf import load_surfaces
from reward_llm.validation import gate
from tests.loop.search.problems import IN_FORCE, plan
from tests.strategies import HOME_FEED, VIDEO_FEED


@pytest.fixture(autouse=True)
def one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a searching process has it; what it sets is taken back."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


def searched(kind: EvaluatorKind, **changes: object) -> tuple[SearchPlan, list[Trial], int | None]:
    small = {"budget": 8, "finalists": 1, "final_evaluations": 4}
    asked = plan(evaluator=Evaluator(kind=kind), method=SearchMethod.RANDOM, **{**small, **changes})
    trials: list[Trial] = []
    result = search(load_settings(), asked, trials.append)
    return asked, trials, result.chosen


def test_the_ranker_is_searched() -> None:
    """Its slates are of more money where money has more weight, as what was trained to follow weights should be."""
    asked, trials, chosen = searched(EvaluatorKind.RANKER, objectives=("gmv",), constraints=(), budget=6)
    tried = [t for t in trials if t.of is None]
    assert len(trials) == 1 + asked.budget + asked.final_evaluations
    assert all(set(t.metrics) == set(HOME_FEED.utility_names) for t in trials)
    assert all(0 <= m.mean <= 1 and m.error > 0 for t in trials for m in t.metrics.values())
    assert all(gate.check(t.weights, HOME_FEED, Weights(IN_FORCE)) == () for t in trials)
    assert chosen == max(tried[1:], key=lambda t: t.metrics["gmv"].mean).number
    by_weight = sorted(tried, key=lambda t: t.weights["gmv"])
    assert by_weight[-1].metrics["gmv"].mean > by_weight[0].metrics["gmv"].mean
    finals = [t for t in trials if t.of == chosen]
    assert tried[0].seed not in {t.seed for t in finals}
    assert finals[0].metrics != finals[1].metrics


def test_the_surface_is_searched() -> None:
    surface = load_surfaces()["home_feed"]
    kept = Constraint(metric="ctr", least=0.97, relative=True)
    wanted = {"objectives": ("gmv", "interest_diversity"), "constraints": (kept,)}
    _, trials, chosen = searched(EvaluatorKind.SURFACE, budget=24, **wanted)
    for trial in trials:
        assert trial.metrics == surface.predict(trial.weights)
    found = next(t for t in trials if t.number == chosen)
    now = trials[0].metrics
    assert found.metrics["ctr"].mean >= 0.97 * now["ctr"].mean
    assert any(found.metrics[name].mean > now[name].mean for name in wanted["objectives"])


def test_what_the_evaluator_doesnt_measure_cant_be_searched_for() -> None:
    with pytest.raises(SearchInvalid, match="ranker doesn't measure interest_diversity"):
        searched(EvaluatorKind.RANKER, objectives=("interest_diversity",), constraints=())


def test_a_scenario_without_a_surface_cant_be_searched_by_one() -> None:
    with pytest.raises(SearchUnavailable, match="video_feed has no surface"):
        build_what_if(load_settings(), VIDEO_FEED, Evaluator(kind=EvaluatorKind.SURFACE))
