"""Controllers as the JSON documents that are kept of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import rfc8785

from reward_llm.domain.control import (
    Approval,
    BasePolicy,
    Controller,
    ControllerPlan,
    Exposure,
    Gains,
    Hold,
    Memory,
    Quota,
    Reading,
    Start,
    Target,
)
from reward_llm.domain.metrics import Metric, MetricWindow
from reward_llm.domain.pacing import Profile
from reward_llm.domain.scenario import Bounds
from reward_llm.domain.weights import Weights

_EXPOSURE: Final = "exposure"
_QUOTA: Final = "quota"


def content_hash(plan: ControllerPlan, base: BasePolicy) -> str:
    """SHA-256 over the RFC 8785 canonical JSON of a plan and its base, in hexadecimal: what approvals bind to."""
    document: dict[str, Any] = {"kind": "controller_plan/1", "base": base.content_hash, "plan": plan_document(plan)}
    return hashlib.sha256(rfc8785.dumps(document)).hexdigest()


def plan_document(plan: ControllerPlan) -> dict[str, Any]:
    """The plan."""
    gains = plan.gains
    return {
        "utility": plan.utility,
        "target": _target_document(plan.target),
        "gains": {"proportional": gains.proportional, "integral": gains.integral, "derivative": gains.derivative},
        "envelope": {"min": plan.envelope.min, "max": plan.envelope.max},
        "slew": plan.slew,
        "dead_band": plan.dead_band,
        "period_s": plan.period.total_seconds(),
        "stale_after_s": plan.stale_after.total_seconds(),
    }


def plan_of(document: Mapping[str, Any]) -> ControllerPlan:
    """The plan that `plan_document` wrote."""
    return ControllerPlan(
        utility=document["utility"],
        target=_target_of(document["target"]),
        gains=Gains(**document["gains"]),
        envelope=Bounds(**document["envelope"]),
        slew=document["slew"],
        dead_band=document["dead_band"],
        period=timedelta(seconds=document["period_s"]),
        stale_after=timedelta(seconds=document["stale_after_s"]),
    )


def controller_document(controller: Controller) -> dict[str, Any]:
    """The controller."""
    base, start = controller.base, controller.start
    return {
        "name": controller.name,
        "plan": plan_document(controller.plan),
        "base": {
            "policy_id": base.policy_id,
            "content_hash": base.content_hash,
            "weights": dict(base.weights),
        },
        "needed": controller.needed,
        "self_approval": controller.self_approval,
        "reasons": list(controller.reasons),
        "approvals": [
            {"actor": a.actor, "at": a.at.isoformat(), "content_hash": a.content_hash, "comment": a.comment}
            for a in controller.approvals
        ],
        "start": start and {"at": start.at.isoformat(), "policy_id": start.policy_id, "weight": start.weight},
        "note": controller.note,
    }


def controller_of(document: Mapping[str, Any]) -> Controller:
    """The controller that `controller_document` wrote."""
    base, start = document["base"], document["start"]
    return Controller(
        name=document["name"],
        plan=plan_of(document["plan"]),
        base=BasePolicy(
            policy_id=base["policy_id"], content_hash=base["content_hash"], weights=Weights(base["weights"])
        ),
        needed=document["needed"],
        self_approval=document["self_approval"],
        reasons=tuple(document["reasons"]),
        approvals=tuple(Approval(**(a | {"at": datetime.fromisoformat(a["at"])})) for a in document["approvals"]),
        start=start and Start(**(start | {"at": datetime.fromisoformat(start["at"])})),
        note=document["note"],
    )


def reading_document(reading: Reading) -> dict[str, Any]:
    """The reading, without its time, which its entry has."""
    return {
        "policy_id": reading.policy_id,
        "weight": reading.weight,
        "integral": reading.memory.integral,
        "last": reading.memory.measured,
        "setpoint": reading.setpoint,
        "measured": reading.measured,
        "output": reading.output,
        "events": reading.events,
        "held": reading.held and reading.held.value,
        "note": reading.note,
    }


def reading_of(document: Mapping[str, Any], at: datetime) -> Reading:
    """The reading that `reading_document` wrote."""
    return Reading(
        at=at,
        policy_id=document["policy_id"],
        weight=document["weight"],
        memory=Memory(integral=document["integral"], measured=document["last"]),
        setpoint=document["setpoint"],
        measured=document["measured"],
        output=document["output"],
        events=document["events"],
        held=Hold(document["held"]) if document["held"] else None,
        note=document["note"],
    )


def _target_document(target: Target) -> dict[str, Any]:
    if isinstance(target, Exposure):
        return {
            "kind": _EXPOSURE,
            "metric": target.metric.value,
            "setpoint": target.setpoint,
            "window": str(target.window),
            "least_events": target.least_events,
        }
    return {
        "kind": _QUOTA,
        "metric": target.metric.value,
        "amount": target.amount,
        "since": target.since.isoformat(),
        "until": target.until.isoformat(),
        "hours": list(target.profile.hours),
        "time_zone": target.profile.time_zone,
    }


def _target_of(document: Mapping[str, Any]) -> Target:
    metric = Metric(document["metric"])
    if document["kind"] == _EXPOSURE:
        return Exposure(
            metric=metric,
            setpoint=document["setpoint"],
            window=MetricWindow.parse(document["window"]),
            least_events=document["least_events"],
        )
    return Quota(
        metric=metric,
        amount=document["amount"],
        since=datetime.fromisoformat(document["since"]),
        until=datetime.fromisoformat(document["until"]),
        profile=Profile(hours=tuple(document["hours"]), time_zone=document["time_zone"]),
    )
