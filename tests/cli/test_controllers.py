import json

import pytest

PLAN = """\
scenario: home_feed
segment: new_user
name: a fifth
utility: cold_start
exposure: {metric: cold_start_share, setpoint: 0.2, window: 5m}
gains: {proportional: 0.2, integral: 0.05}
envelope: {min: 0.05, max: 0.2}
slew: 0.02
"""
QUOTA = """\
scenario: home_feed
segment: new_user
utility: cold_start
quota: {metric: boost_spend, amount: 500.0, since: 2026-06-18T00:00:00+08:00, until: 2026-06-19T00:00:00+08:00}
gains: {proportional: 0.2}
envelope: {min: 0.05, max: 0.2}
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(PLAN, "utf-8")
    return path


@pytest.fixture
def base(client):
    """A policy in force in the segment, and in the end neither that nor a controller that isn't over."""
    where = ["home_feed", "--segment", "new_user"]
    made = client("policies", "edit", *where, "cold_start=0.1", "--reason", "base", "--json")
    policy = json.loads(made.out)["policy_id"]
    assert client("policies", "activate", policy).code == 0
    yield policy
    for one in json.loads(client("controllers", "--json").out)["items"]:
        client("controllers", "end", one["id"], "--reason", "tidy")
    client("scopes", "rollback", *where, "--reason", "tidy")


def test_a_controller_is_made_shown_paused_resumed_and_ended(client, base, plan):
    made = client("controllers", "create", str(plan), "--reason", "new creators", "--json")
    one = json.loads(made.out)
    assert (made.code, one["state"], one["base_policy"]) == (0, "running", base)
    shown = client("controllers", "show", one["id"]).out
    assert "cold-start share = 0.2 (5m)" in shown
    assert "cold_start between 0.05 and 0.2, at most 0.02 every 300 s" in " ".join(shown.split())
    assert one["id"] in client("controllers", "list", "--state", "running").out
    assert "paused · odd feed" in client("controllers", "pause", one["id"], "--reason", "odd feed").out
    assert "运行中" in client("controllers", "resume", one["id"], "--reason", "fine", "--lang", "zh").out
    assert "ended" in client("controllers", "end", one["id"], "--reason", "done").out
    assert client("controllers", "resume", one["id"], "--reason", "again").code == 1
    assert "No controller is on record" in client("controllers", "list", "--state", "overtaken").out


def test_a_quotas_moments_may_be_yamls_own(client, base, plan):
    plan.write_text(QUOTA, "utf-8")
    made = client("controllers", "create", str(plan), "--reason", "budget", "--json")
    target = json.loads(made.out)["plan"]["target"]
    assert (target["kind"], target["since"][:19]) == ("quota", "2026-06-17T16:00:00")


def test_what_cant_be_run_is_refused_with_its_place(client, base, plan):
    plan.write_text(PLAN.replace("cold_start\n", "joy\n", 1), "utf-8")
    refused = client("controllers", "create", str(plan), "--reason", "x")
    assert refused.code == 1
    assert "utility" in refused.err
    plan.write_text("- a list", "utf-8")
    assert client("controllers", "create", str(plan), "--reason", "x").code == 1
    assert client("controllers", "approve", "ctl_none").code == 1
