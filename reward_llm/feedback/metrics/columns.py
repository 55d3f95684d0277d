"""Events as columns, as they are kept.

Arrow is imported by the first events: a service that nobody sends any starts without it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final

from reward_llm.domain.events import Event
from reward_llm.feedback.metrics.estimates import group_of, hash_of
from reward_llm.feedback.metrics.sample import EVERYTHING, Sample
from reward_llm.feedback.metrics.tallies import MILLIONTHS

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)

COLUMNS: Final = MappingProxyType(
    {
        "id_hash": "UBIGINT",
        "event_id": "VARCHAR",
        "type": "VARCHAR",
        "moment": "BIGINT",
        "scenario": "VARCHAR",
        "segment": "VARCHAR",
        "policy_id": "VARCHAR",
        "user_id": "VARCHAR",
        "user_group": "UTINYINT",
        "item": "VARCHAR",
        "request_id": "VARCHAR",
        "slot": "INTEGER",
        "propensity": "DOUBLE",
        "amount": "BIGINT",
        "cost": "BIGINT",
        "seller": "VARCHAR",
        "category": "VARCHAR",
        "creator": "VARCHAR",
        "is_new": "BOOLEAN",
        "boosted": "BOOLEAN",
        "of_user": "BOOLEAN",
        "of_item": "BOOLEAN",
    }
)
"""`moment` is in microseconds since 1970, `amount` (an event's value) and `cost` are in millionths.

`of_user` and `of_item` say what an event was drawn for: all that a user did, or all that was done with an item.
"""
_TYPES: Final = {
    "UBIGINT": "uint64",
    "VARCHAR": "string",
    "BIGINT": "int64",
    "UTINYINT": "uint8",
    "INTEGER": "int32",
    "DOUBLE": "float64",
    "BOOLEAN": "bool",
}
_SAME: Final = (
    "event_id",
    "scenario",
    "segment",
    "policy_id",
    "item",
    "request_id",
    "propensity",
    "seller",
    "category",
    "creator",
    "is_new",
    "boosted",
)
_same: Final = attrgetter(*_SAME)


def micros(moment: datetime) -> int:
    """Microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(microseconds: int) -> datetime:
    """The time that so many microseconds since 1970 are, in UTC."""
    return _EPOCH + microseconds * _MICROSECOND


def event_hash(event: Event) -> int:
    """What tells an event apart from others."""
    return hash_of(event.scenario, event.event_id)


def columns(events: Sequence[Event], sample: Sample = EVERYTHING) -> Any:
    """The events, which the sample keeps, as an Arrow table with `COLUMNS`."""
    import pyarrow as pa

    same = [*zip(*map(_same, events), strict=True)] or [()] * len(_SAME)
    values: dict[str, Sequence[Any]] = dict(zip(_SAME, same, strict=True))
    values["id_hash"] = [event_hash(e) for e in events]
    values["type"] = [e.type.value for e in events]
    values["moment"] = [micros(e.at) for e in events]
    values["user_id"] = [e.user for e in events]
    values["user_group"] = [group_of(e.key) for e in events]
    values["slot"] = [e.position for e in events]
    values["amount"] = [_millionths(e.value) for e in events]
    values["cost"] = [_millionths(e.cost) for e in events]
    is_all = sample == EVERYTHING
    values["of_user"] = [is_all or sample.has_user(e) for e in events]
    values["of_item"] = [is_all or sample.has_item(e) for e in events]
    types = {name: pa.type_for_alias(_TYPES[kind]) for name, kind in COLUMNS.items()}
    return pa.table({name: pa.array(values[name], kind) for name, kind in types.items()})


def _millionths(amount: float | None) -> int | None:
    return None if amount is None else round(amount * MILLIONTHS)
