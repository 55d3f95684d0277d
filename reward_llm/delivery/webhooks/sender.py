"""One try: sign, connect to a checked address, post, and look at the status alone."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from types import TracebackType
from typing import Final

import httpx

from reward_llm import __version__
from reward_llm.delivery.webhooks.addresses import PublicAddresses, parsed_url
from reward_llm.delivery.webhooks.signing import signed_headers
from reward_llm.domain.ports import Clock
from reward_llm.domain.webhooks import Attempt, Consignment
from reward_llm.errors import WebhookSignatureInvalid, WebhookUrlRefused

_HEADERS: Final = {
    "content-type": "application/cloudevents+json; charset=utf-8",
    "user-agent": f"reward-llm/{__version__}",
    "accept-encoding": "identity",
}
_ASKS_FOR_PATIENCE: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
_MAX_ERROR_CHARS: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SenderConfig:
    """How long a receiver may take, from looking up its name to its status."""

    timeout_s: float = 15.0


class Sender:
    """Posts what is to be sent; connections are never shared, so that receivers can't be in each other's way."""

    def __init__(
        self, *, addresses: PublicAddresses, clock: Clock, config: SenderConfig, tls: ssl.SSLContext | None = None
    ) -> None:
        """`tls` says whose certificates are believed; those that the system believes, unless it is given."""
        self._addresses = addresses
        self._clock = clock
        self._config = config
        self._client = httpx.AsyncClient(
            verify=tls or ssl.create_default_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=None,  # noqa: S113 - `send` has a deadline for all of it
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
        )

    async def __aenter__(self) -> Sender:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Give back the connections."""
        await self._client.aclose()

    async def send(self, consignment: Consignment) -> Attempt:
        """What came of one try; it never raises for what a receiver does."""
        began = self._clock()
        try:
            async with asyncio.timeout(self._config.timeout_s):
                response = await self._post(consignment, began)
        except TimeoutError:
            return self._failed(began, f"no answer within {self._config.timeout_s:g} s")
        except (WebhookUrlRefused, WebhookSignatureInvalid) as exc:
            return self._failed(began, exc.message)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
            return self._failed(began, f"{type(exc).__name__}: {exc}")
        at = self._clock()
        return Attempt(
            at=at,
            duration_ms=_ms(began, at),
            status=response.status_code,
            error=_complaint(response),
            retry_after_s=_patience(response, at),
        )

    async def _post(self, consignment: Consignment, at: datetime) -> httpx.Response:
        if not consignment.secrets:
            raise WebhookSignatureInvalid("the secret can't be read with REWARD_LLM_WEBHOOK_KEY as it is now")
        url, body = parsed_url(consignment.url), consignment.body.encode()
        headers = signed_headers(consignment.secrets, consignment.delivery.event_id, at, body)
        return await self._first(url, await self._addresses.addresses(url), headers, body)

    async def _first(
        self, url: httpx.URL, addresses: Sequence[str], headers: dict[str, str], body: bytes
    ) -> httpx.Response:
        """The answer of the first address that takes a connection."""
        *others, last = addresses
        for address in others:
            try:
                return await self._answer(url, address, headers, body)
            except httpx.ConnectError:
                continue
        return await self._answer(url, last, headers, body)

    async def _answer(self, url: httpx.URL, address: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        """The status and headers of what the address answers; the rest is never read."""
        request = self._client.build_request(
            "POST",
            url.copy_with(host=address),
            content=body,
            headers={**_HEADERS, **headers, "host": url.netloc.decode("ascii")},
            extensions={} if _is_address(url.host) else {"sni_hostname": url.raw_host.decode("ascii")},
        )
        response = await self._client.send(request, stream=True)
        await response.aclose()
        return response

    def _failed(self, began: datetime, error: str) -> Attempt:
        at = self._clock()
        return Attempt(at=at, duration_ms=_ms(began, at), error=_printable(error))


def _complaint(response: httpx.Response) -> str:
    if response.is_success:
        return ""
    if response.is_redirect:
        return f"answered {response.status_code}, and redirections aren't followed"
    return f"answered {response.status_code}"


def _patience(response: httpx.Response, now: datetime) -> float:
    """The seconds of Retry-After, where it means anything; 0 if there are none."""
    asked = response.headers.get("retry-after", "")
    if response.status_code not in _ASKS_FOR_PATIENCE or not asked.isascii():
        return 0.0
    if asked.isdecimal():
        return float(asked[:9])
    try:
        until = parsedate_to_datetime(asked)
    except (ValueError, OverflowError):
        return 0.0
    return max((until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds(), 0.0)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _printable(error: str) -> str:
    return "".join(c if c.isprintable() else "�" for c in error)[:_MAX_ERROR_CHARS].rstrip(": ")


def _ms(began: datetime, ended: datetime) -> int:
    return max(round((ended - began).total_seconds() * 1000), 0)
