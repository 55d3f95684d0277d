"""Online metrics as they are answered."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from reward_llm.api.wire.base import MomentOut, Outgoing
from reward_llm.domain.metrics import Estimate, MetricsReport


class EstimateWire(Outgoing):
    """A metric with its interval; null where there is nothing to tell it by."""

    value: float | None
    low: float | None
    high: float | None
    events: int = Field(description="How many events, users, slates or items it is the mean, share or sum of.")

    @classmethod
    def of(cls, estimate: Estimate) -> EstimateWire:
        """The estimate."""
        return cls(value=estimate.value, low=estimate.low, high=estimate.high, events=estimate.events)


class OnlineMetricsWire(Outgoing):
    """All metrics of a scope over a window of the events' own time."""

    scenario: str
    segment: str | None = Field(description="Null for all of them.")
    policy_id: str | None = Field(description="Null for all of them.")
    window: str = Field(examples=["1h"])
    since: MomentOut = Field(description="Events count that happened after this,")
    until: MomentOut = Field(description="and up to this.")
    newest: MomentOut | None = Field(description="When the scenario's last event happened.")
    confidence: float = Field(description="Of the intervals.")
    share: float = Field(description="How much of all users the metrics are estimated from.")
    policies: list[str] = Field(description="The policies that events of the window that ends now name.")
    metrics: dict[str, EstimateWire]

    @classmethod
    def of(cls, report: MetricsReport, policies: Sequence[str]) -> OnlineMetricsWire:
        """The report."""
        return cls(
            scenario=report.scope.scenario,
            segment=report.scope.segment,
            policy_id=report.policy_id,
            window=str(report.window),
            since=report.until - report.window.length,
            until=report.until,
            newest=report.newest,
            confidence=report.confidence,
            share=report.share,
            policies=list(policies),
            metrics={metric.value: EstimateWire.of(found) for metric, found in report.estimates.items()},
        )
