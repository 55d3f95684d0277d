"""Asking for online metrics, and telling Prometheus the usual ones."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Final

import structlog

from reward_llm.api.metrics import Metrics
from reward_llm.api.services import Services
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.online_metrics import OnlineMetricsWire
from reward_llm.domain.metrics import MetricWindow
from reward_llm.domain.ports.metrics import OnlineMetrics
from reward_llm.domain.scenario import Scope
from reward_llm.errors import MetricsUnavailable, WindowInvalid

TOLD_WINDOWS: Final = ("5m", "1h")
TELL_S: Final = 15.0
"""How often Prometheus is told anew."""
_HINT: Final = "Install 'reward-llm[metrics]', and with a broker set REWARD_LLM_METRICS_DIR."
_log = structlog.get_logger(__name__)


async def measure(
    services: Services,
    scenario: str,
    segment: str | None,
    policy_id: str | None,
    window: str,
    until: datetime | None,
) -> OnlineMetricsWire:
    """All metrics of the scope.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SegmentUnknown: If the scenario has no such segment.
        WindowInvalid: If the window can't be used, or its end has no UTC offset.
        MetricsUnavailable: If nobody keeps metrics here, or they can't be read.
    """
    find_scenario(services.scenarios, scenario).check_segment(segment)
    if until is not None and until.utcoffset() is None:
        raise WindowInvalid("`until` says no UTC offset", hint="Write it as 2026-06-18T12:00:00Z.")
    metrics, scope, length = _online(services), Scope(scenario, segment), MetricWindow.parse(window)
    report = await metrics.report(scope, policy_id, length, until)
    return OnlineMetricsWire.of(report, await metrics.policies(scope, length))


async def keep_told(services: Services, counters: Metrics, every_s: float = TELL_S) -> None:
    """Tell Prometheus the metrics of every scenario and segment, until cancelled."""
    if services.online is None:
        return
    while True:
        for scenario in services.scenarios.values():
            for segment in (None, *(s.name for s in scenario.segments)):
                await _tell(services.online, counters, Scope(scenario.name, segment))
        await asyncio.sleep(every_s)


async def _tell(online: OnlineMetrics, counters: Metrics, scope: Scope) -> None:
    for window in TOLD_WINDOWS:
        try:
            counters.measured(await online.report(scope, None, MetricWindow.parse(window)))
        except MetricsUnavailable as exc:
            _log.warning("metrics.untold", scenario=scope.scenario, error=exc.message)


def _online(services: Services) -> OnlineMetrics:
    if services.online is None:
        raise MetricsUnavailable("this service keeps no metrics of events", hint=_HINT)
    return services.online
