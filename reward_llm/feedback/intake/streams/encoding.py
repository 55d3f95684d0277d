"""Events as messages: a JSON array of them, small enough for every broker."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import structlog

from reward_llm.domain.events import Event, event_document, event_from
from reward_llm.errors import EventInvalid

MAX_MESSAGE_BYTES: Final = 256_000
"""NATS and Kafka take a megabyte, unless they are told otherwise."""
_log = structlog.get_logger(__name__)


def messages(events: Iterable[Event]) -> Iterator[bytes]:
    """The events in as few messages as they fit in."""
    parts: list[bytes] = []
    size = 0
    for event in events:
        part = json.dumps(event_document(event), ensure_ascii=False, separators=(",", ":")).encode()
        if parts and size + len(part) > MAX_MESSAGE_BYTES:
            yield _array(parts)
            parts, size = [], 0
        parts.append(part)
        size += len(part) + 1
    if parts:
        yield _array(parts)


def events_of(bodies: Sequence[object]) -> list[Event]:
    """The events of the decoded bodies of some messages; what is none of ours is logged and passed over."""
    found: list[Event] = []
    for body in bodies:
        for document in body if isinstance(body, list) else [body]:
            found += _readable(document)
    return found


def _readable(document: object) -> list[Event]:
    if not isinstance(document, dict):
        _log.error("events.unreadable", error=f"not an event but {type(document).__name__}")
        return []
    try:
        event = event_from(document)
    except EventInvalid as exc:
        _log.error("events.unreadable", error=exc.message)
        return []
    violations = tuple(event.problems())
    if violations:
        _log.error("events.unreadable", error="; ".join(map(str, violations)))
        return []
    return [event]


def _array(parts: Sequence[bytes]) -> bytes:
    return b"[" + b",".join(parts) + b"]"
