"""The labelled goals of an evaluation file."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from reward_llm.domain.scenario import Scenario
from reward_llm.errors import InvalidInput


class Expectation(BaseModel):
    """What must hold for the weights that a goal leads to."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    raised: tuple[str, ...] = Field(default=(), alias="raise")
    lowered: tuple[str, ...] = Field(default=(), alias="lower")
    held: tuple[str, ...] = Field(default=(), alias="hold")
    top: str | None = None
    outcome: Literal["no_change"] | None = None

    @model_validator(mode="after")
    def _one_direction(self) -> Self:
        """A contradiction can't be met, and a confusion matrix has one cell for a line and a utility."""
        counts = Counter([*self.raised, *self.lowered, *self.held])
        repeated = [u for u, count in counts.items() if count > 1]
        if repeated:
            raise ValueError(f"{repeated[0]} is named twice among raise, lower and hold")
        return self

    @property
    def utilities(self) -> set[str]:
        """Every utility that is named."""
        return {*self.raised, *self.lowered, *self.held, *([self.top] if self.top else [])}

    def __str__(self) -> str:
        moves = {"raise": self.raised, "lower": self.lowered, "hold": self.held}
        parts = [f"{move} {', '.join(names)}" for move, names in moves.items() if names]
        return "; ".join(
            [*parts, *([f"top {self.top}"] if self.top else []), *([self.outcome] if self.outcome else [])]
        )


class LabelledLine(BaseModel):
    """A goal and what it must lead to; `segment` says in words whom the goal speaks of."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    id: str
    lang: str
    kind: str
    goal: str
    expect: Expectation
    targets: tuple[FiniteFloat, ...] = ()
    segment: str | None = None
    pair: str | None = None
    relation: Literal["paraphrase", "stronger"] | None = None
    pair_order: int | None = None


def load_lines(path: Path, scenario: Scenario) -> tuple[LabelledLine, ...]:
    """The labelled goals of a JSON Lines file; blank lines are passed over.

    Raises:
        InvalidInput: If the file can't be read, holds nothing, or a line is wrong; the message has its number.
    """
    try:
        rows = path.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInput(f"{path} can't be read: {exc}") from exc
    lines = tuple(_parse(row, f"{path}:{n}", scenario) for n, row in enumerate(rows, 1) if row.strip())
    if not lines:
        raise InvalidInput(f"{path} holds no goals")
    repeated = sorted(i for i, count in Counter(line.id for line in lines).items() if count > 1)
    if repeated:
        raise InvalidInput(f"{path}: the id {repeated[0]!r} is there twice")
    return lines


def _parse(row: str, place: str, scenario: Scenario) -> LabelledLine:
    try:
        line = LabelledLine.model_validate_json(row)
    except ValidationError as exc:
        raise InvalidInput(f"{place}: {first_problem(exc)}") from exc
    unknown = sorted(line.expect.utilities - set(scenario.utility_names))
    if unknown:
        raise InvalidInput(
            f"{place}: expect: {scenario.name} has no utility {unknown[0]!r}",
            hint=f"It has: {', '.join(scenario.utility_names)}.",
        )
    return line


def first_problem(error: ValidationError) -> str:
    """The first thing that is wrong with a document, and where."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where + ': ' if where else ''}{first['msg']}"
