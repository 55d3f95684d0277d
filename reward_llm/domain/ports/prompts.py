"""What is remembered of prompts, and what may be done with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from reward_llm.domain.act import Act
from reward_llm.domain.completion import Message, Vocabulary
from reward_llm.domain.goal import Goal
from reward_llm.domain.policy import Proposal
from reward_llm.domain.ports.model import GoalProposer
from reward_llm.domain.ports.records import IdempotencyClaim, Page
from reward_llm.domain.prompt_check import PromptCheck
from reward_llm.domain.prompt_diff import PromptDiff
from reward_llm.domain.prompts import (
    Evaluation,
    LabelMove,
    PromotionEvidence,
    PromptContent,
    PromptLabel,
    PromptOverride,
    PromptSummary,
    PromptUse,
    PromptVersion,
)
from reward_llm.domain.scenario import Scenario
from reward_llm.domain.weights import Weights

BackendName = Literal["embedded", "vllm", "rules", "scripted"]
OnProgress = Callable[[int, int], None]
"""Is told after each goal how many are done, and of how many."""


class PromptStore(Protocol):
    """What is remembered of prompts. Every method is one transaction; every write leaves an audit record in it.

    The versions that ship are there without having been written. All methods raise StoreUnavailable when the
    database can't be read or written, and PromptUnknown for a name that doesn't ship.
    """

    async def prompts(self) -> Sequence[PromptSummary]:
        """Every prompt, by name."""
        ...

    async def versions(self, name: str, *, cursor: str | None = None, limit: int = 50) -> Page[PromptVersion]:
        """A prompt's versions, newest first.

        Raises:
            InvalidInput: If the cursor isn't one of ours.
        """
        ...

    async def version(self, name: str, number: int) -> PromptVersion:
        """One version.

        Raises:
            PromptVersionUnknown: If there is no such number.
        """
        ...

    async def labelled(self, name: str, label: str) -> PromptVersion:
        """The version that a label stands on.

        Raises:
            PromptLabelUnknown: If there is no such label.
        """
        ...

    async def record_version(
        self, content: PromptContent, act: Act, claim: IdempotencyClaim | None = None
    ) -> PromptVersion:
        """Make the content its prompt's next version, or give the version that has the same content already.

        Raises:
            IdempotencyConflict: If the key came with another request before.
        """
        ...

    async def version_of(self, claim: IdempotencyClaim) -> PromptVersion | None:
        """The version that the claim's key stands for already, None if the key is new.

        Raises:
            IdempotencyConflict: If the key came with another request before.
        """
        ...

    async def labels(self, name: str) -> Sequence[PromptLabel]:
        """A prompt's labels, by name; `production` is always among them."""
        ...

    async def label(self, name: str, label: str) -> PromptLabel:
        """One label.

        Raises:
            PromptLabelUnknown: If there is no such label.
        """
        ...

    async def move_label(
        self,
        name: str,
        label: str,
        number: int,
        act: Act,
        *,
        revision: int,
        evidence: PromotionEvidence | None = None,
    ) -> PromptLabel:
        """Put a label on a version, on record with the evidence.

        Evidence that falls short counts if two people, none of them the version's author, gave their override.

        Args:
            name: The prompt.
            label: The label, new or old.
            number: The version.
            act: Who moves it, and why.
            revision: The label's revision that the move is meant for; 0 for a label that is new.
            evidence: What was measured; `production` takes none without.

        Raises:
            PromptVersionUnknown: If there is no such version.
            InvalidInput: If the label isn't a name, or production comes without evidence.
            PreconditionFailed: If the label has another revision; `current` is the label now.
            EvaluationBelow: If the evidence falls short and too few have overridden it.
        """
        ...

    async def history(self, name: str, label: str, *, cursor: str | None = None, limit: int = 50) -> Page[LabelMove]:
        """A label's moves, newest first.

        Raises:
            PromptLabelUnknown: If there is no such label.
            InvalidInput: If the cursor isn't one of ours.
        """
        ...

    async def record_override(self, name: str, label: str, number: int, act: Act) -> PromptOverride:
        """Put a person's consent to a version on record; who gave theirs before is given it back as it was.

        Raises:
            PromptVersionUnknown: If there is no such version.
            InvalidInput: If no reason is given.
            OverrideForbidden: If it is the version's author.
        """
        ...

    async def overrides(self, name: str, label: str, number: int) -> Sequence[PromptOverride]:
        """The consents to a version under a label, oldest first."""
        ...


class GoldenEvaluator(Protocol):
    """Reads golden sets and judges the readings; `reward_llm.tuning` knows how."""

    @property
    def names(self) -> frozenset[str]:
        """The golden sets that there are."""
        ...

    async def evaluate(
        self,
        version: PromptVersion,
        proposer: GoalProposer,
        *,
        backend: str,
        prompt_use: PromptUse,
        golden_set: str | None = None,
        on_progress: OnProgress | None = None,
    ) -> Evaluation:
        """How well a version reads a golden set, one goal after the other.

        Args:
            version: What the proposer reads with.
            proposer: Who reads.
            backend: Whom the proposer asks first; what others answer for it counts as wrong.
            prompt_use: How much of a prompt that one sees.
            golden_set: What is read; None takes the version's own.
            on_progress: Is told after each goal.

        Raises:
            PromptInvalid: If there is no such golden set, or it is larger than one may be.
            EvaluationTimeout: If it takes too long.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Values to render a prompt with; `hints` None are what the scenario's lexicon says of the goal."""

    scenario: Scenario
    goal: str
    vocabulary: Vocabulary = Vocabulary.UTILITIES
    hints: Mapping[str, str] | None = None
    base: Weights | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedPrompt:
    """What a model would be sent: the chat, and the JSON Schema that its answer is held to."""

    messages: tuple[Message, ...]
    schema: Mapping[str, Any] = field(default_factory=dict)


class PromptWorkshop(Protocol):
    """What may be done with prompts beside remembering them."""

    @property
    def backends(self) -> Sequence[BackendName]:
        """Who can be asked here; the first one reads goals."""
        ...

    def parse(self, text: str) -> PromptContent:
        """The prompt in a Markdown file with front matter, such as those that ship; its `version` doesn't count.

        Raises:
            PromptInvalid: If it breaks the format.
        """
        ...

    def content_of(self, document: Mapping[str, Any]) -> PromptContent:
        """The prompt in a JSON document, such as `PromptContent.document`; `kind` may be left out.

        Raises:
            PromptInvalid: If it breaks the format.
        """
        ...

    def text_of(self, content: PromptContent, number: int) -> str:
        """The prompt as a Markdown file with front matter, which `parse` reads back."""
        ...

    @property
    def golden_sets(self) -> Sequence[str]:
        """What prompts can be measured on here, by name."""
        ...

    def check(self, content: PromptContent) -> PromptCheck:
        """What keeps a prompt from becoming the next version; nothing is written."""
        ...

    async def add(self, content: PromptContent, act: Act, claim: IdempotencyClaim | None = None) -> PromptVersion:
        """Check a prompt against its contract and make it the next version.

        Raises:
            PromptInvalid: With everything that is wrong, those of templates with their lines.
            PromptUnknown: If no prompt of that name ships.
            IdempotencyConflict: If the key came with another request before.
        """
        ...

    def render(self, version: PromptVersion, sample: Sample) -> RenderedPrompt:
        """What a model would be sent for the sample.

        Raises:
            PromptInvalid: If the prompt can't be used for it.
        """
        ...

    async def try_out(self, version: PromptVersion, goal: Goal, *, backend: BackendName | None = None) -> Proposal:
        """What a goal would be read as with the version, against its scenario's defaults; nothing is written.

        Raises:
            BackendNotConfigured: If the backend isn't one of `backends`, or can't answer the prompt.
            ScenarioUnknown: If the goal is for none that is known.
        """
        ...

    async def evaluate(
        self,
        version: PromptVersion,
        *,
        backend: BackendName | None = None,
        on_progress: OnProgress | None = None,
    ) -> Evaluation:
        """How well the version reads its golden set.

        Raises:
            BackendNotConfigured: If the backend isn't one of `backends`, or can't answer the prompt.
            EvaluationTimeout: If it takes too long.
        """
        ...

    async def move(self, name: str, label: str, number: int, act: Act, *, revision: int | None) -> PromptLabel:
        """Put a label on a version; for `production`, measure it first beside the version that it replaces.

        Args:
            name: The prompt.
            label: The label, new or old.
            number: The version.
            act: Who moves it, and why.
            revision: The label's revision that the move is meant for, 0 for a label that is new; None takes any.

        Raises:
            PromptVersionUnknown: If there is no such version.
            BackendNotConfigured: If the backend can't answer the prompt.
            PreconditionFailed: If the label has another revision; `current` is the label now.
            EvaluationBelow: If it falls short and too few have overridden that.
            EvaluationTimeout: If it takes too long.
        """
        ...

    def diff(self, before: PromptVersion, after: PromptVersion) -> PromptDiff:
        """In what two versions differ."""
        ...
