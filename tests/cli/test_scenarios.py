import json
from pathlib import Path

import pytest

from reward_llm.resources import scenarios_dir
from reward_llm.validation.baselines import check_baseline
from reward_llm.validation.scenarios import load_scenario
from reward_llm.validation.signatures import fingerprint, write_key_pair

HOME_FEED = (scenarios_dir() / "home_feed.yaml").read_text("utf-8")


def written(folder: Path, text: str) -> str:
    file = folder / "home_feed.yaml"
    file.write_text(text, "utf-8")
    return str(file)


def test_the_scenarios_that_ship_are_listed_and_shown(program):
    assert "home_feed" in program("scenarios").out
    shown = program("scenarios", "show", "home_feed")
    assert "cold_start" in shown.out
    assert "0.05–0.50" in shown.out
    assert "首页推荐流" in program("scenarios", "show", "home_feed", "--lang", "zh").out
    assert json.loads(program("scenarios", "show", "home_feed", "--json").out)["name"] == "home_feed"
    assert {s["name"] for s in json.loads(program("scenarios", "--json").out)} >= {"home_feed"}


def test_an_unknown_scenario_names_those_that_there_are(program):
    result = program("scenarios", "show", "home_fed")
    assert result.code == 1
    assert "home_feed" in result.err


def test_the_scenarios_that_ship_pass_the_check(program):
    result = program("scenarios", "check")
    assert result.code == 0
    assert "wrong" not in result.out


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ("default: 0.25", "default: a quarter", "utilities/0/default: "),
        ("default: 0.25", "default: 0.35", "the defaults add up to 1.1"),
        ("name: home_feed", "name: home_fed", "Name the file after the scenario"),
        ("utilities:", "utilities: [", "isn't YAML"),
        ("held: [retention]", "held: [retention]\n  speed: 3", "guardrails: "),
    ],
)
def test_each_violation_is_printed_and_exits_with_1(program, tmp_path, was, becomes, says):
    result = program("scenarios", "check", written(tmp_path, HOME_FEED.replace(was, becomes, 1)))
    assert result.code == 1
    assert says in result.out


def test_the_check_of_one_file_does_not_hide_another(program, tmp_path):
    wrong = written(tmp_path, HOME_FEED.replace("default: 0.25", "default: 0.35", 1))
    result = program("scenarios", "check", wrong, str(scenarios_dir() / "home_feed.yaml"), "--json")
    assert [f["valid"] for f in json.loads(result.out)] == [False, True]
    assert result.code == 1


def test_a_file_that_is_not_there_is_wrong(program, tmp_path):
    result = program("scenarios", "check", str(tmp_path / "none.yaml"))
    assert result.code == 1
    assert "can't be read" in result.out


def test_scenarios_of_ones_own_are_checked_as_well(program, tmp_path):
    written(tmp_path, HOME_FEED.replace("default: 0.25", "default: 0.35", 1))
    assert program("scenarios", "check", REWARD_LLM_SCENARIOS_DIR=str(tmp_path)).code == 1


def test_a_scenario_is_signed_for_the_service_to_check(program, tmp_path):
    file, private, public = written(tmp_path, HOME_FEED), tmp_path / "private.pem", tmp_path / "public.pem"
    key = write_key_pair(private, public)
    result = program("scenarios", "sign", file, "--key", str(private), "--json")
    assert json.loads(result.out) == {"file": file, "signature": f"{file}.sig", "key": fingerprint(key)}
    check_baseline(Path(file), load_scenario(Path(file)), key)
    assert program("scenarios", "sign", file, "--key", str(public)).code == 2


def test_the_review_rules_are_shown(program):
    shown = program("scenarios", "show", "home_feed").out
    assert "approvals needed: 0" in shown
    assert "1 for a step over 0.45" in shown
