"""Goals that readings are judged by, in the corpus's format or the evaluation's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from reward_llm.domain.interpretation import Direction
from reward_llm.domain.scenario import Scenario
from reward_llm.tuning.corpus import CorpusInvalid, parse_goal, reason
from reward_llm.tuning.evaluation import LabelledLine
from reward_llm.tuning.own_goals import numbered_lines


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedGoal:
    """A goal and what it asks of utilities; `exhaustive` says that it asks for nothing else."""

    text: str
    asked: Mapping[str, Direction]
    exhaustive: bool


def load_judged_goals(file: Path, scenario: Scenario) -> tuple[JudgedGoal, ...]:
    """The goals of a file of JSON Lines.

    A corpus line says all that its goal asks for. An evaluation line says some of it: `raise`, `lower`, `hold`, and
    `top`, which is raised; where it expects `no_change`, that is all.

    Raises:
        CorpusInvalid: If the file can't be read or holds nothing, or a line is neither; the message has its number.
    """
    goals = []
    for number, line in numbered_lines(file):
        try:
            goals.append(_parse(line, file.stem, scenario))
        except ValueError as exc:
            raise CorpusInvalid(f"{file}, line {number}: {reason(exc)}") from exc
    if not goals:
        raise CorpusInvalid(f"{file} holds no goals")
    return tuple(goals)


def _parse(line: str, source: str, scenario: Scenario) -> JudgedGoal:
    document = json.loads(line)
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one error for whatever is wrong with a line
    if "expect" in document:
        return _expected(LabelledLine.model_validate_json(line), scenario)
    goal = parse_goal(line, source)
    asked = {scenario.utility_of_concept[label.utility].name: label.direction for label in goal.labels}
    return JudgedGoal(text=goal.goal, asked=asked, exhaustive=True)


def _expected(line: LabelledLine, scenario: Scenario) -> JudgedGoal:
    expect = line.expect
    unknown = sorted(expect.utilities - set(scenario.utility_names))
    if unknown:
        raise ValueError(f"expect: {scenario.name} has no utility {unknown[0]!r}")
    asked = {expect.top: Direction.RAISE} if expect.top else {}
    asked |= dict.fromkeys(expect.raised, Direction.RAISE)
    asked |= dict.fromkeys(expect.lowered, Direction.LOWER)
    asked |= dict.fromkeys(expect.held, Direction.HOLD)
    return JudgedGoal(text=line.goal, asked=asked, exhaustive=expect.outcome is not None)
