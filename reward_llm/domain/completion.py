"""What is asked of a language model, and what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

RUNNERS_UP: Final = 3
"""How many runners-up of a choice a model tells."""


class Vocabulary(StrEnum):
    """Which names a model uses for utilities in its answer.

    The embedded model knows the seven concepts; a large model reads the scenario's own names and descriptions.
    """

    CONCEPTS = "concepts"
    UTILITIES = "utilities"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """What another reader would answer.

    A model that can tell how likely it finds a text takes it in place of its own answer, if it finds it likelier, or
    less likely by no more than `trust`, in nats.
    """

    text: str
    trust: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletionRequest:
    """A chat to be answered by one JSON document of the schema, within `deadline_s` seconds."""

    messages: tuple[Message, ...]
    schema: Mapping[str, Any]
    max_tokens: int = 512
    temperature: float = 0.0
    seed: int = 0
    deadline_s: float = 30.0
    suggestion: Suggestion | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunnerUp:
    """What a model might have written instead, and its probability there."""

    text: str
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A place [start, end) of the answer where the model chose, and the probability of what it chose.

    `runners_up` are what came next after it, the likeliest first.
    """

    start: int
    end: int
    probability: float
    runners_up: tuple[RunnerUp, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A whole answer: the text, the model that gave it, and the probabilities of its choices if it tells them.

    `checkpoint_hash` is that of the model's weights, None if it isn't told. `suggested` says that the model had
    written something else, and the text is the suggestion.
    """

    text: str
    model: str
    choices: tuple[Choice, ...] = ()
    checkpoint_hash: str | None = None
    suggested: bool = False
