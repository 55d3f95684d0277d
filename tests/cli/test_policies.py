import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from reward_llm.cli.policies import _filled
from reward_llm.errors import WeightsInvalid

SCOPE = ("home_feed", "--segment", "new_user")
FILTER = ("--scenario", *SCOPE)


def edited(client, *weights: str) -> dict[str, object]:
    return json.loads(client("policies", "edit", *SCOPE, *weights, "--reason", "a try", "--json").out)


def test_an_edit_becomes_a_policy_that_can_be_listed_shown_and_activated(client):
    policy = edited(client, "gmv=0.25")
    assert policy["weights"]["gmv"] == 0.25
    assert sum(policy["weights"].values()) == pytest.approx(1)
    assert policy["policy_id"] in client("policies", "--scenario", "home_feed", "--segment", "new_user").out
    assert "0.200 → 0.250" in client("policies", "show", policy["policy_id"]).out
    put = client("policies", "activate", policy["policy_id"])
    assert put.code == 0
    assert "is activated for home_feed/new_user" in put.out
    served = json.loads(client("weights", *SCOPE, "--json").out)
    assert served["policy_id"] == policy["policy_id"]


def test_an_earlier_policy_is_rolled_back_to_by_activating_it_again(client):
    first, second = edited(client, "gmv=0.26"), edited(client, "gmv=0.27")
    for policy in (first, second, first):
        assert client("policies", "activate", policy["policy_id"]).code == 0
    assert json.loads(client("weights", *SCOPE, "--json").out)["policy_id"] == first["policy_id"]


def test_a_large_edit_is_approved_by_somebody_else_before_it_is_activated(client):
    wanted = ("home_feed", "gmv=0.45", "retention=0.15")
    shown = client("policies", "edit", *wanted, "--reason", "a sale").out
    assert "0 of 1 approvals" in shown
    policy = json.loads(client("policies", "--scenario", "home_feed", "--json").out)["items"][0]["policy_id"]
    assert f"policies approve {policy}" in shown
    refused = client("policies", "activate", policy)
    assert (refused.code, "1 of 1 approvals are missing" in refused.err) == (1, True)
    assert "in review" in client("policies", "request-review", policy, "--comment", "please").out
    assert "own approvals don't count" in client("policies", "approve", policy).err
    approved = client("policies", "approve", policy, "--comment", "fine", LOGNAME="li")
    assert "approved by li: fine" in approved.out
    assert f"policies activate {policy}" in approved.out
    put = client("policies", "activate", policy, "--percent", "10", LOGNAME="wang")
    assert "10%" in put.out
    assert client("scopes", "rollback", "home_feed", "--reason", "a try").code == 0
    assert json.loads(client("policies", "show", policy, "--json").out)["state"] == "rolled_back"


def test_a_rejected_or_withdrawn_policy_is_shown_as_that(client):
    rejected, withdrawn = (edited(client, w)["policy_id"] for w in ("gmv=0.24", "gmv=0.23"))
    assert client("policies", "reject", rejected).code == 2
    assert "rejected by li: no" in client("policies", "reject", rejected, "--comment", "no", LOGNAME="li").out
    assert "已撤回" in client("policies", "withdraw", withdrawn, "--reason", "typo", "--lang", "zh").out
    assert "rejected" in client("policies", *FILTER).out
    assert client("policies", "activate", rejected).code == 1


def test_a_schedule_is_drawn_changed_and_called_off(client):
    first, second = (edited(client, w)["policy_id"] for w in ("gmv=0.22", "gmv=0.23"))
    window = ("--from", "2099-07-01T00:00:00Z", "--until", "2099-07-03T00:00:00Z")
    assert "cuts into nothing" in client("policies", "conflicts", first, *window).out
    sequence = str(json.loads(client("policies", "activate", first, *window, "--json").out)["sequence"])
    assert first in client("policies", "conflicts", second, *window).out
    refused = client("policies", "activate", second, *window)
    assert (refused.code, first in refused.err) == (1, True)
    accepted = json.loads(client("policies", "activate", second, *window, "--accept-conflicts", "--json").out)
    drawn = client("policies", "calendar", *FILTER, "--lang", "zh").out
    assert (first in drawn, second in drawn, "已排期" in drawn) == (True, True, True)
    changed = client(
        "policies", "change", sequence, "--percent", "20", "--until", "open", "--accept-conflicts", "--json"
    )
    assert [json.loads(changed.out)[k] for k in ("percent", "until", "revision")] == [20, None, 2]
    late = client("policies", "change", sequence, "--percent", "30", "--revision", "1")
    assert (late.code, "percent: you sent 30.0, it is 20.0" in late.err) == (1, True)
    for number in (sequence, str(accepted["sequence"])):
        assert "cancelled" in client("policies", "end", number, "--reason", "a try").out
    assert first not in client("policies", "calendar", *FILTER).out


def test_an_edit_may_be_for_one_version_only(client):
    newest = edited(client, "gmv=0.24")
    edited(client, "gmv=0.25")
    weights = ("gmv=0.26", "--reason", "a try", "--after", newest["content_hash"])
    late = client("policies", "edit", *SCOPE, *weights)
    assert (late.code, "weights/gmv: you sent 0.26, it is 0.25" in late.err) == (1, True)


def test_an_edit_that_the_gate_refuses_shows_every_violation_at_its_path(client):
    result = client("policies", "edit", *SCOPE, "gmv=0.9", "click=0.01", "--reason", "all in")
    assert result.code == 1
    assert "  weights/gmv: 0.9 is outside [0.05, 0.5]" in result.err
    assert "  weights/click: 0.01 is outside [0.05, 0.5]" in result.err


def test_weights_that_are_over_1_are_refused(client):
    result = client("policies", "edit", *SCOPE, "gmv=0.9", "click=0.9", "--reason", "all in")
    assert result.code == 1
    assert "not to 1" in result.err


def test_an_edit_needs_a_reason(client):
    assert client("policies", "edit", *SCOPE, "gmv=0.25").code == 2


def test_a_window_is_sent_along(client):
    policy = edited(client, "gmv=0.28")
    window = ("--from", "2099-06-18T00:00:00+08:00", "--until", "2099-06-19T00:00:00+08:00")
    put = json.loads(client("policies", "activate", policy["policy_id"], *window, "--json").out)
    assert (put["from"], put["until"]) == ("2099-06-17T16:00:00Z", "2099-06-18T16:00:00Z")
    assert client("policies", "activate", policy["policy_id"], "--from", "tomorrow").code == 1


def test_an_unknown_policy_is_refused(client):
    assert client("policies", "activate", "pol_none").code == 1
    assert client("policies", "show", "pol_none").code == 1


ACTIVE = {"a": 0.5, "b": 0.3, "c": 0.2}


@given(st.dictionaries(st.sampled_from("ab"), st.floats(0, 1), min_size=1))
def test_what_is_not_named_shares_what_is_left_in_proportion(named):
    assume(sum(named.values()) <= 1)
    filled = _filled(named, ACTIVE)
    assert sum(filled.values()) == pytest.approx(1)
    assert all(filled[u] == pytest.approx(w, abs=1e-4) for u, w in named.items())
    if "b" not in named:
        assert filled["b"] * ACTIVE["c"] == pytest.approx(filled["c"] * ACTIVE["b"], abs=1e-4)


@pytest.mark.parametrize("named", [{"a": 0.8, "b": 0.3}, {"a": -0.1}, {"a": 0.2, "b": 0.2, "c": 0.2}])
def test_weights_that_cannot_be_filled_up_to_1_are_refused(named):
    with pytest.raises(WeightsInvalid):
        _filled(named, ACTIVE)
