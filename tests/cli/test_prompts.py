import io
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from rich.console import Console

from reward_llm.cli.prompt_display import show_diff, show_evaluation
from reward_llm.cli.wording import Lang
from reward_llm.resources import golden_dir

NAME = "goal_to_intents"
GOALS = len((golden_dir() / f"{NAME}.jsonl").read_text("utf-8").splitlines())
NUMBERS = itertools.count(1)


@pytest.fixture
def make(client, tmp_path: Path) -> Callable[..., dict[str, object]]:
    """Makes a version like the one that ships, measured by another threshold."""

    def call(threshold: float = 0.1, **environment: str) -> dict[str, object]:
        text = client("prompts", "show", f"{NAME}@1", "--file").out
        changed = text.replace("threshold: 0.8", f"threshold: {threshold}", 1)
        file = tmp_path / "prompt.md"
        file.write_text(changed.replace("description: Reads", f"description: Try {next(NUMBERS)}. Reads", 1), "utf-8")
        made = client("prompts", "new", str(file), "--reason", "a try", "--json", LOGNAME="li", **environment)
        return json.loads(made.out)

    return call


def test_prompts_and_their_versions_are_listed(client, make):
    version = make()
    assert "production → " in client("prompts").out
    assert "goal_to_points" in client("prompts", "list").out
    listed = client("prompts", "list", NAME, "--limit", "50").out
    assert version["content_hash"][:12] in listed
    assert [p["name"] for p in json.loads(client("prompts", "--json").out)["items"]] == [NAME, "goal_to_points"]


def test_a_version_is_named_by_number_by_label_or_as_the_newest(client, make):
    version = make()
    for which in (f"@{version['version']}", "@newest"):
        assert json.loads(client("prompts", "show", f"{NAME}{which}", "--json").out) == version
    production = json.loads(client("prompts", "show", NAME, "--json").out)
    assert "production" in production["labels"]
    shown = client("prompts", "show", version["id"]).out
    assert version["id"] in shown
    assert "# system" in shown
    assert client("prompts", "show", f"{NAME}@nowhere").code == 1
    assert client("prompts", "show", f"{NAME}@999").code == 1


def test_a_new_version_says_what_may_be_done_next(client, tmp_path):
    file = tmp_path / "prompt.md"
    file.write_text(
        client("prompts", "show", f"{NAME}@1", "--file").out.replace("max_tokens: 600", "max_tokens: 500")
    )
    made = client("prompts", "new", str(file), "--reason", "shorter answers")
    assert made.code == 0
    assert "reward-llm prompts evaluate goal_to_intents@" in made.out


def test_a_version_may_come_from_standard_input(client):
    text = client("prompts", "show", f"{NAME}@1", "--file").out
    made = client("prompts", "new", "-", "--reason", "the same", "--json", stdin=text.encode())
    assert json.loads(made.out)["version"] == 1


def test_a_prompt_that_breaks_its_contract_shows_every_place(client, tmp_path):
    file = tmp_path / "prompt.md"
    text = client("prompts", "show", f"{NAME}@1", "--file").out
    file.write_text(text.replace("max_tokens: 600", "max_tokens: 1") + "{{ secret }}\n")
    refused = client("prompts", "new", str(file), "--reason", "a try")
    assert refused.code == 1
    assert "  parameters/max_tokens: must be 16 to 4,096" in refused.err
    assert "secret" in refused.err


@pytest.mark.parametrize("content", [b"no front matter", b"\xff\xfe"])
def test_a_file_that_isnt_a_prompt_is_refused(client, tmp_path, content):
    file = tmp_path / "prompt.md"
    file.write_bytes(content)
    assert client("prompts", "new", str(file), "--reason", "a try").code == 1
    assert client("prompts", "new", str(tmp_path / "none.md"), "--reason", "a try").code == 1


def test_two_versions_are_compared(client, make):
    version = make(0.3)
    diff = client("prompts", "diff", NAME, "1", "newest").out
    assert "/golden/threshold" in diff
    assert "0.3" in diff
    same = client("prompts", "diff", NAME, str(version["version"]), str(version["version"]))
    assert same.out == "The two versions are the same.\n"
    assert not json.loads(client("prompts", "diff", NAME, "1", "newest", "--json").out)["same"]


def test_a_prompt_is_rendered_and_tried(client):
    rendered = client("prompts", "render", f"{NAME}@1", "Raise GMV", "--vocabulary", "concepts")
    assert "# system" in rendered.out
    assert '{"goal":"Raise GMV"' in rendered.out
    tried = client("prompts", "try", f"{NAME}@1", "Raise GMV a lot")
    assert tried.code == 0
    assert "[1] gmv ▲ raise" in tried.out
    assert "gmv" in tried.out
    assert "规则" in client("prompts", "try", f"{NAME}@1", "Raise GMV", "--lang", "zh").out
    assert json.loads(client("prompts", "try", f"{NAME}@1", "Raise GMV", "--json").out)["source"] == "rules"
    refused = client("prompts", "try", f"{NAME}@1", "Raise GMV", "--backend", "vllm")
    assert refused.code == 1
    assert "It can ask: rules" in refused.err


def test_a_version_is_measured_on_its_golden_set(client):
    measured = client("prompts", "evaluate", f"{NAME}@1", "--failures", "1")
    assert measured.code == 0
    assert "The rules see nothing of the prompt." in measured.out
    told = json.loads(client("prompts", "evaluate", f"{NAME}@1", "--json").out)
    assert told["overall"]["of"] == GOALS
    assert f"{told['score']:.1%}" in measured.out
    more = len(told["failures"]) - 1
    assert more < 1 or f"and {more} more" in measured.out


def test_a_label_moves_to_a_version_and_remembers_where_it_stood(client, make):
    first, second = make(), make()
    for version in (first, second):
        moved = client("prompts", "label", version["id"], "staging", "--reason", "try it", LOGNAME="wang")
        assert moved.out == f"staging stands on {version['id']}.\n"
    history = client("prompts", "history", NAME, "staging").out
    assert f"{first['version']} → {second['version']}" in history
    assert "wang" in history
    late = client("prompts", "label", first["id"], "staging", "--reason", "late", "--revision", "1")
    assert late.code == 1
    assert "somebody changed it since you read it" in late.err


def test_a_version_is_promoted_once_it_is_measured(client, make):
    version = make(0.1)
    assert client("prompts", "label", version["id"], "production", "--reason", "better", LOGNAME="wang").code == 0
    move = json.loads(client("prompts", "history", NAME, "--json").out)["items"][0]
    assert move["to"] == version["version"]
    assert move["evidence"]["candidate"]["score"] >= 0.1
    assert "%" in client("prompts", "history", NAME).out


def test_a_version_that_falls_short_takes_two_people_to_promote(client, make):
    version = make(1.0)
    promote = ("prompts", "label", version["id"], "production", "--reason", "all the same")
    refused = client(*promote, "--override", LOGNAME="wang")
    assert refused.code == 1
    assert "its threshold is 100.0%" in refused.err
    own = client("prompts", "override", version["id"], "--reason", "mine", LOGNAME="li")
    assert own.code == 1
    assert "li is the author" in own.err
    given = client("prompts", "override", version["id"], "--reason", "known to be odd", LOGNAME="zhao")
    assert given.out == f"Consented to {version['id']}: wang, zhao.\n"
    assert client(*promote, LOGNAME="wang").code == 0
    assert "wang, zhao" in client("prompts", "history", NAME).out


def printed(show: Callable[[Console], None]) -> str:
    out = io.StringIO()
    show(Console(file=out, width=100, highlight=False))
    return out.getvalue()


def evaluation(**changes: object) -> Mapping[str, object]:
    return {
        "golden_set": "four",
        "scenario": "home_feed",
        "backend": "vllm",
        "model": "qwen",
        "prompt_use": "whole",
        "score": 0.5,
        "directional": {"right": 2, "of": 4},
        "by_kind": {"direct": {"right": 2, "of": 2}, "metric": {"right": 0, "of": 2}},
        "by_lang": {},
        "failures": [
            {
                "id": f"g{n}",
                "goal": "提升GMV",
                "expected": "raise gmv",
                "read": "no_change",
                "source": "rules",
                "reason": r,
            }
            for n, r in ((1, None), (2, "model_timeout"))
        ],
        **changes,
    }


def test_an_evaluation_shows_failures_and_who_read_them():
    shown = printed(lambda to: show_evaluation(to, evaluation(), 0.8, 20, Lang.EN))
    assert "50.0%  (80.0% is needed for production)" in shown
    assert "no_change (rules)" in shown
    assert "metric" in shown
    first = printed(lambda to: show_evaluation(to, evaluation(), 0.8, 1, Lang.ZH))
    assert "另有 1 条" in first
    assert "g2" not in first


def test_a_diff_shows_what_is_absent_as_a_dash():
    diff = {
        "same": False,
        "system": "--- a\n+++ b\n@@ -1 +1 @@\n-[bold]old\n+new",
        "user": "",
        "fields": [{"path": "/examples/7", "before": None, "after": {"goal": "x"}}],
    }
    shown = printed(lambda to: show_diff(to, diff, Lang.EN))
    assert "-[bold]old\n+new" in shown
    assert "–" in shown
