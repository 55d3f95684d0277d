"""A snapshot: everything that is served, with all that is scheduled."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from reward_llm.delivery.sdk.errors import SnapshotInvalid
from reward_llm.domain.schedule import EVERYBODY, Scheduled, winners_first

ScopeKey = tuple[str, str | None]
"""A scenario, and one of its segments or None for all of it."""

_SUM_TOLERANCE: Final = 1e-6
_MAX_COUNT: Final = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyWeights:
    """What one policy says, in the order of the scenario's utilities."""

    policy_id: str
    version: int
    weights: Mapping[str, float]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledWeights(Scheduled):
    """A policy that is in force in [start, end), for a share of the units."""

    sequence: int
    policy: PolicyWeights
    percent: float
    start: datetime
    end: datetime | None

    @property
    def policy_id(self) -> str:
        """The policy's."""
        return self.policy.policy_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A scope's own schedule and defaults; `answer` is what the service itself made of them.

    `text` is the JSON that it was read from, and `digest` the SHA-256 of that.
    """

    scenario: str
    segment: str | None
    utilities: tuple[str, ...]
    frozen: bool
    default: PolicyWeights
    activations: tuple[ScheduledWeights, ...]
    answer: tuple[str, str]
    text: str = field(compare=False, repr=False)
    digest: bytes = field(compare=False, repr=False)

    @property
    def key(self) -> ScopeKey:
        """Its scope."""
        return self.scenario, self.segment

    @property
    def edges(self) -> Iterator[datetime]:
        """When its own activations begin and end."""
        for activation in self.activations:
            yield activation.start
            if activation.end is not None:
                yield activation.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """All items of one revision; `as_of` is when the service said so, and `age_s` how old it was then."""

    revision: int
    as_of: datetime
    stale: bool
    age_s: float
    items: Mapping[ScopeKey, Item]

    def only(self, scenarios: frozenset[str] | None) -> Snapshot:
        """What is in it of these scenarios, None for all."""
        if scenarios is None:
            return self
        items = {k: i for k, i in self.items.items() if k[0] in scenarios}
        return Snapshot(
            revision=self.revision,
            as_of=self.as_of,
            stale=self.stale,
            age_s=self.age_s,
            items=MappingProxyType(items),
        )


def written(snapshot: Snapshot) -> bytes:
    """The document, with the items as the service wrote them."""
    head = {
        "revision": snapshot.revision,
        "as_of": snapshot.as_of.isoformat(),
        "stale": snapshot.stale,
        "age_s": snapshot.age_s,
    }
    items = ",".join([item.text for item in snapshot.items.values()])
    return f'{json.dumps(head)[:-1]}, "items": [{items}]}}'.encode()


def read_item(document: object, text: str) -> Item:
    """One item of a snapshot.

    Raises:
        SnapshotInvalid: If it isn't one, with where.
    """
    fields = _object(document, "an item")
    scenario = _text(fields, "scenario")
    segment = _text(fields, "segment") if _field(fields, "segment") is not None else None
    utilities = tuple(_array(fields, "utilities"))
    if not utilities or not all(isinstance(u, str) and u for u in utilities) or len(set(utilities)) < len(utilities):
        raise SnapshotInvalid("utilities must be different names")
    made = winners_first(_scheduled(a, utilities) for a in _array(fields, "activations"))
    return Item(
        scenario=scenario,
        segment=segment,
        utilities=utilities,
        frozen=_flag(fields, "frozen"),
        default=_policy(_object(_field(fields, "default"), "default"), utilities),
        activations=made,
        answer=(_text(fields, "policy_id"), _text(fields, "rule")),
        text=text,
        digest=hashlib.sha256(text.encode("utf-8")).digest(),
    )


def read_snapshot(fields: Mapping[str, object], items: list[Item]) -> Snapshot:
    """A snapshot from its fields, of which the items were read before.

    Raises:
        SnapshotInvalid: If it isn't whole.
    """
    by_key = {item.key: item for item in items}
    if len(by_key) < len(items):
        raise SnapshotInvalid("a scope stands in it twice")
    for scenario, segment in by_key:
        if segment is not None and (scenario, None) not in by_key:
            raise SnapshotInvalid(f"the segment {segment!r} stands in it without its scenario {scenario!r}")
    return Snapshot(
        revision=count(fields, "revision"),
        as_of=moment(fields, "as_of"),
        stale=_flag(fields, "stale"),
        age_s=seconds(fields, "age_s"),
        items=MappingProxyType(by_key),
    )


def count(fields: Mapping[str, object], name: str) -> int:
    """A whole number from 0."""
    value = _field(fields, name)
    if type(value) is not int or not 0 <= value < _MAX_COUNT:
        raise SnapshotInvalid(f"{name} must be a whole number from 0")
    return value


def seconds(fields: Mapping[str, object], name: str) -> float:
    """A number from 0."""
    value = _number(_field(fields, name), name)
    if value < 0:
        raise SnapshotInvalid(f"{name} must be 0 or more")
    return value


def moment(fields: Mapping[str, object], name: str) -> datetime:
    """A moment, in UTC."""
    try:
        read = datetime.fromisoformat(_text(fields, name))
        if read.tzinfo is None:
            raise SnapshotInvalid(f"{name} has no UTC offset")
        return read.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise SnapshotInvalid(f"{name} isn't a moment") from exc


def _scheduled(document: object, utilities: tuple[str, ...]) -> ScheduledWeights:
    fields = _object(document, "an activation")
    percent = _number(_field(fields, "percent"), "percent")
    if not 0 < percent <= EVERYBODY:
        raise SnapshotInvalid("percent must be over 0 and at most 100")
    return ScheduledWeights(
        sequence=count(fields, "activation"),
        policy=_policy(fields, utilities),
        percent=percent,
        start=moment(fields, "start"),
        end=moment(fields, "end") if _field(fields, "end") is not None else None,
    )


def _policy(fields: Mapping[str, object], utilities: tuple[str, ...]) -> PolicyWeights:
    return PolicyWeights(
        policy_id=_text(fields, "policy_id"),
        version=count(fields, "version"),
        weights=_weights(_object(_field(fields, "weights"), "weights"), utilities),
        source=_text(fields, "source"),
    )


def _weights(fields: Mapping[str, object], utilities: tuple[str, ...]) -> Mapping[str, float]:
    if fields.keys() != set(utilities):
        raise SnapshotInvalid("weights must have the scenario's utilities, and no others")
    weights = {u: _number(fields[u], "a weight") for u in utilities}
    if min(weights.values()) < 0 or abs(math.fsum(weights.values()) - 1) > _SUM_TOLERANCE:
        raise SnapshotInvalid("weights must be 0 or more, and 1 together")
    return MappingProxyType(weights)


def _field(fields: Mapping[str, object], name: str) -> object:
    if name not in fields:
        raise SnapshotInvalid(f"{name} is missing")
    return fields[name]


def _object(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise SnapshotInvalid(f"{name} must be an object")
    return value


def _array(fields: Mapping[str, object], name: str) -> list[Any]:
    value = _field(fields, name)
    if not isinstance(value, list):
        raise SnapshotInvalid(f"{name} must be an array")
    return value


def _text(fields: Mapping[str, object], name: str) -> str:
    value = _field(fields, name)
    if not isinstance(value, str) or not value:
        raise SnapshotInvalid(f"{name} must be a text")
    return value


def _flag(fields: Mapping[str, object], name: str) -> bool:
    value = _field(fields, name)
    if not isinstance(value, bool):
        raise SnapshotInvalid(f"{name} must be true or false")
    return value


def _number(value: object, name: str) -> float:
    if type(value) not in (int, float):
        raise SnapshotInvalid(f"{name} must be a number")
    try:
        number = float(value)  # type: ignore[arg-type]
    except OverflowError as exc:
        raise SnapshotInvalid(f"{name} is too large") from exc
    if not math.isfinite(number):
        raise SnapshotInvalid(f"{name} must be finite")
    return number
