import json
import os
import re

import pytest

from tests import service as services

TOKEN = re.compile(r"^rlm_[a-z2-7]{8}_[0-9a-f]{64}$", re.MULTILINE)


@pytest.fixture(scope="module")
def place(tmp_path_factory, unused_tcp_port_factory):
    """The environment of a program beside a real service that lets in who shows a token."""
    port, folder = unused_tcp_port_factory(), tmp_path_factory.mktemp("service")
    with services.service(folder, port, backend="rules", access="tokens"):
        variables = services.environment(folder, url=f"http://127.0.0.1:{port}")
        yield {k: v for k, v in variables.items() if v != os.environ.get(k)}


@pytest.fixture
def here(program, place, monkeypatch):
    """The program on the service's machine, without a token."""
    monkeypatch.delenv("REWARD_LLM_TOKEN", raising=False)
    return lambda *arguments, **options: program(*arguments, **place, **options)


@pytest.fixture
def admin(here, request):
    """The program with the token of an admin."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name)[:60]
    made = json.loads(here("tokens", "create", name, "--role", "admin", "--json").out)
    return lambda *arguments: here(*arguments, REWARD_LLM_TOKEN=made["token"])


def test_whoever_runs_the_machine_makes_the_first_token_in_the_database(here):
    assert here("goals").code == 1
    made = here("tokens", "create", "first", "--role", "admin")
    assert made.code == 0
    assert TOKEN.fullmatch(made.out.strip())
    assert "shown this once" in made.err
    assert here("goals", REWARD_LLM_TOKEN=made.out.strip()).code == 0


def test_a_token_is_named_after_its_maker_if_nothing_else_is_said(here):
    made = json.loads(here("tokens", "create", "--role", "viewer", "--json").out)
    assert made["name"] == made["created_by"]


def test_without_a_token_nothing_but_the_first_token_is_had(here):
    for command in (("goals",), ("weights", "home_feed"), ("tokens",), ("tokens", "revoke", "aaaaaaaa")):
        refused = here(*command)
        assert refused.code == 1
        assert "who asks isn't known" in refused.err


def test_an_admin_makes_lists_and_revokes_tokens_through_the_service(admin, here):
    wanted = ("--role", "editor", "--scenario", "home_feed", "--days", "7")
    made = json.loads(admin("tokens", "create", "feed-editor", *wanted, "--json").out)
    assert made["grants"] == [{"role": "editor", "scenario": "home_feed"}]
    assert "editor@home_feed" in admin("tokens").out
    assert here("weights", "home_feed", REWARD_LLM_TOKEN=made["token"]).code == 0
    assert "may not" in here("tokens", REWARD_LLM_TOKEN=made["token"]).err
    assert admin("tokens", "revoke", made["id"], "--reason", "done").code == 0
    assert made["id"] not in [t["id"] for t in json.loads(admin("tokens", "--json").out)["items"]]
    ended = json.loads(admin("tokens", "list", "--ended", "--json").out)["items"]
    assert {t["id"]: t["state"] for t in ended}[made["id"]] == "revoked"


def test_a_scenario_that_there_is_none_of_is_refused_both_ways(admin, here):
    for ask in (admin, here):
        refused = ask("tokens", "create", "lost", "--role", "viewer", "--scenario", "nowhere")
        assert refused.code == 1
        assert "no scenario 'nowhere'" in refused.err


def test_a_name_that_is_taken_is_refused_both_ways(admin, here):
    assert here("tokens", "create", "twin", "--role", "viewer").code == 0
    for ask in (admin, here):
        assert "there is a live token 'twin'" in ask("tokens", "create", "twin", "--role", "viewer").err


def test_the_actor_is_the_token_and_not_the_user(admin):
    made = json.loads(admin("tokens", "create", "watcher", "--role", "viewer", "--json").out)
    assert made["created_by"].startswith("test-the-actor-is-the-token")


def test_a_role_that_there_is_none_of_is_wrong_usage(here):
    assert here("tokens", "create", "x", "--role", "emperor").code == 2


@pytest.mark.parametrize("text", ["rlm_a b", "rlm_名"])
def test_what_can_not_be_sent_is_wrong_settings_and_not_shown(here, text):
    refused = here("goals", REWARD_LLM_TOKEN=text)
    assert refused.code == 2
    assert "token" in refused.err
    assert text not in refused.err


def test_a_line_end_behind_the_token_does_no_harm(here):
    made = json.loads(here("tokens", "create", "from-a-file", "--role", "viewer", "--json").out)
    assert here("goals", REWARD_LLM_TOKEN=made["token"] + "\n").code == 0
