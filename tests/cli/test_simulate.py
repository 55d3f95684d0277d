"""`reward-llm simulate`; small markets stand in for those that it takes by itself."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reward_llm.agents.simulation.run import simulate
from reward_llm.cli import simulate as command
from reward_llm.cli.wording import Lang, say
from reward_llm.domain.simulation import Outcome, SimulationPlan, SimulationReport
from tests.agents.simulation.scripted import report as scripted_report
from tests.cli.conftest import Program

Simulating = Callable[..., dict[str, Any]]


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> list[SimulationPlan]:
    """The plans that are asked for, of which none is simulated."""
    asked: list[SimulationPlan] = []

    def scripted(plan: SimulationPlan, processes: int, on_progress: Callable[[int], None]) -> SimulationReport:
        assert processes >= 1
        on_progress(plan.steps)
        asked.append(plan)
        return scripted_report(plan)

    monkeypatch.setattr(command.bootstrap, "simulate", scripted)
    return asked


def test_a_quick_simulation_answers_programs(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real thing, only that its market is smaller still."""
    monkeypatch.setattr(command, "QUICK_USERS", 40)
    monkeypatch.setattr(command, "MAX_DAYS", 10)
    result = program("simulate", "gmv=0.4", "--recommender", "popular", "--quick", "--seeds", "2", "--json")
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert (document["scenario"], document["seeds"], document["users"]) == ("home_feed", 2, 40)
    assert [arm["name"] for arm in document["arms"]] == ["defaults", "gmv=0.4"]
    assert document["arms"][1]["weights"]["gmv"] == 0.4
    assert sum(document["arms"][1]["weights"].values()) == pytest.approx(1)
    assert [row["outcome"] for row in document["result"]["rows"]] == [o.value for o in Outcome]
    assert document["result"]["rows"][5]["arms"][0]["mean"] > 0


def test_without_subjects_recommenders_are_compared_under_the_defaults(
    program: Program, plans: list[SimulationPlan]
) -> None:
    assert program("simulate", "--quick").code == 0
    assert program("simulate").code == 0
    quick, full = plans
    assert [arm.name for arm in quick.arms] == ["item_cf", "marketplace"]
    assert len(full.arms) == 7
    assert (quick.days, full.days) == (30, 30)
    assert quick.users < full.users
    assert {tuple(arm.weights.items()) for arm in full.arms} == {tuple(full.arms[0].weights.items())}


def test_a_goal_is_read_here_and_its_weights_are_tried(program: Program, plans: list[SimulationPlan]) -> None:
    goal = "Raise GMV by 15% this weekend"
    result = program("simulate", goal, "--quick", REWARD_LLM_BACKEND="rules", REWARD_LLM_URL="http://127.0.0.1:9")
    assert result.code == 0, result.err
    default, tried = plans[0].arms
    assert (tried.origin, tried.source, tried.goal, tried.name) == ("goal", "rules", goal, goal)
    assert tried.weights["gmv"] > default.weights["gmv"]
    assert "Raise GMV" in result.out


def test_a_policy_of_the_service_is_tried(client: Program, plans: list[SimulationPlan]) -> None:
    edited = client("policies", "edit", "home_feed", "gmv=0.22", "--reason", "to try it", "--json")
    assert edited.code == 0, edited.err
    policy = json.loads(edited.out)
    result = client("simulate", policy["policy_id"], "--recommender", "bandit")
    assert result.code == 0, result.err
    tried = plans[0].arms[1]
    assert (tried.policy_id, dict(tried.weights)) == (policy["policy_id"], policy["weights"])
    elsewhere = client("simulate", policy["policy_id"], "--scenario", "video_feed")
    assert elsewhere.code == 1
    assert "--scenario home_feed" in elsewhere.err


def test_several_recommenders_try_every_subject(program: Program, plans: list[SimulationPlan]) -> None:
    chosen = ("--recommender", "bandit", "--recommender", "meta")
    assert program("simulate", "gmv=0.4,click=0.3", *chosen).code == 0
    assert [arm.name for arm in plans[0].arms] == [
        "bandit: defaults",
        "meta: defaults",
        "bandit: gmv=0.4,click=0.3",
        "meta: gmv=0.4,click=0.3",
    ]


@pytest.mark.parametrize("lang", Lang)
def test_people_get_a_table_in_their_language_and_a_page(
    program: Program, plans: list[SimulationPlan], tmp_path: Path, lang: Lang
) -> None:
    page = tmp_path / "simulation.html"
    result = program("simulate", "gmv=0.4", "--html", str(page), "--lang", lang.value)
    assert result.code == 0, result.err
    for outcome in Outcome:
        assert say(f"outcome_{outcome}", lang) in result.out
    assert "40.20 ±" in result.out, "the scripted outcomes are the weights of gmv"
    assert page.read_text("utf-8").count("<polyline") == 2 * len(Outcome)
    many = program("simulate", "--quick", "gmv=0.4", "gmv=0.3", "--lang", lang.value)
    assert "gmv=0.3" in many.out
    assert "40.10 ±" in many.out
    assert len({say(f"outcome_{outcome}", lang) for outcome in Outcome}) == len(Outcome)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--scenario", "home_fed"], "no scenario 'home_fed'"),
        (["gmw=0.4"], "no utility gmw"),
        (["gmv=0.7,click=0.7"], "add up"),
        (["gmv=0.4", "gmv=0.4"], "there twice"),
        (["   "], "the goal is empty"),
        ([f"gmv=0.{n}" for n in range(1, 9)], "at most 8"),
    ],
)
def test_what_cant_be_simulated_is_refused_before_anything_runs(
    program: Program, plans: list[SimulationPlan], arguments: list[str], told: str
) -> None:
    result = program("simulate", *arguments, REWARD_LLM_BACKEND="rules")
    assert result.code == 1
    assert told in result.err
    assert plans == []


def test_a_page_that_cant_be_written_is_refused(
    program: Program, plans: list[SimulationPlan], tmp_path: Path
) -> None:
    result = program("simulate", "--quick", "--html", str(tmp_path / "missing" / "page.html"))
    assert result.code == 1
    assert "can't be written" in result.err


def test_what_the_command_runs_is_what_the_agents_simulate() -> None:
    assert command.bootstrap.simulate.__module__ == "reward_llm.bootstrap.simulation"
    assert simulate.__module__ == "reward_llm.agents.simulation.run"
