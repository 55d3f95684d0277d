"""Goals labelled by a model that reads them as in the service, and a model scored by goals that are labelled."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from reward_llm.domain.interpretation import Interpretation
from reward_llm.domain.scenario import Scenario
from reward_llm.tuning.config import Score
from reward_llm.tuning.corpus import Label, LabelledGoal, corpus_line, parse_goal
from reward_llm.tuning.own_goals import language_of
from reward_llm.tuning.score import scored

Reader = Callable[[Sequence[str]], Sequence[Interpretation | None]]
"""Reads goals as the service does; None where no answer of the model's own passed the gate."""
OpenReader = Callable[[Path], AbstractContextManager[Reader]]
"""Opens the reader of a checkpoint, which is let go at the block's end."""
AT_ONCE: Final = 16
"""Goals that are read between two writes to disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """What a teacher made of goals; those whose answers were dropped are counted by why."""

    goals: tuple[LabelledGoal, ...]
    refused: int
    """No answer of the teacher's passed the gate."""
    uncertain: int
    """The teacher's confidence was below the least."""


def score_readings(goals: Sequence[LabelledGoal], readings: Sequence[Interpretation | None]) -> Score:
    """How often the readings are what the goals' labels say."""
    rows = []
    for goal, reading in zip(goals, readings, strict=True):
        intents = () if reading is None else reading.intents
        read = {(i.utility, i.direction.value, i.emphasis.value) for i in intents}
        exact = {(label.utility.value, label.direction.value, label.emphasis.value) for label in goal.labels}
        directional = {r[:2] for r in read} == {e[:2] for e in exact}
        rows.append((goal, reading is not None and directional, reading is not None and read == exact))
    return scored(rows)


def labelling_folder(out_dir: Path, teacher: str, least_confidence: float) -> Path:
    """The folder in which what that teacher says is kept."""
    return out_dir / "labels" / sha256(f"{teacher}\n{least_confidence}".encode()).hexdigest()[:12]


def label(
    goals: Sequence[str],
    scenario: Scenario,
    read: Reader,
    folder: Path,
    *,
    least_confidence: float = 0.0,
    on_progress: Callable[[int], None] = lambda done: None,
) -> Labelled:
    """Have a teacher label the goals; labelling that was broken off goes on where it was.

    Args:
        goals: The texts.
        scenario: Whose utilities the teacher names.
        read: The teacher.
        folder: Where labels are kept as a corpus file, `labelled.jsonl`, and dropped goals in `dropped.json`.
        least_confidence: Readings less certain than this are dropped; a teacher that tells no confidence is believed.
        on_progress: Is told how many goals are done.
    """
    book = _Book(folder)
    missing = [g for g in goals if g not in book]
    for start in range(0, len(missing), AT_ONCE):
        on_progress(len(goals) - len(missing) + start)
        some = missing[start : start + AT_ONCE]
        for goal, reading in zip(some, read(some), strict=True):
            book.enter(goal, reading, scenario, least_confidence)
        book.close_page()
    on_progress(len(goals))
    return book.of(goals)


class _Book:
    """What is known of goals, on disk."""

    def __init__(self, folder: Path) -> None:
        self._labels, self._drops = folder / "labelled.jsonl", folder / "dropped.json"
        folder.mkdir(parents=True, exist_ok=True)
        lines = self._labels.read_text("utf-8").split("\n")[:-1] if self._labels.is_file() else []
        self._lines = lines
        self._labelled = {g.goal: g for g in (parse_goal(line, self._labels.stem) for line in lines)}
        self._dropped: dict[str, str] = json.loads(self._drops.read_text("utf-8")) if self._drops.is_file() else {}

    def __contains__(self, goal: str) -> bool:
        return goal in self._labelled or goal in self._dropped

    def enter(self, goal: str, reading: Interpretation | None, scenario: Scenario, least: float) -> None:
        """Take down what was read."""
        if reading is None:
            self._dropped[goal] = "refused"
        elif reading.confidence is not None and reading.confidence < least:
            self._dropped[goal] = "uncertain"
        else:
            labelled = LabelledGoal.of(goal, language_of(goal), _labels(reading, scenario), self._labels.stem)
            self._lines.append(corpus_line(labelled))
            self._labelled[goal] = labelled

    def close_page(self) -> None:
        """Write both files; a crash leaves the older ones whole."""
        _replace(self._labels, "".join(f"{line}\n" for line in self._lines))
        _replace(self._drops, json.dumps(self._dropped, ensure_ascii=False, indent=2))

    def of(self, goals: Sequence[str]) -> Labelled:
        """What the book says of the goals."""
        reasons = [self._dropped[g] for g in goals if g in self._dropped]
        return Labelled(
            goals=tuple(self._labelled[g] for g in goals if g in self._labelled),
            refused=reasons.count("refused"),
            uncertain=reasons.count("uncertain"),
        )


def _labels(reading: Interpretation, scenario: Scenario) -> list[Label]:
    concepts = {u.name: u.concept for u in scenario.utilities}
    found = ((concepts[i.utility], i) for i in reading.intents)
    return [Label(concept, i.direction, i.emphasis) for concept, i in found if concept is not None]


def _replace(file: Path, text: str) -> None:
    fresh = file.with_suffix(".new")
    fresh.write_text(text, "utf-8")
    fresh.replace(file)
