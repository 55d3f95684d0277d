"""What a controller sees: its metric as it is now, its set-point, and whether either can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from reward_llm.domain.control import ControllerPlan, Exposure, Hold, Quota
from reward_llm.domain.metrics import SHORTEST, TOTALS, Metric, MetricWindow
from reward_llm.domain.ports.metrics import OnlineMetrics
from reward_llm.domain.scenario import Scope
from reward_llm.errors import MetricsUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A measurement and its set-point, in the metric's unit or in shares of a quota; `held` says what it lacks."""

    setpoint: float | None = None
    measured: float | None = None
    events: int = 0
    held: Hold | None = None
    note: str = ""


async def look(plan: ControllerPlan, scope: Scope, online: OnlineMetrics | None, now: datetime) -> Sight:
    """Measure what the plan is for.

    A feed that stopped tells nothing about now, whatever lies in the window: whoever reads it as the truth winds up.
    """
    if online is None:
        return Sight(held=Hold.UNMEASURED, note="nobody keeps metrics here")
    try:
        newest = await online.newest(scope.scenario)
        if newest is None or now - newest > plan.stale_after:
            return Sight(held=Hold.STALE, note=f"the last event is of {newest.isoformat() if newest else 'no time'}")
        if isinstance(plan.target, Exposure):
            return await _exposure(plan.target, scope, online)
        return await _quota(plan.target, scope, online, now)
    except MetricsUnavailable as exc:
        return Sight(held=Hold.UNMEASURED, note=exc.message)


async def _exposure(target: Exposure, scope: Scope, online: OnlineMetrics) -> Sight:
    found = await online.read(scope.scenario, scope.segment, None, target.metric, target.window)
    held = None
    if found.value is None or found.events < target.least_events:
        held = Hold.FEW
    return Sight(setpoint=target.setpoint, measured=found.value, events=found.events, held=held)


async def _quota(target: Quota, scope: Scope, online: OnlineMetrics, now: datetime) -> Sight:
    due = target.due(now)
    passed = now - target.since
    if passed < SHORTEST:
        return Sight(setpoint=due, held=Hold.EARLY)
    delivered, events = await _delivered(target.metric, scope, online, passed)
    return Sight(setpoint=due, measured=delivered / target.amount, events=events)


async def _delivered(metric: Metric, scope: Scope, online: OnlineMetrics, passed: timedelta) -> tuple[float, int]:
    """The amount so far; impressions are counted of the users whose events are kept, and told of all."""
    window = MetricWindow(passed)
    if metric in TOTALS:
        found = await online.read(scope.scenario, scope.segment, None, metric, window)
        return found.value or 0.0, found.events
    report = await online.report(scope, None, window)
    found = report.estimates[metric]
    return (found.value or 0.0) * found.events / report.share, found.events
