"""Previews: what other weights would change."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from reward_llm.api.wire.base import Incoming, Outgoing, WeightsByUtility
from reward_llm.api.wire.problem import ViolationWire
from reward_llm.domain.preview import ExampleSlate, Interval, Preview, ShownItem, UtilityChange
from reward_llm.domain.ranking import SupplyType
from reward_llm.domain.serving import ServedWeights
from reward_llm.errors import Violation


class PreviewRequest(Incoming):
    """Weights to try out; nothing of it is kept."""

    scenario: str = Field(examples=["home_feed"])
    segment: str | None = Field(default=None, description="One of the scenario's segments; null for all users.")
    weights: WeightsByUtility = Field(description="Utilities that are left out weigh nothing.")


class IntervalWire(Outgoing):
    """A mean over requests, and where it lies with the preview's confidence."""

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, interval: Interval) -> IntervalWire:
        """The interval itself."""
        return cls(mean=interval.mean, low=interval.low, high=interval.high)


class UtilityChangeWire(Outgoing):
    """What is expected to become of a utility."""

    utility: str
    before: float = Field(description="Its mean over the requests, in [0, 1], under the weights now.")
    after: float
    change: IntervalWire = Field(description="Of the differences, paired by request.")
    influence_before: float = Field(description="Its share of the score's variance over slates that might be shown.")
    influence_after: float

    @classmethod
    def of(cls, change: UtilityChange) -> UtilityChangeWire:
        """The change itself."""
        return cls(
            utility=change.utility,
            before=change.before,
            after=change.after,
            change=IntervalWire.of(change.change),
            influence_before=change.influence_before,
            influence_after=change.influence_after,
        )


class ShownItemWire(Outgoing):
    """An item of an example, with what utilities and rules read of it."""

    item_id: str
    supply_type: SupplyType
    seller: str | None
    category: str | None
    price: float | None
    age_days: float | None
    group: int
    was: int | None = Field(description="Its slot, from 0, in the other slate; null if it isn't there.")


class ExampleWire(Outgoing):
    """A logged request's slates under both weights."""

    request_id: str
    before: list[ShownItemWire]
    after: list[ShownItemWire]

    @classmethod
    def of(cls, example: ExampleSlate) -> ExampleWire:
        """The slates, each item with where it is in the other one."""
        return cls(
            request_id=example.request_id,
            before=_placed(example.before, example.after),
            after=_placed(example.after, example.before),
        )


class PreviewWire(Outgoing):
    """What other weights would change on logged requests, as the evaluator expects it."""

    scenario: str
    segment: str | None
    policy_id: str = Field(description="Whose weights these are compared with: what is in force for everybody.")
    now: WeightsByUtility
    then: WeightsByUtility
    gate: list[ViolationWire] = Field(description="What the gate would refuse such weights for; empty if nothing.")
    requests: int
    size: int = Field(description="Slots of a slate.")
    confidence: float
    changes: list[UtilityChangeWire]
    score: IntervalWire = Field(
        description="By how much the weighted sum of the tried weights is higher with their own slates."
    )
    changed_share: float = Field(description="Share of the requests whose slate is another.")
    replaced_share: float = Field(description="Share of the slots that show what wasn't in the slate before.")
    examples: list[ExampleWire] = Field(description="From little movement to the most.")
    ignored: list[str] = Field(description="Utilities that have a weight and that the ranker doesn't measure.")

    @classmethod
    def of(
        cls, served: ServedWeights, then: dict[str, float], gate: tuple[Violation, ...], preview: Preview
    ) -> PreviewWire:
        """The preview of weights beside those that are served."""
        return cls(
            scenario=served.scope.scenario,
            segment=served.scope.segment,
            policy_id=served.policy_id,
            now=dict(served.policy.weights),
            then=then,
            gate=[ViolationWire(path=v.path, code=v.code, message=v.message) for v in gate],
            requests=preview.requests,
            size=preview.size,
            confidence=preview.confidence,
            changes=[UtilityChangeWire.of(c) for c in preview.changes],
            score=IntervalWire.of(preview.score),
            changed_share=preview.changed_share,
            replaced_share=preview.replaced_share,
            examples=[ExampleWire.of(e) for e in preview.examples],
            ignored=list(preview.ignored),
        )


def _placed(slate: tuple[ShownItem, ...], other: tuple[ShownItem, ...]) -> list[ShownItemWire]:
    slots = {item.item_id: slot for slot, item in enumerate(other)}
    return [ShownItemWire(**_facts(item), was=slots.get(item.item_id)) for item in slate]


def _facts(item: ShownItem) -> dict[str, Any]:
    return {
        "item_id": item.item_id,
        "supply_type": item.supply_type,
        "seller": item.seller,
        "category": item.category,
        "price": item.price,
        "age_days": item.age_days,
        "group": item.group,
    }
