"""A sign-in that has begun, kept in a cookie of the browser that began it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter

from reward_llm.errors import InvalidInput, SignInFailed, Violation

LASTS_S: Final = 600
"""How long people may take at the identity provider."""
_LOCAL_PATH: Final = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,500}")
_AGAIN: Final = "Start again at /v1/sign-in."


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """What the way back is held against.

    `state` ties the answer to the browser that asked, `nonce` ties the identity to the question, and `verifier` shows
    that whoever brings the code is who asked for it (RFC 7636).
    """

    state: str
    nonce: str
    verifier: str
    to: str
    began_s: float

    @property
    def challenge(self) -> str:
        """What the provider is told of the verifier: S256."""
        return _base64url(hashlib.sha256(self.verifier.encode()).digest())

    def cookie(self) -> str:
        """As the cookie's value."""
        return _base64url(_PENDING.dump_json(self))

    def check(self, state: str | None, now_s: float) -> None:
        """Accept a way back that is of this sign-in.

        Raises:
            SignInFailed: If it is of another one, or too late.
        """
        if not hmac.compare_digest(self.state.encode(), (state or "").encode()):
            raise SignInFailed("the answer is to another sign-in than this browser's last one", hint=_AGAIN)
        if not 0 <= now_s - self.began_s <= LASTS_S:
            raise SignInFailed("signing in took too long", hint=_AGAIN)


_PENDING: Final = TypeAdapter(Pending)


def begin(to: str, now_s: float, random: Callable[[], str] = secrets.token_urlsafe) -> Pending:
    """A new sign-in, which leads to a path of this service.

    Raises:
        InvalidInput: If that isn't one.
    """
    if not _LOCAL_PATH.fullmatch(to):
        message = "must be a path of this service, such as /v1/me"
        raise InvalidInput(f"to {message}", violations=[Violation(path="to", code="not_local", message=message)])
    return Pending(state=random(), nonce=random(), verifier=random(), to=to, began_s=now_s)


def from_cookie(value: str | None) -> Pending:
    """The sign-in that a browser began.

    Raises:
        SignInFailed: If it began none.
    """
    if value is None:
        raise SignInFailed("this browser hasn't begun to sign in, or keeps no cookies", hint=_AGAIN)
    try:
        pending = _PENDING.validate_json(base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)))
    except ValueError as exc:
        raise SignInFailed("this browser's sign-in can't be read", hint=_AGAIN) from exc
    if not _LOCAL_PATH.fullmatch(pending.to):
        raise SignInFailed("this browser's sign-in can't be read", hint=_AGAIN)
    return pending


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
