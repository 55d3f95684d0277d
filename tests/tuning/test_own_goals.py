from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.domain.scenario import Concept, Scenario
from reward_llm.tuning.corpus import CorpusInvalid, Label
from reward_llm.tuning.own_goals import language_of, load_labelled, load_unlabelled

CORPUS_LINE = {
    "goal": "Raise CTR", "lang": "en", "trade": "news", "decision": "propose",
    "intents": [{"utility": "click", "direction": "raise", "emphasis": "slight"}],
}  # fmt: skip


def evaluation_line(**expect: Any) -> dict[str, Any]:
    return {"id": "1", "lang": "en", "kind": "direct", "goal": "a goal", "expect": expect}


def written(folder: Path, *lines: Any) -> Path:
    file = folder / "mine.jsonl"
    file.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines), "utf-8")
    return file


def test_a_file_may_mix_both_formats(tmp_path: Path, home_feed: Scenario) -> None:
    file = written(tmp_path, CORPUS_LINE, "", evaluation_line(**{"raise": ["gmv"], "hold": ["click"], "top": "gmv"}))
    first, second = load_labelled([file], home_feed)
    assert first.labels == (Label(Concept.CLICK, Direction.RAISE, Emphasis.SLIGHT),)
    assert second.labels == (
        Label(Concept.CLICK, Direction.HOLD, Emphasis.CLEAR),
        Label(Concept.GMV, Direction.RAISE, Emphasis.DOMINANT),
    )
    assert {first.source, second.source} == {"mine"}


def test_what_an_evaluation_line_asserts_becomes_labels(tmp_path: Path, home_feed: Scenario) -> None:
    file = written(
        tmp_path,
        evaluation_line(**{"raise": ["diversity"], "lower": ["click"]}),
        evaluation_line(top="retention"),
        evaluation_line(outcome="no_change"),
    )
    moved, top, idle = load_labelled([file], home_feed)
    assert moved.directions == {(Concept.DIVERSITY, Direction.RAISE), (Concept.CLICK, Direction.LOWER)}
    assert {label.emphasis for label in moved.labels} == {Emphasis.CLEAR}
    assert top.labels == (Label(Concept.RETENTION, Direction.RAISE, Emphasis.DOMINANT),)
    assert idle.labels == ()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (evaluation_line(), "asserts too little"),
        (evaluation_line(outcome="no_change", hold=["gmv"]), "no_change with utilities"),
        (evaluation_line(top="gmv", hold=["gmv"]), "gmv is the top and yet"),
        (evaluation_line(**{"raise": ["sales"]}), "'sales' is no concept"),
        (evaluation_line(**{"raise": [c.value for c in Concept]}), "7 utilities; at most 6"),
        ({**CORPUS_LINE, "decision": "no_change"}, "no_change with 1 intents"),
        ({**CORPUS_LINE, "lang": "fr"}, "lang"),
        ({**evaluation_line(top="gmv"), "goal": " "}, "the goal is empty"),
        ("[1]", "not a JSON object"),
        ("raise CTR", "Expecting value"),
    ],
)
def test_a_line_that_is_no_label_is_refused_by_file_and_line(
    line: Any, problem: str, tmp_path: Path, home_feed: Scenario
) -> None:
    file = written(tmp_path, CORPUS_LINE, line)
    with pytest.raises(CorpusInvalid, match=problem) as caught:
        load_labelled([file], home_feed)
    assert f"{file}, line 2:" in caught.value.message


def test_a_file_that_is_empty_or_missing_is_refused(tmp_path: Path, home_feed: Scenario) -> None:
    with pytest.raises(CorpusInvalid, match="holds no goals"):
        load_labelled([written(tmp_path, "")], home_feed)
    with pytest.raises(CorpusInvalid, match="can't be read"):
        load_labelled([tmp_path / "none.jsonl"], home_feed)


def test_unlabelled_goals_are_json_or_plain_lines_each_once(tmp_path: Path) -> None:
    file = written(tmp_path, {"goal": "raise CTR", "id": 1}, "提升留存", "", "raise CTR", "{not json}")
    assert load_unlabelled(file) == ("raise CTR", "提升留存", "{not json}")


def test_a_document_without_a_goal_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusInvalid, match=r"mine\.jsonl, line 1: goal"):
        load_unlabelled(written(tmp_path, {"text": "raise CTR"}))


@pytest.mark.parametrize(("text", "lang"), [("提升留存", "zh"), ("raise CTR", "en"), ("提升CTR", "mixed")])
def test_a_text_is_of_the_language_of_its_letters(text: str, lang: str) -> None:
    assert language_of(text) == lang
