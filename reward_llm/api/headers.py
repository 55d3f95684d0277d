"""What a request's headers say."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import datetime
from typing import Any, Final

from fastapi import Request

from reward_llm.api.access.doorkeeper import is_unproved, principal_of
from reward_llm.api.problems import request_id
from reward_llm.domain.access import ANONYMOUS
from reward_llm.domain.act import Act
from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.errors import InvalidInput, Violation

MAX_ACTOR_CHARS: Final = 100
_KEY: Final = re.compile(r"[\x20-\x7e]{1,200}")
_ENTITY_TAG: Final = re.compile(r'(?:W/)?"([^"]*)"')


def actor_of(request: Request) -> str:
    """Who acts: who they proved to be, and only where access is open who `X-Actor` says.

    Raises:
        InvalidInput: If `X-Actor` counts and is empty, too long or not printable.
    """
    principal = principal_of(request)
    if not is_unproved(principal):
        return principal.name
    header = request.headers.get("x-actor")
    if header is None:
        return ANONYMOUS
    actor = _utf8(header).strip()
    if not 1 <= len(actor) <= MAX_ACTOR_CHARS or not actor.isprintable():
        raise _invalid("X-Actor", f"must be 1 to {MAX_ACTOR_CHARS} printable characters")
    return actor


def act_of(request: Request, at: datetime, reason: str = "") -> Act:
    """The act that a request asks for.

    Raises:
        InvalidInput: If `X-Actor` is empty, too long or not printable.
    """
    return _act(request, actor_of(request), at, reason)


def refused_act_of(request: Request, at: datetime) -> Act:
    """The act of a request that is refused, perhaps because of the very name of its actor."""
    try:
        return act_of(request, at)
    except InvalidInput:
        return _act(request, ANONYMOUS, at)


def claim_of(request: Request, document: Any) -> IdempotencyClaim | None:
    """The `Idempotency-Key`, with a hash over actor, method, path and body: nobody's act stands for another's.

    Raises:
        InvalidInput: If the key isn't 1 to 200 printable ASCII characters, or `X-Actor` counts and can't be used.
    """
    key = request.headers.get("idempotency-key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise _invalid("Idempotency-Key", "must be 1 to 200 printable ASCII characters")
    canonical = json.dumps(
        [actor_of(request), request.method, request.url.path, document], sort_keys=True, separators=(",", ":")
    )
    return IdempotencyClaim(key=key, request_hash=hashlib.sha256(canonical.encode("ascii")).hexdigest())


def none_match(request: Request, etag: str) -> bool:
    """Whether `If-None-Match` lets the answer be sent; weak comparison (RFC 9110, section 13.1.2)."""
    lines = request.headers.getlist("if-none-match")
    return not any(is_known(etag, line.encode("latin-1")) for line in lines)


def if_none_match(request: Request) -> bytes | None:
    """All lines of `If-None-Match` as one; None if there are none."""
    lines = request.headers.getlist("if-none-match")
    return ", ".join(lines).encode("latin-1") if lines else None


def is_known(etag: str, if_none_match: bytes) -> bool:
    """Whether a line of `If-None-Match` names the entity tag.

    >>> [is_known("a", line) for line in (b'"a"', b'W/"a"', b'"b", "a"', b" * ", b'"b"', b"a")]
    [True, True, True, True, False, False]
    """
    line = if_none_match.decode("latin-1")
    if line == f'"{etag}"':
        return True
    return etag in _ENTITY_TAG.findall(line) or "*" in _ENTITY_TAG.sub("", line).replace(",", " ").split()


def _act(request: Request, actor: str, at: datetime, reason: str = "") -> Act:
    address = request.client.host if request.client else ""
    return Act(actor=actor, at=at, reason=reason, address=address, request_id=request_id(request))


def _utf8(header: str) -> str:
    """Headers are bytes that arrive as Latin-1; names are sent as UTF-8."""
    try:
        return header.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return header


def _invalid(header: str, message: str) -> InvalidInput:
    return InvalidInput(
        f"{header} {message}", violations=[Violation(path=header, code="header_invalid", message=message)]
    )
