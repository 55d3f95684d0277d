"""From a document to a controller's plan, with everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from reward_llm.api.wire.controllers import ControllerRequest, ExposureIn, QuotaIn
from reward_llm.domain.control import EXPOSED, PACED, ControllerPlan, Exposure, Gains, Quota, Target
from reward_llm.domain.metrics import LONGEST, SHORTEST, MetricWindow
from reward_llm.domain.pacing import Profile
from reward_llm.domain.scenario import Bounds, Scenario
from reward_llm.errors import ControllerInvalid, Violation, WindowInvalid


def planned(sent: ControllerRequest, scenario: Scenario) -> ControllerPlan:
    """The plan that was sent.

    Raises:
        ControllerInvalid: With everything that is wrong with it.
    """
    wrong = [*_wrong(sent, scenario)]
    if wrong:
        raise ControllerInvalid("the controller can't be run: " + "; ".join(map(str, wrong)), violations=wrong)
    return ControllerPlan(
        utility=sent.utility,
        target=_exposure(sent.exposure) if sent.exposure else _quota(sent.quota),
        gains=_gains(sent),
        envelope=Bounds(min=sent.envelope.min, max=sent.envelope.max),
        slew=sent.slew,
        dead_band=sent.dead_band,
        period=timedelta(seconds=sent.period_s),
        stale_after=timedelta(seconds=sent.stale_after_s),
    )


def _wrong(sent: ControllerRequest, scenario: Scenario) -> Iterator[Violation]:
    if (sent.exposure is None) == (sent.quota is None):
        yield Violation(path="exposure", code="either", message="give one of exposure and quota")
    if not _gains(sent).are_usable:
        yield Violation(path="gains", code="gains", message="gains must be of one sign, and not all 0")
    yield from _wrong_envelope(sent, scenario)
    if sent.exposure is not None:
        yield from _wrong_exposure(sent.exposure)
    if sent.quota is not None:
        yield from _wrong_quota(sent.quota)


def _wrong_envelope(sent: ControllerRequest, scenario: Scenario) -> Iterator[Violation]:
    if sent.utility not in scenario.utility_names:
        known = ", ".join(scenario.utility_names)
        yield Violation(
            path="utility", code="unknown", message=f"{scenario.name} has no such utility; it has {known}"
        )
        return
    bounds, envelope = scenario.utility(sent.utility).bounds, sent.envelope
    if not bounds.min <= envelope.min < envelope.max <= bounds.max:
        message = f"it must have a room, within the utility's bounds [{bounds.min:g}, {bounds.max:g}]"
        yield Violation(path="envelope", code="bounds", message=message)


def _wrong_exposure(sent: ExposureIn) -> Iterator[Violation]:
    if sent.metric not in EXPOSED:
        yield Violation(path="exposure/metric", code="total", message="a total is paced, as a quota")
    try:
        MetricWindow.parse(sent.window)
    except WindowInvalid as exc:
        yield Violation(path="exposure/window", code="window", message=exc.message)


def _wrong_quota(sent: QuotaIn) -> Iterator[Violation]:
    if sent.metric not in PACED:
        names = ", ".join(sorted(m.value for m in PACED))
        yield Violation(path="quota/metric", code="no_total", message=f"a quota is of one of {names}")
    moments = (("since", sent.since), ("until", sent.until))
    naive = [name for name, moment in moments if moment.tzinfo is None]
    yield from (Violation(path=f"quota/{n}", code="offset", message="it says no UTC offset") for n in naive)
    if not naive and not SHORTEST < sent.until - sent.since <= LONGEST:
        message = "a quota's time is over a minute and at most thirty days"
        yield Violation(path="quota/until", code="length", message=message)
    try:
        _profile(sent)
    except ValueError as exc:
        yield Violation(path="quota/hours", code="profile", message=str(exc))


def _gains(sent: ControllerRequest) -> Gains:
    return Gains(proportional=sent.gains.proportional, integral=sent.gains.integral, derivative=sent.gains.derivative)


def _exposure(sent: ExposureIn) -> Target:
    return Exposure(
        metric=sent.metric,
        setpoint=sent.setpoint,
        window=MetricWindow.parse(sent.window),
        least_events=sent.least_events,
    )


def _quota(sent: QuotaIn | None) -> Target:
    assert sent is not None  # noqa: S101 - one of both was sent
    return Quota(metric=sent.metric, amount=sent.amount, since=sent.since, until=sent.until, profile=_profile(sent))


def _profile(sent: QuotaIn) -> Profile:
    return Profile(hours=tuple(sent.hours), time_zone=sent.time_zone)
