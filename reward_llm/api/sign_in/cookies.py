"""The cookies of people who sign in: not for scripts nor for other sites, and for https alone where there is any."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request, Response


@dataclass(frozen=True, slots=True, kw_only=True)
class Cookie:
    """One cookie; behind https its name has the prefix that keeps other hosts from setting it (RFC 6265bis)."""

    name: str
    https: bool

    @property
    def full_name(self) -> str:
        """The name that browsers know."""
        return f"__Host-{self.name}" if self.https else self.name

    def read(self, request: Request) -> str | None:
        """Its value in a request."""
        return request.cookies.get(self.full_name)

    def write(self, response: Response, value: str, lasts_s: float) -> None:
        """Have the browser keep it."""
        self._set(response, value, int(lasts_s))

    def clear(self, response: Response) -> None:
        """Have the browser forget it."""
        self._set(response, "", 0)

    def _set(self, response: Response, value: str, max_age: int) -> None:
        response.set_cookie(
            self.full_name, value, max_age=max_age, path="/", secure=self.https, httponly=True, samesite="lax"
        )


def session_cookie(*, https: bool) -> Cookie:
    """Who is signed in."""
    return Cookie(name="reward_llm_session", https=https)


def sign_in_cookie(*, https: bool) -> Cookie:
    """Who is about to be."""
    return Cookie(name="reward_llm_sign_in", https=https)
