"""Prompts: their versions, what two of them differ in, and the labels that stand on them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.types import JsonValue

from reward_llm.api.wire.base import Incoming, MomentOut, Outgoing
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.domain.prompt_diff import PromptDiff
from reward_llm.domain.prompts import (
    AnswerKind,
    PromptContent,
    PromptLabel,
    PromptOverride,
    PromptSummary,
    PromptVersion,
)
from reward_llm.domain.scenario import Concept

MAX_REASON_CHARS: Final = 1_000
MAX_VERSION: Final = 2**31 - 1

Reason = Annotated[
    str,
    Field(min_length=1, max_length=MAX_REASON_CHARS, examples=["Complaints are read as retention, not as clicks."]),
]
VersionNumber = Annotated[int, Field(ge=1, le=MAX_VERSION)]


class SamplingWire(Outgoing):
    """How the model is sampled."""

    max_tokens: int
    temperature: float


class ExampleIntentWire(Outgoing):
    """One intent of an example."""

    concept: Concept
    direction: Direction
    emphasis: Emphasis


class ExampleWire(Outgoing):
    """A goal with its right answer."""

    goal: str
    lexicon: dict[Concept, str] = Field(description="What a list of words says of the goal, by concept.")
    intents: list[ExampleIntentWire]


class GoldenWire(Outgoing):
    """What a prompt is measured on."""

    set: str
    threshold: float = Field(description="The least share of the set that `production` must read right.")


class ContentWire(Outgoing):
    """All that a prompt consists of: what its content hash is taken over."""

    kind: Literal["prompt/1"] = "prompt/1"
    name: str
    description: str
    answer: AnswerKind
    variables: list[str] = Field(description="Those that the templates use, all of them and no others.")
    parameters: SamplingWire
    examples: list[ExampleWire]
    golden: GoldenWire
    system: str = Field(description="A Jinja template.")
    user: str = Field(description="A Jinja template.")

    @classmethod
    def of(cls, content: PromptContent) -> ContentWire:
        """The content itself."""
        return cls.model_validate(content.document)


class PromptDraft(Incoming):
    """A prompt as somebody writes it: either as a Markdown file with front matter, or field by field."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": ["text"]}, {"required": ["content"]}]})

    text: str | None = Field(default=None, description="A file such as a version's `text`; its number doesn't count.")
    content: dict[str, Any] | None = Field(default=None, description="Fields such as a version's `content`.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.text is None) is (self.content is None):
            raise ValueError("send either the text of a file or the content")
        return self


class NewVersion(PromptDraft):
    """A prompt's next version, and why."""

    reason: Reason


class PromptVersionLine(Outgoing):
    """One version of a prompt, without what is in it."""

    id: str = Field(examples=["goal_to_intents@2"])
    name: str
    version: int
    content_hash: str = Field(description="SHA-256 over the canonical JSON (RFC 8785) of `content`.")
    description: str
    author: str
    created_at: MomentOut | None = Field(description="null for what came with the installation.")
    reason: str
    packaged: bool = Field(description="Whether it came with the installation.")
    labels: list[str] = Field(description="The labels that stand on it.")

    @classmethod
    def of(cls, version: PromptVersion, labels: Iterable[PromptLabel]) -> PromptVersionLine:
        """The version, with those of its prompt's labels that stand on it."""
        return cls(**_version_fields(version, labels))


class PromptVersionWire(PromptVersionLine):
    """One version of a prompt."""

    content: ContentWire
    text: str = Field(description="The same as a Markdown file with front matter.")

    @classmethod
    def whole(cls, version: PromptVersion, labels: Iterable[PromptLabel], text: str) -> PromptVersionWire:
        """The version with its content, which `text` is as a file."""
        return cls(**_version_fields(version, labels), content=ContentWire.of(version.content), text=text)


class PromptLabelWire(Outgoing):
    """A name that stands on one version of a prompt."""

    prompt: str
    label: str
    version: int
    revision: int = Field(description="How often it was moved, which is its ETag.")
    moved_by: str
    moved_at: MomentOut | None = Field(description="null before the first move of `production`.")

    @classmethod
    def of(cls, label: PromptLabel) -> PromptLabelWire:
        """The label itself."""
        return cls(
            prompt=label.prompt,
            label=label.label,
            version=label.number,
            revision=label.revision,
            moved_by=label.moved_by,
            moved_at=label.moved_at,
        )


class PromptWire(Outgoing):
    """A prompt: its newest version and its labels."""

    name: str
    description: str
    versions: int
    newest: PromptVersionLine
    labels: list[PromptLabelWire]

    @classmethod
    def of(cls, summary: PromptSummary) -> PromptWire:
        """The prompt itself."""
        newest = summary.newest
        return cls(
            name=newest.name,
            description=newest.content.description,
            versions=summary.versions,
            newest=PromptVersionLine.of(newest, summary.labels),
            labels=[PromptLabelWire.of(label) for label in summary.labels],
        )


class FieldDifferenceWire(Outgoing):
    """A field that differs; null where one of the two versions lacks it."""

    path: str = Field(description="A JSON Pointer into `content`.")
    before: JsonValue
    after: JsonValue


class PromptDiffWire(Outgoing):
    """In what two versions of a prompt differ."""

    before: PromptVersionLine
    after: PromptVersionLine
    same: bool
    system: str = Field(description="A unified diff of the templates; empty where they are equal.")
    user: str
    fields: list[FieldDifferenceWire]

    @classmethod
    def of(cls, diff: PromptDiff, labels: Iterable[PromptLabel]) -> PromptDiffWire:
        """The difference, with the prompt's labels."""
        labels = tuple(labels)
        return cls(
            before=PromptVersionLine.of(diff.before, labels),
            after=PromptVersionLine.of(diff.after, labels),
            same=diff.same,
            system=diff.system,
            user=diff.user,
            fields=[FieldDifferenceWire(path=f.path, before=f.before, after=f.after) for f in diff.fields],
        )


class LabelMoveRequest(Incoming):
    """Where a label is to stand, and why."""

    version: VersionNumber
    reason: Reason
    override: bool = Field(
        default=False, description="Whether whoever moves `production` also consents to it falling short."
    )


class OverrideRequest(Incoming):
    """A person's consent to a version that falls short of its golden set, and why."""

    version: VersionNumber
    content_hash: str = Field(description="The version's, so that nobody consents to another one.")
    reason: Reason


class OverrideWire(Outgoing):
    """A person's consent to a version under a label."""

    prompt: str
    label: str
    version: int
    content_hash: str
    given_by: str
    given_at: MomentOut
    reason: str

    @classmethod
    def of(cls, override: PromptOverride) -> OverrideWire:
        """The consent itself."""
        return cls(
            prompt=override.prompt,
            label=override.label,
            version=override.number,
            content_hash=override.content_hash,
            given_by=override.given_by,
            given_at=override.given_at,
            reason=override.reason,
        )


def _version_fields(version: PromptVersion, labels: Iterable[PromptLabel]) -> dict[str, Any]:
    return {
        "id": version.id,
        "name": version.name,
        "version": version.number,
        "content_hash": version.content_hash,
        "description": version.content.description,
        "author": version.author,
        "created_at": version.created_at,
        "reason": version.reason,
        "packaged": version.packaged,
        "labels": [label.label for label in labels if label.number == version.number],
    }
