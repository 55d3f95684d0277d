"""Prompts at work: rendered, and tried on a goal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field
from pydantic.types import JsonValue

from reward_llm.api.wire.base import Incoming, Outgoing, WeightsByUtility
from reward_llm.api.wire.goals import DateWire, InterpretationWire, QuantityWire
from reward_llm.api.wire.problem import ViolationWire
from reward_llm.api.wire.proposals import AttemptWire
from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Decision
from reward_llm.domain.policy import Attempt, Proposal, Source
from reward_llm.domain.ports.prompts import BackendName, RenderedPrompt
from reward_llm.domain.prompt_check import PromptCheck, VariableUse
from reward_llm.domain.prompts import PromptVersion
from reward_llm.domain.scenario import Scenario


class VariableUseWire(Outgoing):
    """A variable of a draft, or one that it might use."""

    name: str
    given: bool = Field(description="Whether anything gives it; templates can use no others.")
    declared: bool
    in_system: bool = Field(description="Whether the `system` template uses it.")
    in_user: bool = Field(description="Whether the `user` template uses it.")
    ok: bool = Field(description="Whether it is declared just if it is used, and given.")

    @classmethod
    def of(cls, use: VariableUse) -> VariableUseWire:
        """The variable itself."""
        return cls(
            name=use.name,
            given=use.given,
            declared=use.declared,
            in_system=use.in_system,
            in_user=use.in_user,
            ok=use.is_right,
        )


class PromptCheckWire(Outgoing):
    """What keeps a draft from becoming a version."""

    ok: bool = Field(description="Whether it may become the next version.")
    content_hash: str | None = Field(description="null for what can't be read as a prompt at all.")
    violations: list[ViolationWire] = Field(description="Those of templates with their lines, as in `system:3`.")
    variables: list[VariableUseWire]
    golden_sets: list[str] = Field(description="What a prompt can be measured on here.")

    @classmethod
    def of(cls, check: PromptCheck, golden_sets: Sequence[str]) -> PromptCheckWire:
        """The check itself, beside the golden sets that there are."""
        return cls(
            ok=not check.violations,
            content_hash=check.content_hash,
            violations=[ViolationWire(path=v.path, code=v.code, message=v.message) for v in check.violations],
            variables=[VariableUseWire.of(use) for use in check.variables],
            golden_sets=list(golden_sets),
        )


class RenderRequest(Incoming):
    """Values to render a prompt with."""

    scenario: str = Field(examples=["home_feed"])
    goal: str = Field(description="The goal's text.", examples=["次日留存不能掉，新作者多给一点曝光"])
    vocabulary: Literal["concepts", "utilities"] = Field(
        default="utilities", description="The names that the model is to answer with."
    )
    hints: dict[str, str] | None = Field(
        default=None, description="What the lexicon says, by utility; null is what it says of this goal."
    )


class MessageWire(Outgoing):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"]
    content: str


class RenderedWire(Outgoing):
    """What a model would be sent."""

    messages: list[MessageWire]
    answer_schema: dict[str, JsonValue] = Field(description="The JSON Schema that its answer is held to.")

    @classmethod
    def of(cls, rendered: RenderedPrompt) -> RenderedWire:
        """The chat itself."""
        messages = [MessageWire(role=m.role, content=m.content) for m in rendered.messages]
        return cls(messages=messages, answer_schema=dict(rendered.schema))


class TryRequest(Incoming):
    """A goal to try a prompt on; nothing of it is kept."""

    scenario: str = Field(examples=["home_feed"])
    segment: str | None = None
    text: str = Field(description="The goal's text.", examples=["次日留存不能掉，新作者多给一点曝光"])
    backend: BackendName | None = Field(default=None, description="Who reads; null is who reads goals here.")


class RawAttemptWire(AttemptWire):
    """One step of the way to the answer, with what a model said."""

    raw_answer: str | None
    seed: int | None

    @classmethod
    def of(cls, attempt: Attempt) -> RawAttemptWire:
        """The attempt itself."""
        return cls(
            source=attempt.source,
            succeeded=attempt.succeeded,
            reason=attempt.reason,
            duration_s=attempt.duration_s,
            raw_answer=attempt.raw_answer,
            seed=attempt.seed,
        )


class TryWire(Outgoing):
    """What a goal would be read as with a version, against its scenario's defaults."""

    version: int
    content_hash: str
    prompt: str | None = Field(description="What the model was asked with; null if no model answered.")
    source: Source = Field(description="Who answered.")
    reason: str | None = Field(description="Why a fallback had to answer; null if none had to.")
    model: str | None
    checkpoint_hash: str | None
    seed: int | None
    decision: Decision
    interpretation: InterpretationWire
    numbers: list[QuantityWire]
    dates: list[DateWire]
    defaults: WeightsByUtility
    weights: WeightsByUtility
    attempts: list[RawAttemptWire]

    @classmethod
    def of(cls, version: PromptVersion, goal: Goal, proposal: Proposal, scenario: Scenario) -> TryWire:
        """The proposal that the version gives."""
        provenance, reading = proposal.provenance, proposal.interpretation
        return cls(
            version=version.number,
            content_hash=version.content_hash,
            prompt=provenance.prompt,
            source=proposal.source,
            reason=proposal.reason,
            model=provenance.model,
            checkpoint_hash=provenance.checkpoint_hash,
            seed=provenance.seed,
            decision=reading.decision,
            interpretation=InterpretationWire.of(reading, goal.text, scenario),
            numbers=[QuantityWire.of(q, goal.text) for q in proposal.numbers],
            dates=[DateWire.of(d, goal.text) for d in proposal.dates],
            defaults=dict(scenario.defaults),
            weights=dict(proposal.weights),
            attempts=[RawAttemptWire.of(a) for a in provenance.attempts],
        )
