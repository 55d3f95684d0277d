"""Controllers: what is asked for, and how one stands."""

from __future__ import annotations

from pydantic import ConfigDict, Field

from reward_llm.api.wire.base import Incoming, MomentIn, MomentOut, Outgoing
from reward_llm.domain.control import Approval, Controller, ControllerState, Exposure, Hold, Reading
from reward_llm.domain.control_documents import content_hash, controller_of, plan_document, reading_of
from reward_llm.domain.control_grant import approvers
from reward_llm.domain.loop import LoopEntry, LoopRecord
from reward_llm.domain.metrics import Metric
from reward_llm.domain.pacing import HOURS

MAX_NAME = 100
MAX_READINGS = 1_000


class ExposureIn(Incoming):
    """A metric that is to be held at a set-point."""

    metric: Metric = Field(default=Metric.COLD_START_SHARE, strict=False)
    setpoint: float
    window: str = Field(default="15m", max_length=20, description="Of the metric: 1m to 30d.")
    least_events: int = Field(default=100, ge=1, description="With fewer in the window, nothing moves.")


class QuotaIn(Incoming):
    """An amount that is to be delivered by a moment."""

    metric: Metric = Field(
        strict=False,
        description="`boost_spend` and `gmv` in money, `cold_start_share` in impressions of new content.",
    )
    amount: float = Field(gt=0)
    since: MomentIn
    until: MomentIn
    hours: list[float] = Field(
        default=[], max_length=HOURS, description="The traffic of each hour of the day, relative; empty: all alike."
    )
    time_zone: str = Field(default="UTC", max_length=50, description="Whose hours are meant.")


class GainsIn(Incoming):
    """Of the PID controller; time is in minutes, error in the metric's unit or in shares of the quota."""

    proportional: float
    integral: float = 0.0
    derivative: float = 0.0


class EnvelopeIn(Incoming):
    """What the utility may weigh."""

    min: float = Field(ge=0, le=1)
    max: float = Field(ge=0, le=1)


class ControllerRequest(Incoming):
    """What is to be held, with which weight, and within which limits: one of `exposure` and `quota`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "scenario": "home_feed",
                    "name": "a fifth for new content",
                    "utility": "cold_start",
                    "exposure": {"metric": "cold_start_share", "setpoint": 0.2, "window": "15m"},
                    "gains": {"proportional": 0.2, "integral": 0.02},
                    "envelope": {"min": 0.05, "max": 0.3},
                    "slew": 0.02,
                    "dead_band": 0.01,
                    "reason": "new creators need a start",
                }
            ]
        }
    )

    scenario: str = Field(examples=["home_feed"])
    segment: str | None = None
    name: str = Field(default="", max_length=MAX_NAME)
    utility: str = Field(description="Whose weight may move.", max_length=100)
    exposure: ExposureIn | None = None
    quota: QuotaIn | None = None
    gains: GainsIn
    envelope: EnvelopeIn
    slew: float = Field(default=0.02, gt=0, le=1, description="The most that the weight moves in a period.")
    dead_band: float = Field(default=0.0, ge=0, description="The error that moves nothing.")
    period_s: int = Field(default=300, ge=60, le=86_400, description="Time from one look to the next, in seconds.")
    stale_after_s: int = Field(
        default=600, ge=30, le=86_400, description="The age of the last event from which nothing moves, in seconds."
    )
    base_policy: str | None = Field(
        default=None, max_length=100, description="The policy in force that this is for; null takes whatever it is."
    )
    reason: str = Field(max_length=2_000)


class ControllerApproval(Incoming):
    """Somebody's word for exactly what has the content hash."""

    content_hash: str = Field(max_length=100)
    comment: str = Field(default="", max_length=2_000)


class ControllerReason(Incoming):
    """Why a controller is paused, resumed or ended."""

    reason: str = Field(max_length=2_000)


class ReadingWire(Outgoing):
    """One look: what was measured, and what became of the weight."""

    number: int
    at: MomentOut
    policy_id: str = Field(description="In force from then on.")
    weight: float = Field(description="Of the utility, from then on.")
    setpoint: float | None
    measured: float | None
    error: float | None
    output: float | None = Field(description="The weight that was wanted, before all limits.")
    events: int
    held: Hold | None = Field(description="Why nothing moved; null for a move.")
    note: str

    @classmethod
    def of(cls, entry: LoopEntry) -> ReadingWire:
        """The entry."""
        reading: Reading = reading_of(entry.document, entry.at)
        return cls(
            number=entry.number,
            at=entry.at,
            policy_id=reading.policy_id,
            weight=reading.weight,
            setpoint=reading.setpoint,
            measured=reading.measured,
            error=reading.error,
            output=reading.output,
            events=reading.events,
            held=reading.held,
            note=reading.note,
        )


class ControllerApprovalWire(Outgoing):
    """Who approved, and when."""

    actor: str
    at: MomentOut
    comment: str

    @classmethod
    def of(cls, approval: Approval) -> ControllerApprovalWire:
        """The approval."""
        return cls(actor=approval.actor, at=approval.at, comment=approval.comment)


class ControllerSummaryWire(Outgoing):
    """A controller as it stands in a list."""

    id: str
    scenario: str
    segment: str | None
    name: str
    state: ControllerState
    note: str = Field(description="Why it is in this state, where nobody but itself put it there.")
    utility: str
    metric: Metric
    kind: str = Field(examples=["exposure", "quota"])
    plan: dict[str, object] = Field(description="All that was asked for, as it is kept.")
    base_policy: str
    base_weights: dict[str, float]
    content_hash: str = Field(description="What approvals bind to.")
    approvals_needed: int
    approvals_missing: int
    reasons: list[str] = Field(description="Why so many approvals are needed.")
    approvals: list[ControllerApprovalWire]
    revision: int
    created_at: MomentOut
    created_by: str
    changed_at: MomentOut

    @classmethod
    def of(cls, record: LoopRecord) -> ControllerSummaryWire:
        """The record."""
        return cls.model_validate(_told(record))


class ControllerWire(ControllerSummaryWire):
    """A controller with its last looks."""

    readings: list[ReadingWire] = Field(description="Oldest first.")

    @classmethod
    def with_readings(cls, record: LoopRecord, entries: list[LoopEntry]) -> ControllerWire:
        """The record with some of its entries."""
        return cls.model_validate({**_told(record), "readings": [ReadingWire.of(entry) for entry in entries]})


def _told(record: LoopRecord) -> dict[str, object]:
    controller: Controller = controller_of(record.document)
    plan, base = controller.plan, controller.base
    given = len(approvers(controller, record.created_by))
    return {
        "id": record.id,
        "scenario": record.scope.scenario,
        "segment": record.scope.segment,
        "name": controller.name,
        "state": ControllerState(record.state),
        "note": controller.note,
        "utility": plan.utility,
        "metric": plan.target.metric,
        "kind": "exposure" if isinstance(plan.target, Exposure) else "quota",
        "plan": plan_document(plan),
        "base_policy": base.policy_id,
        "base_weights": dict(base.weights),
        "content_hash": content_hash(plan, base),
        "approvals_needed": controller.needed,
        "approvals_missing": max(0, controller.needed - given),
        "reasons": list(controller.reasons),
        "approvals": [ControllerApprovalWire.of(a) for a in controller.approvals],
        "revision": record.revision,
        "created_at": record.created_at,
        "created_by": record.created_by,
        "changed_at": record.changed_at,
    }
