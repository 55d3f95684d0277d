"""Problem documents (RFC 9457)."""

from __future__ import annotations

from pydantic import Field
from pydantic.types import JsonValue

from reward_llm.api.wire.base import Outgoing


class ViolationWire(Outgoing):
    """One thing that is wrong, and where."""

    path: str = Field(description="Where in the request, with slashes; empty for the whole.")
    code: str
    message: str


class DifferenceWire(Outgoing):
    """A field in which what was sent and the version now part."""

    path: str = Field(description="Where in the document, with slashes.")
    yours: JsonValue
    current: JsonValue


class Problem(Outgoing):
    """Why a request wasn't done, as RFC 9457 has it."""

    type: str = Field(examples=["urn:reward-llm:problem:scenario_unknown"])
    title: str = Field(examples=["Scenario unknown"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["no scenario 'home_fed'"])
    instance: str = Field(
        description="This occurrence: the request's id, also in `X-Request-ID` and the log.",
        examples=["urn:uuid:0b2c3d7e-6c0e-4f3f-9f0b-0d7a3c1f6a55"],
    )
    code: str = Field(description="The kind of problem, for programs.", examples=["scenario_unknown"])
    hint: str | None = Field(
        default=None, description="What to do next.", examples=["There are: home_feed, video_feed."]
    )
    violations: list[ViolationWire] | None = None
    current: dict[str, JsonValue] | None = Field(
        default=None, description="On 412, the version that there is now; left out if there is none."
    )
    differences: list[DifferenceWire] | None = Field(
        default=None, description="On 412, what was sent beside the version now, field by field."
    )
    evidence: dict[str, JsonValue] | None = Field(
        default=None, description="On `evaluation_below`, what was measured, as in the history of the label."
    )
