"""API tokens: how programs, and people at a terminal, prove who they are.

A token reads `rlm_<8 characters>_<64 hexadecimal digits>`. The first part is its id and may be shown; the second is
256 random bits, of which only a hash is kept: what can't be guessed needs no slow hash.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from reward_llm.domain.access import RESERVED_NAMES, Grant, Principal, PrincipalKind
from reward_llm.errors import InvalidInput, ScenarioUnknown, Unauthenticated, Violation

ID_BYTES: Final = 5
SECRET_BYTES: Final = 32
DEFAULT_DAYS: Final = 90
MAX_DAYS: Final = 365
MAX_GRANTS: Final = 100
NAME_PATTERN: Final = r"^[a-z0-9][a-z0-9._-]{0,59}$"
"""No `@`, so that no token has the name of a person who signs in with an address."""
_TEXT: Final = re.compile(r"rlm_(?P<id>[a-z2-7]{8})_[0-9a-f]{64}")
_HINT: Final = "`reward-llm tokens create` makes another."


class TokenState(StrEnum):
    """Whether a token lets anybody in."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token without its secret; `id` is the part of it that may be shown."""

    id: str
    name: str
    grants: tuple[Grant, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None

    def state(self, now: datetime) -> TokenState:
        """Whether it lets anybody in now."""
        if self.revoked_at is not None:
            return TokenState.REVOKED
        return TokenState.EXPIRED if self.expires_at <= now else TokenState.LIVE

    def principal(self, now: datetime) -> Principal:
        """Who shows it.

        Raises:
            Unauthenticated: If it was revoked, or is over.
        """
        state = self.state(now)
        if state is not TokenState.LIVE:
            raise Unauthenticated(f"the token {self.name!r} is {state}", hint=_HINT)
        return Principal(name=self.name, kind=PrincipalKind.TOKEN, grants=self.grants)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """A token that was just made; `text` is the whole of it, which is nowhere kept."""

    token: Token
    text: str


def mint(
    name: str,
    grants: tuple[Grant, ...],
    *,
    by: str,
    now: datetime,
    days: int = DEFAULT_DAYS,
    random_bytes: Callable[[int], bytes],
) -> NewToken:
    """A token that holds for some days.

    Raises:
        InvalidInput: If the name is one that no token may have.
    """
    _check_name(name)
    token = Token(
        id=base64.b32encode(random_bytes(ID_BYTES)).decode().lower(),
        name=name,
        grants=tuple(dict.fromkeys(grants)),
        created_at=now,
        created_by=by,
        expires_at=now + timedelta(days=days),
    )
    return NewToken(token=token, text=f"rlm_{token.id}_{random_bytes(SECRET_BYTES).hex()}")


def token_id(text: str) -> str | None:
    """The id of the token that a text is; None if it is none.

    >>> token_id("rlm_abcdefgh_" + "0" * 64)
    'abcdefgh'
    """
    found = _TEXT.fullmatch(text)
    return found["id"] if found else None


def token_hash(text: str) -> str:
    """What is kept of a token's text."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_scenarios(grants: Iterable[Grant], known: Collection[str]) -> None:
    """Accept grants in scenarios that there are.

    Raises:
        ScenarioUnknown: If one names another.
    """
    for name in {g.scenario: None for g in grants if g.scenario is not None}:
        if name not in known:
            raise ScenarioUnknown(f"no scenario {name!r}", hint=f"There are: {', '.join(known)}.")


def concerns(grants: tuple[Grant, ...], scenarios: frozenset[str] | None) -> bool:
    """Whether any of the grants is for one of the scenarios; None is all."""
    return scenarios is None or any(g.scenario is None or g.scenario in scenarios for g in grants)


def _check_name(name: str) -> None:
    if name in RESERVED_NAMES:
        message = "stands in the audit log for the service's own work, or for nobody"
    elif not re.fullmatch(NAME_PATTERN, name):
        message = "must be 1 to 60 lower-case letters, digits, dots, dashes and underscores"
    else:
        return
    raise InvalidInput(
        f"a token can't be named {name!r}: that {message}",
        violations=[Violation(path="name", code="name_unusable", message=message)],
    )
