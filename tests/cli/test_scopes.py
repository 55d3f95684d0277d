import json

import pytest

SCOPE = ("home_feed", "--segment", "mature_user")


@pytest.fixture
def policy(client):
    """A policy in force for the segment, which is taken out again."""
    made = json.loads(client("policies", "edit", *SCOPE, "gmv=0.21", "--reason", "a try", "--json").out)
    activation = json.loads(client("policies", "activate", made["policy_id"], "--json").out)
    yield made["policy_id"]
    client("policies", "end", str(activation["sequence"]), "--reason", "the test is over")


def test_a_scope_shows_what_holds_and_what_lies_below(client, policy):
    shown = client("scopes", "show", *SCOPE)
    assert shown.code == 0
    assert f"{policy} · version" in shown.out
    assert "the segment's activation" in shown.out
    assert "In force, the winning one first" in shown.out
    assert policy in client("scopes").out
    assert "人群的激活" in client("scopes", "--lang", "zh").out


def test_a_rollback_takes_out_what_holds(client, policy):
    done = client("scopes", "rollback", *SCOPE, "--reason", "complaints")
    assert (done.code, f"Taken out of force: {policy}" in done.out) == (0, True)
    assert json.loads(client("scopes", "show", *SCOPE, "--json").out)["served"]["policy_id"] != policy
    back = json.loads(client("scopes", "rollback", *SCOPE, "--to", policy, "--reason", "it was fine", "--json").out)
    assert back["scope"]["served"]["policy_id"] == policy
    assert client("scopes", "rollback", *SCOPE, "--reason", "again").code == 0


def test_a_frozen_scope_serves_the_defaults_until_it_is_unfrozen(client, policy):
    frozen = client("scopes", "freeze", *SCOPE, "--reason", "an incident", LOGNAME="li")
    assert "home_feed/mature_user is frozen and serves the defaults." in frozen.out
    assert "by li: an incident" in frozen.out
    assert "frozen: the defaults" in client("weights", *SCOPE).out
    assert client("policies", "activate", policy).code == 1
    assert "未冻结" in client("scopes", "unfreeze", *SCOPE, "--reason", "over", "--lang", "zh").out
    assert json.loads(client("weights", *SCOPE, "--json").out)["policy_id"] == policy


@pytest.mark.parametrize("command", ["rollback", "freeze", "unfreeze"])
def test_a_switch_needs_a_reason(client, command):
    assert client("scopes", command, *SCOPE).code == 2


def test_an_unknown_scope_is_refused(client):
    assert client("scopes", "show", "home_fed").code == 1
    assert client("scopes", "freeze", "home_feed", "--segment", "vip", "--reason", "x").code == 1
