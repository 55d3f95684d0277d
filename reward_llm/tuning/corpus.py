"""Goals with what they ask for, as people wrote and labelled them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.interpretation import MAX_INTENTS, Decision, Direction, Emphasis
from reward_llm.domain.scenario import Concept
from reward_llm.errors import InvalidInput

Language = Literal["zh", "en", "mixed"]
_RANK: Final = {concept: rank for rank, concept in enumerate(Concept)}


def corpus_dir() -> Path:
    """The folder of the corpus that ships."""
    return Path(__file__).parent / "corpus"


class CorpusInvalid(InvalidInput):
    """A corpus file with a line that can't be used."""

    code = "corpus_invalid"


@dataclass(frozen=True, slots=True)
class Label:
    """One thing that a goal asks for."""

    utility: Concept
    direction: Direction
    emphasis: Emphasis


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledGoal:
    """A goal and all that it asks for, in the order of the concepts; no labels where it asks for nothing."""

    goal: str
    lang: Language
    labels: tuple[Label, ...]
    source: str

    @classmethod
    def of(cls, goal: str, lang: Language, labels: Sequence[Label], source: str) -> LabelledGoal:
        """The goal with its labels put in order."""
        return cls(goal=goal, lang=lang, labels=tuple(sorted(labels, key=_rank)), source=source)

    @property
    def answer(self) -> str:
        """What a model is to answer."""
        return canonical_answer((label.utility, label.direction, label.emphasis) for label in self.labels)

    @property
    def directions(self) -> frozenset[tuple[Concept, Direction]]:
        """What is to move where, whatever the emphasis."""
        return frozenset((label.utility, label.direction) for label in self.labels)


def load_corpus(folder: Path) -> tuple[LabelledGoal, ...]:
    """Every line of the folder's `*.jsonl` files, files in the order of their names.

    Raises:
        CorpusInvalid: If there is no file, or a line isn't a labelled goal; the message names file and line.
    """
    files = sorted(folder.glob("*.jsonl"))
    if not files:
        raise CorpusInvalid(f"{folder} holds no *.jsonl file")
    return tuple(goal for file in files for goal in _load_file(file))


def _load_file(file: Path) -> list[LabelledGoal]:
    goals = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            goals.append(parse_goal(line, file.stem))
        except ValueError as exc:
            raise CorpusInvalid(f"{file.name}, line {number}: {reason(exc)}") from exc
    return goals


def parse_goal(line: str, source: str) -> LabelledGoal:
    """The goal of a corpus file's line.

    Raises:
        ValueError: If it isn't a labelled goal; `reason` says why.
    """
    return _Line.model_validate_json(line).labelled(source)


def corpus_line(goal: LabelledGoal) -> str:
    """The goal as a line of a corpus file, from which `parse_goal` makes it again."""
    document = {
        "goal": goal.goal,
        "lang": goal.lang,
        "decision": Decision.PROPOSE if goal.labels else Decision.NO_CHANGE,
        "intents": [asdict(label) for label in goal.labels],
    }
    return json.dumps(document, ensure_ascii=False)


def _rank(label: Label) -> int:
    return _RANK[label.utility]


def reason(exc: ValueError) -> str:
    """What is wrong with a line, in words."""
    if isinstance(exc, ValidationError):
        first = exc.errors()[0]
        return f"{'.'.join(map(str, first['loc'])) or 'line'}: {first['msg']}"
    return str(exc)


class _Intent(BaseModel):
    model_config = ConfigDict(extra="forbid")

    utility: Concept
    direction: Direction
    emphasis: Emphasis


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    goal: str
    lang: Language
    trade: str = "general"
    decision: Decision
    intents: list[_Intent]

    def labelled(self, source: str) -> LabelledGoal:
        labels = [Label(i.utility, i.direction, i.emphasis) for i in self.intents]
        if not self.goal.strip():
            raise ValueError("the goal is empty")
        if (self.decision is Decision.PROPOSE) != bool(labels):
            raise ValueError(f"decision {self.decision.value} with {len(labels)} intents")
        if len(labels) > MAX_INTENTS:
            raise ValueError(f"{len(labels)} intents; at most {MAX_INTENTS} are allowed")
        if twice := [u.value for u, n in Counter(label.utility for label in labels).items() if n > 1]:
            raise ValueError(f"{', '.join(twice)} is labelled twice")
        return LabelledGoal.of(self.goal, self.lang, labels, source)
