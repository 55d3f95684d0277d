"""A prompt: immutable, content-addressed versions under one name, and labels that stand on one of them each."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Literal

import rfc8785

from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.domain.scenario import Concept

PRODUCTION: Final = "production"
"""The label whose version goals are read with; its moves are reviewed."""
STAGING: Final = "staging"
LABEL_PATTERN: Final = re.compile(r"[a-z][a-z0-9_-]{0,39}")
PACKAGED_BY: Final = "package"
"""The author of the versions that ship."""


class AnswerKind(StrEnum):
    """What a prompt asks a model for."""

    INTENTS = "intents"
    POINTS = "points"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the model is sampled."""

    max_tokens: int
    temperature: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleIntent:
    """One intent of an example, by concept."""

    concept: Concept
    direction: Direction
    emphasis: Emphasis


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A goal with its right answer; `lexicon` is what a list of words says of it."""

    goal: str
    intents: tuple[ExampleIntent, ...]
    lexicon: Mapping[Concept, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """The golden set that a prompt is measured on, and the least share of it that production must read right."""

    set: str
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptContent:
    """All that a prompt consists of: what its content hash is taken over.

    `variables` are those that the templates use, all of them and no others.
    """

    name: str
    description: str
    answer: AnswerKind
    variables: tuple[str, ...]
    parameters: Sampling
    system: str
    user: str
    golden: Golden
    examples: tuple[Example, ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """The content as JSON, in a fixed order."""
        return {
            "kind": "prompt/1",
            "name": self.name,
            "description": self.description,
            "answer": self.answer.value,
            "variables": list(self.variables),
            "parameters": {"max_tokens": self.parameters.max_tokens, "temperature": self.parameters.temperature},
            "examples": [_example_document(e) for e in self.examples],
            "golden": {"set": self.golden.set, "threshold": self.golden.threshold},
            "system": self.system,
            "user": self.user,
        }

    @property
    def content_hash(self) -> str:
        """SHA-256 over the RFC 8785 canonical JSON of `document`, in hexadecimal."""
        return hashlib.sha256(rfc8785.dumps(self.document)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptVersion:
    """One version of a prompt: what it is, who made it, when and why.

    `number` counts the prompt's versions from 1. Those that are `packaged` came with the installation, at no
    moment that anybody knows of: their `created_at` is None.
    """

    content: PromptContent
    number: int
    author: str
    created_at: datetime | None
    reason: str = ""
    packaged: bool = False

    @property
    def name(self) -> str:
        """The prompt's name."""
        return self.content.name

    @property
    def id(self) -> str:
        """The name with the number, as in `goal_to_intents@1`."""
        return f"{self.content.name}@{self.number}"

    @property
    def content_hash(self) -> str:
        """The content's."""
        return self.content.content_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptLabel:
    """A name that stands on one version of a prompt.

    `revision` counts its moves; 0 is `production` before its first, on the packaged version, where it was put by the
    package and `moved_at` is None.
    """

    prompt: str
    label: str
    number: int
    revision: int
    moved_by: str
    moved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptOverride:
    """A person's consent to a version under a label, however it was measured; bound to the version's content hash."""

    prompt: str
    number: int
    content_hash: str
    label: str
    given_by: str
    given_at: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """So many right, of so many."""

    right: int
    of: int

    @property
    def share(self) -> float:
        """The share in [0, 1]; of nothing, 0."""
        return self.right / self.of if self.of else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenFailure:
    """A golden goal that was read wrong: what was expected, what was read, and why if a fallback had to answer."""

    id: str
    lang: str
    kind: str
    goal: str
    expected: str
    read: str
    source: str
    reason: str | None = None


PromptUse = Literal["whole", "user_turn", "none"]
"""How much of a prompt the reader sees: `user_turn` a goal model of one's own, which was trained on the task, and
`none` the rules."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """How well one version reads a golden set with one backend.

    A goal counts as right if everything that its line asserts holds and no fallback had to answer for the model.
    `directional` covers the goals alone that ask for something.
    """

    number: int
    content_hash: str
    golden_set: str
    golden_hash: str
    scenario: str
    backend: str
    model: str | None
    checkpoint_hash: str | None
    prompt_use: PromptUse
    overall: Tally
    directional: Tally
    by_kind: Mapping[str, Tally]
    by_lang: Mapping[str, Tally]
    failures: tuple[GoldenFailure, ...]
    duration_s: float

    @property
    def score(self) -> float:
        """The share of all goals that was read right: what promotion goes by."""
        return self.overall.share


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionEvidence:
    """What a promotion rests on: the version and the one that it replaces, measured one after the other.

    `replaced` is None where nothing is replaced: the same version is there already.
    """

    threshold: float
    candidate: Evaluation
    replaced: Evaluation | None

    @property
    def shortfalls(self) -> tuple[str, ...]:
        """Why the version isn't good enough, as sentences; none if it is."""
        score, found = self.candidate.score, []
        if score < self.threshold:
            found.append(f"it reads {score:.1%} of its golden set right, and its threshold is {self.threshold:.1%}")
        if self.replaced is not None and score < self.replaced.score:
            found.append(
                f"version {self.replaced.number}, which it would replace, reads {self.replaced.score:.1%} right, "
                f"and it {score:.1%}"
            )
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMove:
    """One move of a label: from which version (None if it is new) to which, who moved it, when and why.

    `overridden_by` names those whose consent let it pass an evaluation that fell short.
    """

    prompt: str
    label: str
    revision: int
    from_number: int | None
    to_number: int
    moved_by: str
    moved_at: datetime
    reason: str
    evidence: PromotionEvidence | None = None
    overridden_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptSummary:
    """A prompt by its newest version, with its labels."""

    newest: PromptVersion
    versions: int
    labels: tuple[PromptLabel, ...]


def _example_document(example: Example) -> dict[str, Any]:
    return {
        "goal": example.goal,
        "lexicon": {concept.value: hint for concept, hint in example.lexicon.items()},
        "intents": [
            {"concept": i.concept.value, "direction": i.direction.value, "emphasis": i.emphasis.value}
            for i in example.intents
        ],
    }
