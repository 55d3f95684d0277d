"""What all bodies have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

T = TypeVar("T")


class Incoming(BaseModel):
    """A body that is read: nothing is converted, and what isn't named is refused."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Outgoing(BaseModel):
    """A body that is written."""

    model_config = ConfigDict(frozen=True)


def _moment(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be a string such as 2026-06-18T00:00:00+08:00")  # noqa: TRY004 - pydantic's protocol
    try:
        moment = datetime.fromisoformat(value)
        return moment.astimezone(UTC) if moment.tzinfo else moment
    except OverflowError as exc:
        raise ValueError("lies outside the years 1 to 9999 in UTC") from exc
    except ValueError as exc:
        raise ValueError("isn't a moment such as 2026-06-18T00:00:00+08:00") from exc


MomentIn = Annotated[
    datetime,
    BeforeValidator(_moment),
    Field(description="ISO 8601 with a UTC offset.", examples=["2026-06-18T00:00:00+08:00"]),
]

MomentOut = Annotated[
    datetime,
    PlainSerializer(lambda m: m.astimezone(UTC).isoformat().replace("+00:00", "Z"), return_type=str),
    Field(examples=["2026-06-17T16:00:00Z"], json_schema_extra={"format": "date-time"}),
]

WeightsByUtility = Annotated[
    dict[str, float],
    Field(
        description="A weight in [0, 1] for each utility of the scenario; together they are 1.",
        examples=[
            {
                "click": 0.2,
                "gmv": 0.3,
                "satisfaction": 0.15,
                "retention": 0.15,
                "diversity": 0.08,
                "cold_start": 0.08,
                "group_order": 0.04,
            }
        ],
    ),
]


class Listing(Outgoing, Generic[T]):
    """A part of a list, newest first."""

    items: list[T]
    next_cursor: str | None = Field(
        default=None, description="Give it as `cursor` to get the next part; null at the end."
    )
