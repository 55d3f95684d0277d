"""`reward-llm search`, against a real service whose searching process searches a small simulated market."""

from __future__ import annotations

import json
from typing import Any

import pytest

from reward_llm.cli.search import parsed_constraint
from reward_llm.errors import InvalidInput
from tests.cli.conftest import Program

SMALL = ("--users", "40", "--seeds", "1", "--recommender", "popular", "--method", "random")
FEW = ("--budget", "2", "--finalists", "1", "--final-evaluations", "4")
ASKED = ("search", "run", "home_feed", "--objective", "gmv", "--constraint", "ctr>=50%", *SMALL, *FEW)


def started(client: Program, *options: str) -> dict[str, Any]:
    result = client(*ASKED, *options, "--json")
    assert result.code == 0, result.err
    document: dict[str, Any] = json.loads(result.out)
    return document


def test_a_search_runs_to_its_end_and_is_proposed(client: Program) -> None:
    search = started(client)
    assert (search["state"], len(search["trials"])) == ("done", 7)
    assert search["constraints"] == [{"metric": "ctr", "least": 0.5, "relative": True}]
    assert search["evaluator"]["users"] == 40
    shown = client("search", "show", search["id"])
    assert shown.code == 0, shown.err
    assert "GMV" in shown.out
    assert f"reward-llm search propose {search['id']}" in " ".join(shown.out.split())
    in_chinese = client("search", "show", search["id"], "--lang", "zh").out
    assert "成交额" in in_chinese
    assert "已完成" in in_chinese
    proposed = client("search", "propose", search["id"], "--reason", "more money")
    assert proposed.code == 0, proposed.err
    step = " ".join(proposed.out.split())
    assert "reward-llm experiments create pol_" in step
    assert f"--name {search['id']} --primary gmv --guardrail ctr" in step
    document = json.loads(client("search", "show", search["id"], "--json").out)
    assert document["state"] == "proposed"
    policy = json.loads(client("policies", "show", document["policy_id"], "--json").out)
    assert (policy["source"], policy["origin"], policy["state"]) == ("search", search["id"], "draft")
    listed = client("search")
    assert search["id"] in listed.out
    assert "proposed" in listed.out
    refused = client("search", "resume", search["id"])
    assert (refused.code, "Start another one" in refused.err) == (1, True)


def test_one_search_is_made_for_each_segment_and_can_be_cancelled(client: Program) -> None:
    result = client(
        *ASKED, "--segment", "new_user", "--segment", "mature_user", "--budget", "200", "--no-wait", "--json"
    )
    assert result.code == 0, result.err
    searches = json.loads(result.out)
    assert [search["segment"] for search in searches] == ["new_user", "mature_user"]
    for search in searches:
        cancelled = json.loads(client("search", "cancel", search["id"], "--json").out)
        assert cancelled["state"] == "cancelled"
    shown = client("search", "show", searches[0]["id"])
    assert "reward-llm search resume" in shown.out
    listed = json.loads(client("search", "list", "--limit", "1", "--json").out)
    assert listed["items"][0]["id"] == searches[1]["id"]
    assert listed["next_cursor"]


@pytest.mark.parametrize(
    ("text", "least", "relative"), [("ctr>=0.05", 0.05, False), (" gmv >= 98%", 0.98, True), ("x>=-1", -1.0, False)]
)
def test_constraints_are_bounds_or_shares_of_what_is_now(text: str, least: float, relative: bool) -> None:
    parsed = parsed_constraint(text)
    assert (parsed["least"], parsed["relative"]) == (least, relative)


@pytest.mark.parametrize("text", ["ctr", "ctr<=1", "ctr>=1.2.3", ">=1", "ctr>=many"])
def test_what_is_no_constraint_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        parsed_constraint(text)
    assert "ctr>=98%" in (refused.value.hint or "")


def test_what_the_service_refuses_is_told(client: Program) -> None:
    refused = client("search", "run", "home_feed", "--objective", "gmv", "--prefer", "ctr")
    assert refused.code == 1
    assert "isn't an objective" in refused.err
