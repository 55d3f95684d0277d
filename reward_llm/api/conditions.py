"""Which version a write is meant for: `If-Match`, and what is answered when that isn't the version now."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import Header, Request

from reward_llm.errors import Difference, InvalidInput, PreconditionFailed, PreconditionRequired, Violation

_ANY: Final = "*"
_TAG: Final = r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"'
_TAGS: Final = re.compile(rf"[ \t]*(?:{_TAG}[ \t]*,[ \t]*)*{_TAG}[ \t]*")
_STRONG_TAG: Final = re.compile(r'(W/)?"([^"]*)"')

IfMatchHeader = Annotated[
    str | None,
    Header(alias="If-Match", description="The `ETag` of the version that this is meant for; strong comparison."),
]
"""Only describes the header; `if_match` reads it, so that what is wrong with it goes on record."""


@dataclass(frozen=True, slots=True)
class IfMatch:
    """The entity tags that a write is meant for; None is `*`, any version at all."""

    tags: frozenset[str] | None

    def allows(self, etag: str | None) -> bool:
        """Whether the version now, None if there is none, is one of them (RFC 9110, section 13.1.1)."""
        return etag is not None and (self.tags is None or etag in self.tags)


def if_match(request: Request) -> IfMatch | None:
    """What `If-Match` says; None if it isn't there. A weak tag matches nothing.

    Raises:
        InvalidInput: If it is neither `*` nor a list of entity tags.
    """
    lines = request.headers.getlist("if-match")
    if not lines:
        return None
    joined = ", ".join(lines).strip()
    if joined == _ANY:
        return IfMatch(None)
    if not _TAGS.fullmatch(joined):
        message = 'must be * or entity tags such as "3"'
        violation = Violation(path="If-Match", code="header_invalid", message=message)
        raise InvalidInput(f"If-Match {message}", violations=[violation])
    return IfMatch(frozenset(tag for weak, tag in _STRONG_TAG.findall(joined) if not weak))


def required_if_match(request: Request, hint: str) -> IfMatch:
    """What `If-Match` says.

    Args:
        request: The write.
        hint: Where its `ETag` is got.

    Raises:
        PreconditionRequired: If it isn't there.
        InvalidInput: If it is neither `*` nor a list of entity tags.
    """
    condition = if_match(request)
    if condition is None:
        raise PreconditionRequired("the request doesn't say which version it is meant for", hint=hint)
    return condition


def check_if_match(
    condition: IfMatch | None, etag: str | None, wanted: Mapping[str, Any], current: Mapping[str, Any] | None
) -> None:
    """Accept a write that is meant for the version now, or for any.

    Args:
        condition: What `If-Match` says; None accepts every version.
        etag: The tag of the version now; None if there is none.
        wanted: What the write would make of it, a JSON document.
        current: The version now, a JSON document; None if there is none.

    Raises:
        PreconditionFailed: If it is meant for another, with the fields of `wanted` that are different now.
    """
    if condition is not None and not condition.allows(etag):
        raise failed(wanted, current)


def failed(wanted: Mapping[str, Any], current: Mapping[str, Any] | None) -> PreconditionFailed:
    """What is answered to a write that is meant for another version than there is now."""
    return PreconditionFailed(
        "somebody changed it since you read it" if current is not None else "there is no version of it yet",
        hint="Compare `differences`, then send what you want with the ETag of `current`.",
        current=current,
        differences=differences(wanted, current or {}),
    )


def differences(wanted: Mapping[str, Any], current: Mapping[str, Any], path: str = "") -> tuple[Difference, ...]:
    """The fields of `wanted` that are different in `current`, by path; both are JSON documents.

    >>> [(d.path, d.yours, d.current) for d in differences({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}})]
    [('b/c', 2, 3)]
    """
    found: list[Difference] = []
    for name, yours in wanted.items():
        at, now = f"{path}{name}", current.get(name)
        if isinstance(yours, Mapping) and isinstance(now, Mapping):
            found += differences(yours, now, f"{at}/")
        elif yours != now:
            found.append(Difference(path=at, yours=yours, current=now))
    return tuple(found)
