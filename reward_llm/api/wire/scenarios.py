"""Scenarios: what a client can ask for."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from reward_llm.api.wire.base import Outgoing
from reward_llm.domain.scenario import Bilingual, Concept, Scenario


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


class ScenarioWire(Outgoing):
    """A surface with its utilities, segments and guardrails."""

    name: str
    title: BilingualWire
    utilities: list[UtilityWire]
    segments: list[SegmentWire]
    max_step: float = Field(description="The largest L1 distance from the active weights that a change may have.")
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
            base=scenario.base,
        )
