"""Plans and small markets for tests of controllers."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from reward_llm.domain.control import ControllerPlan, Exposure, Gains
from reward_llm.domain.metrics import Estimate, Metric, MetricsReport, MetricWindow
from reward_llm.domain.scenario import Bounds, Scope
from tests.api.harness import Clock

PLAN = ControllerPlan(
    utility="cold_start",
    target=Exposure(metric=Metric.COLD_START_SHARE, setpoint=0.2, window=MetricWindow.parse("5m")),
    gains=Gains(proportional=0.2, integral=0.05),
    envelope=Bounds(min=0.05, max=0.3),
    slew=0.02,
    dead_band=0.01,
    period=timedelta(minutes=1),
    stale_after=timedelta(minutes=3),
)


def plan(**changes: Any) -> ControllerPlan:
    """The plan, but for what is named."""
    return replace(PLAN, **changes)


class Told:
    """Online metrics that say what a test tells them."""

    def __init__(self, clock: Clock, value: float | None = 0.1, events: int = 1_000) -> None:
        self.clock, self.value, self.events = clock, value, events
        self.newest_at: datetime | None = None
        self.asked: list[tuple[Scope, Metric, MetricWindow]] = []

    async def read(
        self, scenario: str, segment: str | None, policy_id: str | None, metric: Metric, window: MetricWindow
    ) -> Estimate:
        self.asked.append((Scope(scenario, segment), metric, window))
        return Estimate(value=self.value, low=None, high=None, events=self.events)

    async def report(
        self, scope: Scope, policy_id: str | None, window: MetricWindow, until: datetime | None = None
    ) -> MetricsReport:
        found = Estimate(value=self.value, low=None, high=None, events=self.events)
        return MetricsReport(
            scope=scope,
            policy_id=None,
            window=window,
            until=self.clock(),
            estimates=dict.fromkeys(Metric, found),
            confidence=0.95,
            share=0.5,
        )

    async def newest(self, scenario: str) -> datetime | None:
        return self.newest_at or self.clock()
