"""A user's goals: labelled, in the corpus's format or the evaluation's, and unlabelled."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from reward_llm.domain.interpretation import MAX_INTENTS, Direction, Emphasis
from reward_llm.domain.scenario import Concept, Scenario
from reward_llm.tuning.corpus import CorpusInvalid, Label, LabelledGoal, Language, parse_goal, reason
from reward_llm.tuning.evaluation.lines import Expectation, LabelledLine

_HINT: Final = (
    'A line is a corpus line, {"goal", "lang", "trade", "decision", "intents"}, '
    'or an evaluation line, {"id", "lang", "kind", "goal", "expect"}.'
)
_CHINESE: Final = re.compile(r"[\u4e00-\u9fff]")
_LATIN: Final = re.compile(r"[A-Za-z]{2,}")


def load_labelled(files: Sequence[Path], scenario: Scenario) -> tuple[LabelledGoal, ...]:
    """The labelled goals of the files, each line in either format.

    An evaluation line becomes labels: `raise` and `lower` are clear, `top` is a dominant raise, `hold` is a hold, and
    `no_change` asks for nothing.

    Raises:
        CorpusInvalid: If a line is neither, or asserts too little to be a label; the message names file and line.
    """
    return tuple(goal for file in files for goal in _load(file, scenario))


def load_unlabelled(file: Path) -> tuple[str, ...]:
    """The goals of a file, each once: JSON Lines with a `goal`, or one goal a line.

    Raises:
        CorpusInvalid: If the file can't be read, is empty, or a line of JSON has no goal.
    """
    goals = tuple(dict.fromkeys(_goal_of(line, f"{file}, line {number}") for number, line in numbered_lines(file)))
    if not goals:
        raise CorpusInvalid(f"{file} holds no goals")
    return goals


def language_of(text: str) -> Language:
    """The language that the text's letters are of."""
    if not _CHINESE.search(text):
        return "en"
    return "mixed" if _LATIN.search(text) else "zh"


def _load(file: Path, scenario: Scenario) -> list[LabelledGoal]:
    goals = []
    for number, line in numbered_lines(file):
        try:
            goals.append(_parse(line, file.stem, scenario))
        except ValueError as exc:
            raise CorpusInvalid(f"{file}, line {number}: {reason(exc)}", hint=_HINT) from exc
    if not goals:
        raise CorpusInvalid(f"{file} holds no goals", hint=_HINT)
    return goals


def numbered_lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a file that aren't blank, with their numbers.

    Raises:
        CorpusInvalid: If it can't be read.
    """
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise CorpusInvalid(f"{file} can't be read: {exc}") from exc
    return ((number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip())


def _parse(line: str, source: str, scenario: Scenario) -> LabelledGoal:
    document = json.loads(line)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one error for whatever is wrong with a line
    if "expect" not in document:
        return parse_goal(line, source)
    read = LabelledLine.model_validate_json(line)
    if not read.goal.strip():
        raise ValueError("the goal is empty")
    return LabelledGoal.of(read.goal, language_of(read.goal), _labels(read.expect, scenario), source)


def _labels(expect: Expectation, scenario: Scenario) -> list[Label]:
    """The labels of what a line asserts.

    Raises:
        ValueError: If the line says too little, or too much, of what its goal asks for.
    """
    if expect.outcome is not None:
        if expect.utilities:
            raise ValueError("expect: no_change with utilities that change or hold")
        return []
    if not expect.utilities:
        raise ValueError("expect: it asserts too little to be a label; name raise, lower, hold, top or outcome")
    if expect.top in {*expect.lowered, *expect.held}:
        raise ValueError(f"expect: {expect.top} is the top and yet isn't raised, which no label says")
    if len(expect.utilities) > MAX_INTENTS:
        raise ValueError(f"expect: {len(expect.utilities)} utilities; at most {MAX_INTENTS} are allowed")
    raised = {*expect.raised, *([expect.top] if expect.top else [])}
    moves = [(u, Direction.RAISE) for u in raised]
    moves += [(u, Direction.LOWER) for u in expect.lowered] + [(u, Direction.HOLD) for u in expect.held]
    return [
        Label(_concept(u, scenario), d, Emphasis.DOMINANT if u == expect.top else Emphasis.CLEAR) for u, d in moves
    ]


def _concept(utility: str, scenario: Scenario) -> Concept:
    concept = scenario.utility(utility).concept if utility in scenario.utility_names else None
    if concept is None:
        raise ValueError(f"expect: {utility!r} is no concept; there are {', '.join(Concept)}")
    return concept


class _Unlabelled(BaseModel):
    goal: str


def _goal_of(line: str, place: str) -> str:
    if not line.lstrip().startswith("{"):
        return line.strip()
    try:
        document: Any = json.loads(line)
    except ValueError:
        return line.strip()
    try:
        return _Unlabelled.model_validate(document).goal
    except ValidationError as exc:
        raise CorpusInvalid(f"{place}: {reason(exc)}", hint='Write {"goal": "…"}, or the goal alone.') from exc
