"""Who knows what came of served weights."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from reward_llm.domain.metrics import Estimate, Metric, MetricsReport, MetricWindow
from reward_llm.domain.scenario import Scope


class OnlineMetrics(Protocol):
    """Metrics of the events that came in so far, by the time at which they happened.

    Everything here raises MetricsUnavailable if the events can't be read now.
    """

    async def read(
        self, scenario: str, segment: str | None, policy_id: str | None, metric: Metric, window: MetricWindow
    ) -> Estimate:
        """A metric of the window that ends now; None for segment or policy takes all of them."""
        ...

    async def report(
        self, scope: Scope, policy_id: str | None, window: MetricWindow, until: datetime | None = None
    ) -> MetricsReport:
        """All metrics of the window, which ends now if nothing else is said; a scope without segment takes all."""
        ...

    async def policies(self, scope: Scope, window: MetricWindow) -> Sequence[str]:
        """The policies that events of the window that ends now name, in order of their ids."""
        ...

    async def newest(self, scenario: str) -> datetime | None:
        """When the scenario's last event happened; None if there is none."""
        ...

    async def aclose(self) -> None:
        """Let the events go."""
        ...
