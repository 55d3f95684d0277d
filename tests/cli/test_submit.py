import json
import os

import pytest

SALE = "今天是618大促，GMV目标1亿，用户留存目标是65%"
LIFT = "Raise GMV by 15%"


def test_a_goal_is_shown_with_its_reading_and_the_way_to_look_it_up(client, service):
    result = client("submit", SALE)
    assert result.code == 0
    assert "gmv" in result.out
    assert "▲ raise" in result.out
    assert f"curl -s '{service}/v1/weights/home_feed'" in result.out
    assert "reward-llm policies approve pol_" in result.out
    assert "reward-llm policies activate pol_" in client("submit", LIFT).out


def test_the_display_speaks_the_language_that_is_asked_for(client):
    assert "▲ 提升" in client("submit", SALE, "--lang", "zh").out
    assert "▲ 提升" in client("submit", SALE, REWARD_LLM_LANG="zh").out


def test_json_is_the_answer_alone(client):
    result = client("submit", SALE, "--json")
    answer = json.loads(result.out)
    assert answer["text"] == SALE
    assert answer["decision"] == "propose"
    assert SALE in result.out


def test_a_dash_reads_the_goal_from_standard_input(client):
    answer = json.loads(client("submit", "-", "--json", stdin=f"{SALE}\n".encode()).out)
    assert answer["text"].strip() == SALE


def test_text_that_is_not_utf_8_is_wrong_usage(client):
    assert client("submit", "-", stdin=b"\xff\xfe").code == 2
    assert client("submit", os.fsdecode(b"GMV \xff")).code == 2


def test_targets_are_numbers_as_people_write_them(client):
    result = client("submit", SALE, "--target", "gmv=1亿", "--target", "retention=0.65", "--json")
    assert json.loads(result.out)["targets"] == {"gmv": 1e8, "retention": 0.65}


@pytest.mark.parametrize("targets", [["gmv"], ["gmv=lots"], ["=3"], ["gmv=nan"], ["gmv=1", "gmv=2"]])
def test_targets_that_are_no_numbers_are_wrong_usage(client, targets):
    assert client("submit", SALE, *(part for t in targets for part in ("--target", t))).code == 2


def test_activating_at_once_changes_what_is_served(client):
    answer = json.loads(client("submit", LIFT, "--segment", "mature_user", "--activate", "--yes", "--json").out)
    assert answer["state"] == "activated"
    served = json.loads(client("weights", "home_feed", "--segment", "mature_user", "--json").out)
    assert served["policy_id"] == answer["proposal"]["policy_id"]
    assert served["weights"]["gmv"] > 0.2


def test_a_reading_that_needs_a_person_is_not_activated_where_nobody_can_be_asked(client):
    result = client("submit", LIFT, "--segment", "new_user", "--activate", "--json")
    answer = json.loads(result.out)
    assert result.code == 1
    assert (answer["state"], answer["proposal"]["needs_review"]) == ("proposed", True)
    assert result.err.startswith("error: ")
    assert f"reward-llm policies activate {answer['proposal']['policy_id']}" in result.err
    assert "--yes" in result.err
    shown = client("submit", LIFT, "--segment", "new_user", "--activate")
    assert shown.code == 1
    assert "Needs a person: a list of words read this goal" in shown.out
    assert json.loads(client("weights", "home_feed", "--segment", "new_user", "--json").out)["source"] != "rules"


@pytest.mark.parametrize(("typed", "state"), [(b"y\n", "activated"), (b"\n", "proposed")])
def test_at_a_terminal_the_person_is_asked(client, typed, state):
    result = client("submit", LIFT, "--segment", "new_user", "--activate", stdin=typed, terminal=True)
    assert result.code == 0
    assert "Activate it all the same? [y/N]" in result.out
    newest = json.loads(client("goals", "--limit", "1", "--json").out)["items"][0]
    assert newest["state"] == state


def test_whoever_leaves_the_question_unanswered_activates_nothing(client):
    assert client("submit", LIFT, "--segment", "new_user", "--activate", terminal=True).code == 1


def test_a_proposal_that_lacks_approvals_waits_for_a_reviewer(client):
    result = client("submit", SALE, "--activate", "--yes")
    newest = json.loads(client("goals", "--limit", "1", "--json").out)["items"][0]["proposal"]
    assert result.code == 1
    assert f"{newest['policy_id']} is not activated: it has 0 of 1 approvals" in result.err
    assert f"reward-llm policies approve {newest['policy_id']}" in result.err
    assert f"a reviewer approves: reward-llm policies approve {newest['policy_id']}" in result.out
    assert newest["policy_state"] == "in_review"
    assert client("policies", "approve", newest["policy_id"], LOGNAME="li").code == 0
    assert client("policies", "activate", newest["policy_id"]).code == 0
    assert client("scopes", "rollback", "home_feed", "--reason", "a try").code == 0


def test_a_goal_that_asks_for_nothing_leaves_nothing_to_activate(client):
    result = client("submit", "今天中午吃什么？", "--activate")
    assert result.code == 0
    assert "the weights stay as they are" in result.out
    assert "nothing to activate" in result.out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["GMV", "--scenario", "home_fed"], "home_fed"),
        (["GMV", "--segment", "nobody"], "nobody"),
        (["GMV", "--target", "speed=3"], "speed"),
        ([" "], "empty"),
    ],
)
def test_a_refusal_is_one_readable_line_with_its_hint(client, arguments, says):
    result = client("submit", *arguments)
    assert result.code == 1
    assert result.err.startswith("error: ")
    assert says in result.err
    assert "Traceback" not in result.err
