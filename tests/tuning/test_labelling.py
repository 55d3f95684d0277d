from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from reward_llm import bootstrap
from reward_llm.domain.interpretation import Decision, Direction, Emphasis, Intent, Interpretation
from reward_llm.domain.scenario import Concept, Scenario
from reward_llm.errors import ModelError
from reward_llm.resources import checkpoint_dir
from reward_llm.tuning.corpus import Label, LabelledGoal, load_corpus
from reward_llm.tuning.labelling import AT_ONCE, label, score_readings

GOALS = [f"goal {n}" for n in range(AT_ONCE + 3)]
NOTHING = Interpretation(decision=Decision.NO_CHANGE)


def reading(utility: str = "click", confidence: float | None = None) -> Interpretation:
    intent = Intent(utility=utility, direction=Direction.RAISE, emphasis=Emphasis.CLEAR, confidence=confidence)
    return Interpretation(decision=Decision.PROPOSE, intents=(intent,))


class Gone(Exception):
    pass


def test_labelling_that_was_broken_off_goes_on(home_feed: Scenario, tmp_path: Path) -> None:
    asked: list[str] = []

    def fail_second(texts: Sequence[str]) -> list[Interpretation | None]:
        if asked:
            raise Gone
        asked.extend(texts)
        return [reading()] * (len(texts) - 1) + [None]

    with pytest.raises(Gone):
        label(GOALS, home_feed, fail_second, tmp_path)
    rest: list[str] = []

    def read(texts: Sequence[str]) -> list[Interpretation | None]:
        rest.extend(texts)
        return [reading("gmv") for _ in texts]

    labelled = label(GOALS, home_feed, read, tmp_path)
    assert asked + rest == GOALS
    assert (len(labelled.goals), labelled.refused) == (len(GOALS) - 1, 1)
    assert load_corpus(tmp_path) == labelled.goals


def test_what_the_gate_refuses_and_what_is_uncertain_is_dropped_and_counted(
    home_feed: Scenario, tmp_path: Path
) -> None:
    readings = [
        None,
        reading(confidence=0.2),
        reading(confidence=0.9),
        reading(),
        NOTHING,
    ]
    labelled = label(GOALS[:5], home_feed, lambda _: readings, tmp_path, least_confidence=0.5)
    assert [g.goal for g in labelled.goals] == GOALS[2:5]
    assert labelled.goals[-1].labels == ()
    assert (labelled.refused, labelled.uncertain) == (1, 1)


def test_a_reading_is_scored_by_its_directions_and_by_all_of_it() -> None:
    wanted = [Label(Concept.CLICK, Direction.RAISE, Emphasis.DOMINANT)]
    goals = [
        LabelledGoal.of("a", "en", wanted, "x"),
        LabelledGoal.of("b", "en", [], "x"),
        LabelledGoal.of("c", "en", [], "x"),
    ]
    scored = score_readings(goals, [reading(), NOTHING, None])
    assert (scored.directional, scored.exact) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert (scored.asking, scored.abstention) == (1.0, 0.5)


def test_the_shipped_model_labels_as_in_the_service(home_feed: Scenario, tmp_path: Path) -> None:
    with bootstrap.open_reader(checkpoint_dir()) as read:
        labelled = label(["提升点击率", "今天中午吃什么？", " "], home_feed, read, tmp_path)
    assert labelled.goals[0].directions == {(Concept.CLICK, Direction.RAISE)}
    assert labelled.refused >= 1, "a blank goal can't be read"


def test_a_teacher_that_is_not_there_is_an_error_and_no_label(
    home_feed: Scenario, tmp_path: Path, unused_tcp_port: int
) -> None:
    with (
        bootstrap.open_reader(f"http://127.0.0.1:{unused_tcp_port}/v1") as read,
        pytest.raises(ModelError, match="can't be reached"),
    ):
        label(GOALS, home_feed, read, tmp_path)
    assert not (tmp_path / "labelled.jsonl").exists()
