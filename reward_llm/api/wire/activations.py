"""Activations: policies put into force, for a while and for a share of the users."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from reward_llm.api.wire.base import Incoming, MomentIn, MomentOut, Outgoing
from reward_llm.api.wire.policies import PolicyContent, Reason
from reward_llm.domain.activation import Activation, Ending, EndingKind
from reward_llm.domain.schedule import EVERYBODY, Overlap

Percent = Annotated[float, Field(gt=0, le=EVERYBODY, description="The share of users that get it, each for good.")]


class ActivationRequest(Incoming):
    """When a policy is to hold and for whom; from now on, without end and for everybody if nothing is said."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"from": "2026-06-16T00:00:00+08:00", "until": "2026-06-21T00:00:00+08:00"},
                {"percent": 10},
                {},
            ]
        }
    )

    valid_from: MomentIn | None = Field(default=None, alias="from")
    valid_until: MomentIn | None = Field(default=None, alias="until")
    percent: Percent = EVERYBODY
    conflicts: Literal["refuse", "accept"] = Field(
        default="refuse", description="Whether it may cut into a window of another policy, or be cut into."
    )


class ActivationChangeRequest(Incoming):
    """What of an activation is to be different; what isn't named stays, null opens that side."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"percent": 50}, {"until": None}]})

    valid_from: MomentIn | None = Field(default=None, alias="from")
    valid_until: MomentIn | None = Field(default=None, alias="until")
    percent: Percent = EVERYBODY
    conflicts: Literal["refuse", "accept"] = "refuse"


class EndRequest(Incoming):
    """Why an activation ends, or is called off."""

    reason: Reason


class ActivationState(StrEnum):
    """Where a moment finds an activation."""

    SCHEDULED = "scheduled"
    RUNNING = "running"
    OVER = "over"
    CANCELLED = "cancelled"
    """It was called off before it began, and never does."""


class EndingWire(Outgoing):
    """That somebody ended an activation."""

    at: MomentOut
    by: str
    kind: EndingKind

    @classmethod
    def of(cls, ending: Ending) -> EndingWire:
        """The ending itself."""
        return cls(at=ending.at, by=ending.by, kind=ending.kind)


class ActivationTerms(Outgoing):
    """When a policy holds and for whom, as people set it."""

    valid_from: MomentOut | None = Field(serialization_alias="from")
    valid_until: MomentOut | None = Field(serialization_alias="until")
    percent: float


class ActivationSummary(ActivationTerms):
    """When a policy holds and for whom; of those that cover a moment the one with the latest `start` wins."""

    sequence: int
    state: ActivationState
    start: MomentOut = Field(description="When it begins: no earlier than it was made.")
    end: MomentOut | None = Field(description="When it is over, as far as is known.")
    revision: int = Field(description="Counts its changes from 1; its `ETag`.")
    activated_at: MomentOut
    activated_by: str
    ended: EndingWire | None = Field(description="Who ended it before its time, and when.")

    @classmethod
    def of(cls, activation: Activation, now: datetime) -> ActivationSummary:
        """The activation as it is now, without its policy."""
        return cls(**_facts(activation, now))


class ActivationWire(ActivationSummary):
    """A policy put into force."""

    policy: PolicyContent

    @classmethod
    def of(cls, activation: Activation, now: datetime) -> ActivationWire:
        """The activation as it is now."""
        return cls(policy=PolicyContent.of(activation.policy), **_facts(activation, now))


class ConflictWire(Outgoing):
    """An activation that another one would cut into or be cut by, and when."""

    activation: ActivationWire
    since: MomentOut
    until: MomentOut | None

    @classmethod
    def of(cls, overlap: Overlap, now: datetime) -> ConflictWire:
        """The overlap itself."""
        return cls(activation=ActivationWire.of(overlap.activation, now), since=overlap.since, until=overlap.until)


def _facts(activation: Activation, now: datetime) -> dict[str, object]:
    return {
        "sequence": activation.sequence,
        "state": _state_of(activation, now),
        "valid_from": activation.window.valid_from,
        "valid_until": activation.window.valid_until,
        "percent": activation.percent,
        "start": activation.start,
        "end": activation.end,
        "revision": activation.revision,
        "activated_at": activation.activated_at,
        "activated_by": activation.activated_by,
        "ended": EndingWire.of(activation.ended) if activation.ended else None,
    }


def _state_of(activation: Activation, now: datetime) -> ActivationState:
    if activation.covers(now):
        return ActivationState.RUNNING
    if not activation.is_over(now):
        return ActivationState.SCHEDULED
    end = activation.end
    return ActivationState.CANCELLED if end is not None and end <= activation.start else ActivationState.OVER
