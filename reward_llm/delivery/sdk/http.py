"""How the service is spoken to, and what its refusals mean."""

from __future__ import annotations

import json
import re
import ssl
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

import httpx

from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.errors import Unanswered

_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_MAX_PROBLEM_BYTES: Final = 64 * 1024
_MAX_DETAIL: Final = 300
_MEANINGS: Final[dict[int, str]] = {
    HTTPStatus.UNAUTHORIZED: "the service wants a token, and the one that is configured isn't valid or missing",
    HTTPStatus.FORBIDDEN: "the token may not read these weights",
    HTTPStatus.NOT_FOUND: "there is no such thing at this address; is base_url right?",
    HTTPStatus.TOO_MANY_REQUESTS: "the service asks for fewer requests",
}
FOREIGN: Final = (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, TimeoutError)
"""What the network and its libraries raise."""


def session(base_url: str, config: ClientConfig) -> httpx.AsyncClient:
    """Connections to the service."""
    headers = {"accept-encoding": "identity", **config.headers}
    if config.token is not None:
        headers["authorization"] = f"Bearer {config.token}"
    return httpx.AsyncClient(
        headers=headers,
        verify=_certificates(base_url, config),
        trust_env=config.trust_env,
        follow_redirects=False,
        timeout=httpx.Timeout(config.read_timeout_s, connect=config.connect_timeout_s),
    )


def parameters(config: ClientConfig) -> list[tuple[str, str | int | float | bool | None]]:
    """The query that names the scenarios."""
    return [("scenario", name) for name in sorted(config.scenarios or ())]


async def check(response: httpx.Response) -> None:
    """Refuse what isn't an answer.

    Raises:
        Unanswered: With what the status means, and what the service says of it.
    """
    status = response.status_code
    if status in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}:
        encoding = response.headers.get("content-encoding", "identity")
        if encoding != "identity":
            raise Unanswered(f"the answer is encoded as {encoding!r}, which wasn't asked for")
        return
    meaning = "redirects aren't followed; is base_url right?" if response.is_redirect else _MEANINGS.get(status)
    said = f"the service answered {status} to {response.request.method} {response.request.url.path}"
    parts = [p for p in (said, meaning, await _detail(response)) if p]
    raise Unanswered(": ".join(parts), retry_after_s=_patience(response))


async def _detail(response: httpx.Response) -> str | None:
    """What a problem document says is wrong (RFC 9457)."""
    if "json" not in response.headers.get("content-type", "") or "content-encoding" in response.headers:
        return None
    body = b""
    try:
        async for part in response.aiter_bytes():
            body += part
            if len(body) > _MAX_PROBLEM_BYTES:
                return None
        problem = json.loads(body)
    except (*FOREIGN, ValueError, RecursionError):
        return None
    detail = problem.get("detail") if isinstance(problem, dict) else None
    return "".join(c for c in detail if c.isprintable())[:_MAX_DETAIL] if isinstance(detail, str) else None


def described(error: BaseException) -> str:
    """A foreign error in a line."""
    return f"{type(error).__name__}: {error}".rstrip(": ")


def _patience(response: httpx.Response) -> float | None:
    asked = response.headers.get("retry-after", "")
    if _SECONDS.fullmatch(asked):
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
        return max(0.0, (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    except (ValueError, OverflowError, TypeError):
        return None


def _certificates(base_url: str, config: ClientConfig) -> ssl.SSLContext | bool:
    """Reading the system's certificates takes long, and plain http needs none."""
    if config.verify is True and base_url.startswith("http:") and not config.trust_env:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return config.verify
