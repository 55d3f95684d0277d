"""`reward-llm solve`, over the surface that ships and small ones that are made here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reward_llm.loop.surface.files import dump_surface, load_surface
from tests.cli.conftest import Program
from tests.loop.surface.problems import surface

TEXT = "GMV提升10%，次日留存不低于56%"
RULES = {"REWARD_LLM_BACKEND": "rules"}


@pytest.fixture
def surfaces(tmp_path: Path) -> str:
    """A folder with a surface of metrics that are known in closed form."""
    (tmp_path / "home_feed.json").write_text(dump_surface(surface()), "utf-8")
    return str(tmp_path)


def test_a_goal_is_solved_for_programs(program: Program, surfaces: str) -> None:
    result = program("solve", TEXT, "--json", **RULES, REWARD_LLM_SURFACES_DIR=surfaces)
    assert result.code == 0, result.err
    document = json.loads(result.out)
    assert (document["goal"], document["decision"], document["source"]) == (TEXT, "propose", "rules")
    solved = document["solved"]
    assert (solved["feasibility"], len(solved["demands"])) == ("feasible", 2)
    assert all(d["solved"]["met"] for d in solved["demands"])
    assert document["proposed"].keys() == solved["weights"].keys()


def test_a_person_sees_both_answers_and_what_is_in_the_way(program: Program, surfaces: str) -> None:
    shown = program("solve", "GMV提升10%，次日留存不低于90%", **RULES, REWARD_LLM_SURFACES_DIR=surfaces).out
    assert "can't be met" in shown
    assert "next-day retention 90.0%: the nearest that can be met is" in shown
    chinese = program("solve", "goal", TEXT, "--lang", "zh", **RULES, REWARD_LLM_SURFACES_DIR=surfaces).out
    assert "可以达到" in chinese
    assert "次日留存 ≥ 56.0%" in chinese


def test_a_target_beside_the_text_counts(program: Program, surfaces: str) -> None:
    result = program(
        "solve", "GMV提升10%", "--target", "retention=90%", "--json", **RULES, REWARD_LLM_SURFACES_DIR=surfaces
    )
    (blocker,) = json.loads(result.out)["solved"]["in_the_way"]
    assert blocker["utility"] == "retention"
    refused = program("solve", "GMV提升10%", "--target", "revenue=90%", **RULES)
    assert (refused.code, "has no utility revenue" in refused.err) == (1, True)


def test_what_demands_nothing_is_said_to_demand_nothing(program: Program) -> None:
    assert "Nothing to solve" in program("solve", "Good morning", **RULES).out
    assert json.loads(program("solve", "Good morning", "--json", **RULES).out)["solved"] is None


def test_a_surface_is_made_of_simulated_markets(program: Program, tmp_path: Path) -> None:
    file = tmp_path / "made.json"
    size = ("--points", "8", "--users", "20", "--seeds", "1", "--recommender", "popular", "--seed", "3")
    result = program("solve", "fit", *size, "--out", str(file))
    assert result.code == 0, result.err
    made = load_surface(file)
    assert (len(made.points), made.made_of["recommender"], made.made_of["seed"]) == (8, "popular", 3)
    assert "next_day_retention" in result.out
    assert "8 points" in result.out


def test_what_cant_be_used_is_said(program: Program, tmp_path: Path) -> None:
    (tmp_path / "home_feed.json").write_text("{}", "utf-8")
    broken = program("solve", TEXT, **RULES, REWARD_LLM_SURFACES_DIR=str(tmp_path))
    assert (broken.code, "holds no surface" in broken.err) == (1, True)
    assert "no scenario" in program("solve", TEXT, "--scenario", "nowhere").err
    assert program("solve", "fit", "--points", "3").code == 2
