"""Scenarios: what a client can ask for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reward_llm.api.wire.base import Outgoing
from reward_llm.domain.review_rules import ReviewRules
from reward_llm.domain.scenario import Bilingual, Concept, Scenario
from reward_llm.domain.source import Source


class BilingualWire(Outgoing):
    """A text in both languages."""

    en: str
    zh: str

    @classmethod
    def of(cls, text: Bilingual) -> BilingualWire:
        """The text itself."""
        return cls(en=text.en, zh=text.zh)


class UtilityWire(Outgoing):
    """A named term in [0, 1] that the re-ranker adds up."""

    name: str
    concept: Concept | None
    default: float
    min: float
    max: float
    held: bool = Field(description="Whether no change may take it below 0.9 of its default.")
    description: BilingualWire


class SegmentWire(Outgoing):
    """A named cohort."""

    name: str
    description: BilingualWire


class RaisedRuleWire(Outgoing):
    """When more approvals are needed; of several conditions all must hold."""

    approvals: int
    step_over: float | None = Field(description="An L1 distance from the weights in force.")
    lowers: list[str] = Field(description="Any of these utilities gets less than it has in force.")
    sources: list[Source] = Field(description="The weights come from one of these.")
    unsure: bool = Field(description="The reading needs a person.")


class ReviewRulesWire(Outgoing):
    """How many people must approve of a change."""

    approvals: int = Field(description="For an ordinary change.")
    self_approval: bool = Field(description="Whether the author's own approval counts.")
    raised: list[RaisedRuleWire]

    @classmethod
    def of(cls, rules: ReviewRules) -> ReviewRulesWire:
        """The rules themselves."""
        raised = [
            RaisedRuleWire(
                approvals=r.approvals,
                step_over=r.step_over,
                lowers=list(r.lowers),
                sources=list(r.sources),
                unsure=r.unsure,
            )
            for r in rules.raised
        ]
        return cls(approvals=rules.approvals, self_approval=rules.self_approval, raised=raised)


class ScenarioWire(Outgoing):
    """A surface with its utilities, segments, guardrails and review rules."""

    name: str
    title: BilingualWire
    utilities: list[UtilityWire]
    segments: list[SegmentWire]
    max_step: float = Field(description="The largest L1 distance from the active weights that a change may have.")
    review: ReviewRulesWire
    base: Literal["defaults", "active"] = Field(description="What a goal's moves start from.")

    @classmethod
    def of(cls, scenario: Scenario) -> ScenarioWire:
        """The scenario itself."""
        guardrails = scenario.guardrails
        return cls(
            name=scenario.name,
            title=BilingualWire.of(scenario.title),
            utilities=[
                UtilityWire(
                    name=u.name,
                    concept=u.concept,
                    default=u.default,
                    min=u.bounds.min,
                    max=u.bounds.max,
                    held=u.name in guardrails.held,
                    description=BilingualWire.of(u.description),
                )
                for u in scenario.utilities
            ],
            segments=[
                SegmentWire(name=s.name, description=BilingualWire.of(s.description)) for s in scenario.segments
            ],
            max_step=guardrails.max_step,
            review=ReviewRulesWire.of(scenario.review),
            base=scenario.base,
        )
