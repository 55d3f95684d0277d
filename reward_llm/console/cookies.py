"""The cookies that pages keep: for this host alone, and never for scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

from starlette.requests import Request
from starlette.responses import Response

_YEAR_S: Final = 31_536_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One cookie; behind https its name has the prefix that keeps other hosts from setting it (RFC 6265bis)."""

    name: str
    https: bool
    lasts_s: int | None = None
    """None until the browser is closed."""

    def read(self, request: Request) -> str | None:
        """Its value in a request; None where it has none."""
        return unquote(request.cookies.get(self._full_name, "")) or None

    def write(self, response: Response, value: str) -> None:
        """Have the browser keep it."""
        self._set(response, quote(value, safe=""), self.lasts_s)

    def clear(self, response: Response) -> None:
        """Have the browser forget it."""
        self._set(response, "", 0)

    @property
    def _full_name(self) -> str:
        return f"__Host-{self.name}" if self.https else self.name

    def _set(self, response: Response, value: str, max_age: int | None) -> None:
        response.set_cookie(
            self._full_name, value, max_age=max_age, path="/", secure=self.https, httponly=True, samesite="lax"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookies:
    """All of them."""

    token: Cookie
    """An API token that somebody signed in with."""
    name: Cookie
    """Who somebody says that they are, where access is open."""
    language: Cookie
    csrf: Cookie

    @classmethod
    def of(cls, *, https: bool) -> Cookies:
        """The cookies of an installation."""
        return cls(
            token=Cookie(name="reward_llm_token", https=https),
            name=Cookie(name="reward_llm_name", https=https, lasts_s=_YEAR_S),
            language=Cookie(name="reward_llm_language", https=https, lasts_s=_YEAR_S),
            csrf=Cookie(name="reward_llm_csrf", https=https),
        )
