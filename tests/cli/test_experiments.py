import json

import httpx
import pytest

from reward_llm.cli.experiments_display import outcome_text
from reward_llm.cli.wording import Lang, say
from reward_llm.domain.experiments import ExperimentState
from tests.api.harness import EDITED
from tests.console.outcomes import OUTCOMES


@pytest.fixture
def policy(service):
    sent = {"scenario": "home_feed", "weights": EDITED, "reason": "try"}
    return httpx.post(f"{service}/v1/policies", json=sent, timeout=60).json()["policy_id"]


@pytest.fixture
def planned(client, policy):
    """The id of an experiment on record."""
    arguments = ("--primary", "gmv", "--guardrail", "next_day_retention:0.02", "--guardrail", "ctr", "--json")
    result = client("experiments", "create", policy, "--name", "More GMV", *arguments)
    assert result.code == 0, result.err
    return json.loads(result.out)["id"]


def test_an_experiment_is_planned_started_and_stopped(client, planned, policy):
    shown = client("experiments", "show", planned)
    assert "More GMV" in shown.out
    assert f"{policy} on 50 % of the users, against what is in force" in shown.out
    started = client("experiments", "start", planned, "--json")
    assert started.code == 0, started.err
    assert json.loads(started.out)["guardrails"][0] == {"metric": "next_day_retention", "margin": 0.02}
    listed = client("experiments", "--state", "running")
    assert planned in listed.out
    stopped = client("experiments", "stop", planned, "--reason", "enough")
    assert "stopped: stopped by a person" in stopped.out
    assert client("experiments", "stop", planned, "--reason", "again").code == 1


def test_how_long_it_takes_is_shown(client):
    known = ("--value", "0.1", "--deviation", "0.2", "--units", "7000")
    result = client("experiments", "plan", "home_feed", "--metric", "ctr", "--effect", "0.05", *known)
    assert result.code == 0, result.err
    assert "5.0% of CTR (0.1) with power 80%" in result.out
    assert "a look a day, at the latest" in result.out
    assert "50,23" in result.out
    strict = client(
        "experiments", "plan", "home_feed", "--metric", "ctr", "--effect", "0.05", "--alpha", "0.01", *known
    )
    assert "74,74" in strict.out


def test_experiments_are_shown_in_chinese(client, planned):
    assert "已计划" in client("experiments", "show", planned, "--lang", "zh").out


def test_a_margin_that_is_none_is_refused(client, policy):
    result = client("experiments", "create", policy, "--name", "x", "--primary", "ctr", "--guardrail", "gmv:much")
    assert result.code == 1
    assert "gmv:0.02" in result.err


def test_what_the_service_refuses_is_said(client, policy):
    result = client("experiments", "create", policy, "--name", "x", "--primary", "ndcg")
    assert result.code == 1
    assert "isn't told user by user" in result.err


def test_no_experiment_says_so(client):
    assert "No experiment is on record." in client("experiments", "--scenario", "video_feed").out


@pytest.mark.parametrize("state", ExperimentState)
def test_every_state_has_words_in_both_languages(state):
    key = f"experiment_state_{state}"
    assert key not in {say(key, Lang.EN), say(key, Lang.ZH)}


@pytest.mark.parametrize("lang", Lang)
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_outcome_has_words_in_both_languages(outcome, lang):
    told = outcome_text(outcome, lang)
    assert told != outcome
    assert "_" not in told, "no code, key or name of a metric stands for itself"


def test_an_outcome_that_nobody_knows_stands_for_itself():
    assert outcome_text("weather", Lang.ZH) == "weather"
