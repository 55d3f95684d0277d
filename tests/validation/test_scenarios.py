from __future__ import annotations

import pytest

from reward_llm.errors import ScenarioInvalid
from reward_llm.resources import scenarios_dir
from reward_llm.validation.scenarios import load_scenario, load_scenarios, parse_scenario

HOME_FEED = (scenarios_dir() / "home_feed.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "null is not of type"),
        ("[1", "isn't YAML"),
        ("name: x", '"title" is a required property'),
        (HOME_FEED.replace("max_step:", "max_stp:"), "'max_stp' was unexpected"),
        (HOME_FEED.replace("default: 0.25", "default: a quarter"), "utilities/0/default"),
        (HOME_FEED.replace("default: 0.25", "default: .nan"), "0/default|default ≤ max"),
        (HOME_FEED.replace("concept: gmv", "concept: money"), "utilities/1/concept"),
        (HOME_FEED.replace("default: 0.25", "default: 0.35"), "add up to 1.1"),
        (HOME_FEED.replace("step_over: 0.45, ", ""), "has no condition"),
        (HOME_FEED.replace("{step_over: 0.45", "{lowers: [clicks]"), "'clicks' isn't one of its utilities"),
        (HOME_FEED.replace("step_over: 0.45", "step_above: 0.45"), "'step_above' was unexpected"),
        (HOME_FEED.replace("step_over: 0.45", "sources: [oracle]"), "review/raised/0/sources/0"),
        (HOME_FEED.replace("approvals: 1}", "approvals: 6}"), "approvals must be 0 to 5"),
    ],
)
def test_a_broken_file_is_refused_with_the_place_that_is_wrong(text, complaint):
    with pytest.raises(ScenarioInvalid, match=complaint):
        parse_scenario(text, "home_feed.yaml")


def test_a_file_of_ones_own_is_enough_to_add_a_scenario(tmp_path):
    (tmp_path / "search_page.yaml").write_text(HOME_FEED.replace("name: home_feed", "name: search_page"), "utf-8")
    assert set(load_scenarios([scenarios_dir(), tmp_path])) == {"home_feed", "video_feed", "search_page"}


def test_a_file_must_bear_its_scenarios_name(tmp_path):
    (tmp_path / "other.yaml").write_text(HOME_FEED, "utf-8")
    with pytest.raises(ScenarioInvalid, match="holds the scenario 'home_feed'"):
        load_scenario(tmp_path / "other.yaml")


def test_what_cannot_be_read_is_an_error_of_the_scenario(tmp_path):
    (tmp_path / "latin.yaml").write_bytes(b"name: caf\xe9")
    for name in ("missing.yaml", "latin.yaml"):
        with pytest.raises(ScenarioInvalid, match="can't be read"):
            load_scenario(tmp_path / name)
    with pytest.raises(ScenarioInvalid, match="no scenario files"):
        load_scenarios([tmp_path / "empty"])
