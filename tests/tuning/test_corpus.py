from __future__ import annotations

import json
from pathlib import Path

import pytest

from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.domain.scenario import Concept
from reward_llm.tuning.corpus import CorpusInvalid, Label, corpus_dir, corpus_line, load_corpus, parse_goal

LINE = {
    "goal": "保住留存，把点击率提上去",
    "lang": "zh",
    "trade": "commerce",
    "decision": "propose",
    "intents": [
        {"utility": "retention", "direction": "hold", "emphasis": "clear"},
        {"utility": "click", "direction": "raise", "emphasis": "dominant"},
    ],
}


def write(folder: Path, *lines: object) -> Path:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / "some.jsonl").write_text(text, encoding="utf-8")
    return folder


def test_labels_stand_in_the_order_of_the_concepts_whatever_order_they_were_written_in(tmp_path: Path) -> None:
    (goal,) = load_corpus(write(tmp_path, LINE))
    assert goal.labels == (
        Label(Concept.CLICK, Direction.RAISE, Emphasis.DOMINANT),
        Label(Concept.RETENTION, Direction.HOLD, Emphasis.CLEAR),
    )
    assert goal.source == "some"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "JSON"),
        ({**LINE, "goal": " "}, "empty"),
        ({**LINE, "lang": "fr"}, "lang"),
        ({**LINE, "intents": []}, "propose with 0 intents"),
        ({**LINE, "decision": "no_change"}, "no_change with 2 intents"),
        ({**LINE, "intents": [LINE["intents"][0]] * 2}, "retention is labelled twice"),  # type: ignore[index]
        ({**LINE, "intents": [{"utility": "fame", "direction": "raise", "emphasis": "clear"}]}, "utility"),
    ],
)
def test_a_bad_line_is_named_with_its_file_and_reason(tmp_path: Path, line: object, reason: str) -> None:
    with pytest.raises(CorpusInvalid, match=rf"some\.jsonl, line 2: .*{reason}"):
        load_corpus(write(tmp_path, LINE, line))


def test_a_folder_without_goals_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusInvalid, match=r"no \*\.jsonl file"):
        load_corpus(tmp_path)


def test_the_corpus_that_ships_asks_for_every_utility_in_every_direction() -> None:
    goals = load_corpus(corpus_dir())
    asked = {(label.utility, label.direction) for goal in goals for label in goal.labels}
    assert asked == {(u, d) for u in Concept for d in Direction}


def test_no_text_of_the_corpus_that_ships_has_two_readings() -> None:
    readings: dict[str, set[frozenset[object]]] = {}
    for goal in load_corpus(corpus_dir()):
        readings.setdefault(goal.goal.strip(), set()).add(frozenset(goal.directions))
    assert [text for text, seen in readings.items() if len(seen) > 1] == []


def test_a_goal_written_as_a_line_is_read_again_as_it_was() -> None:
    goals = load_corpus(corpus_dir())[::997]
    assert [parse_goal(corpus_line(g), g.source) for g in goals] == list(goals)
