"""Requests that the lane understands: those that ask for weights and for nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import unquote_plus

from reward_llm.api.lane.memo import Key

ASKED: Final = "asked"
"""Where a request that the lane understood keeps what that was, for the route to make a ticket of."""

_PATH: Final = "/v1/weights"
_RAW_PATH: Final = b"/v1/weights"
_UNIT: Final = b"unit="
_QUERIES: Final = (b"segment=", b"scenario=", _UNIT)
_MAX_UNIT_CHARS: Final = 200
_MAX_HEADERS: Final = 32
_MAX_DIGITS: Final = 15
_MAX_KEY_BYTES: Final = 1_024
_SEPARATORS: Final = len(": \r\n")
_UNUSUAL: Final = frozenset(
    {
        b"cookie",
        b"origin",
        b"content-length",
        b"transfer-encoding",
        b"expect",
        b"upgrade",
    }
)
"""What makes the application answer otherwise, or may do so."""
_TELLING: Final = _UNUSUAL | {b"host", b"authorization", b"if-none-match", b"weights-at-least"}
_FORWARDED: Final = frozenset({b"x-forwarded-for", b"x-forwarded-proto"})
"""What may say that the client is another one; the server in front of ASGI knows whom to believe."""

Fields = Sequence[tuple[bytes, bytes]]
"""Header fields in the order in which they were sent."""


class Asked(NamedTuple):
    """A request, as far as the answer depends on it.

    `forwarded` has fields in which a proxy may say whom the request comes from.
    """

    key: Key
    unit: str | None
    if_none_match: bytes | None
    at_least: int
    forwarded: bool = False


def understood(scope: Any, head_limit_bytes: int) -> Asked | None:
    """What an ASGI request asks for; None if that is for the application alone to say."""
    if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(_PATH):
        return None
    raw_path = scope.get("raw_path")
    if raw_path is None:
        return None
    return _asked(raw_path, scope["query_string"], scope["headers"], head_limit_bytes)


def understood_url(url: bytes, headers: Fields, head_limit_bytes: int) -> Asked | None:
    """What a GET of a URL as it was sent asks for, whose field names are in lower case; None as above."""
    if not url.startswith(_RAW_PATH) or b"#" in url:
        return None
    raw_path, _, query = url.partition(b"?")
    return _asked(raw_path, query, headers, head_limit_bytes)


def _asked(raw_path: bytes, query: bytes, headers: Fields, head_limit_bytes: int) -> Asked | None:
    if len(headers) > _MAX_HEADERS:
        return None
    size = len(raw_path) + len(query) + _SEPARATORS * len(headers)
    told: dict[bytes, bytes] = {}
    forwarded = False
    for name, value in headers:
        size += len(name) + len(value)
        if name in _TELLING:
            if name in told or name in _UNUSUAL:
                return None
            told[name] = value
        elif name in _FORWARDED:
            forwarded = True
    split = _without_unit(query) if query else (b"", None)
    at_least = _number(told.get(b"weights-at-least", b"0"))
    if split is None or at_least is None or size > head_limit_bytes:
        return None
    key = (raw_path, split[0], told.get(b"host", b""), told.get(b"authorization"))
    if len(key[0]) + len(key[1]) + len(key[2]) + len(key[3] or b"") > _MAX_KEY_BYTES:
        return None
    return Asked(key, split[1], told.get(b"if-none-match"), at_least, forwarded)


def _without_unit(query: bytes) -> tuple[bytes, str | None] | None:
    """The query without its unit, and that; None for queries with anything that is new or there twice."""
    kept, unit = [], None
    for part in query.split(b"&"):
        if not part.startswith(_QUERIES):
            return None
        if not part.startswith(_UNIT):
            kept.append(part)
        elif unit is not None:
            return None
        else:
            unit = unquote_plus(part[len(_UNIT) :].decode("latin-1"))
    if unit is not None and len(unit) > _MAX_UNIT_CHARS:
        return None
    return b"&".join(kept), unit or None


def _number(digits: bytes) -> int | None:
    return int(digits) if digits.isdigit() and len(digits) <= _MAX_DIGITS else None
