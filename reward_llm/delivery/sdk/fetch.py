"""Asks for the snapshot, if it isn't the one that is known."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Final

import httpx

from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.errors import SnapshotInvalid, Unanswered
from reward_llm.delivery.sdk.http import FOREIGN, check, described, parameters, session
from reward_llm.delivery.sdk.snapshot import moment

_PATH: Final = "/v1/weights"


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A snapshot that wasn't read yet; the times are the monotonic clock's when it was asked for and answered."""

    body: bytes
    etag: str
    sent: float
    received: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchanged:
    """The known snapshot still holds, by a service of that revision whose database said so `age_s` ago.

    `as_of` is when it does, by the service's clock; None if the service doesn't say.
    """

    revision: int
    age_s: float
    stale: bool
    as_of: datetime | None
    sent: float
    received: float


class Fetcher:
    """Keeps a connection from one question to the next, and makes a new one after each failure."""

    def __init__(
        self, base_url: str, config: ClientConfig, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._base_url = base_url
        self._config = config
        self._monotonic = monotonic
        self._session: httpx.AsyncClient | None = None

    async def aclose(self) -> None:
        """Give back the connections."""
        kept, self._session = self._session, None
        if kept is not None:
            await kept.aclose()

    async def fetch(self, etag: str | None, at_least: int | None) -> Document | Unchanged:
        """The snapshot, unless it is the one with this entity tag; never of a lower revision, if that can be helped.

        Raises:
            Unanswered: If there is no answer that can be used.
        """
        try:
            async with asyncio.timeout(self._config.snapshot_timeout_s):
                return await self._asked(etag, at_least)
        except Unanswered:
            await self.aclose()
            raise
        except TimeoutError as exc:
            await self.aclose()
            raise Unanswered(f"no whole snapshot within {self._config.snapshot_timeout_s:g} s") from exc
        except FOREIGN as exc:
            await self.aclose()
            raise Unanswered(described(exc)) from exc

    async def _asked(self, etag: str | None, at_least: int | None) -> Document | Unchanged:
        if self._session is None:
            self._session = session(self._base_url, self._config)
        headers = {}
        if etag is not None:
            headers["if-none-match"] = f'"{etag}"'
        if at_least is not None:
            headers["weights-at-least"] = str(at_least)
        sent, url = self._monotonic(), self._base_url + _PATH
        async with self._session.stream(
            "GET", url, headers=headers, params=parameters(self._config) or None
        ) as response:
            received = self._monotonic()
            await check(response)
            if response.status_code == HTTPStatus.NOT_MODIFIED:
                if etag is None:
                    raise Unanswered("the service answered 304 to a question without condition")
                return _unchanged(response, sent, received)
            return Document(body=await self._body(response), etag=_etag(response), sent=sent, received=received)

    async def _body(self, response: httpx.Response) -> bytes:
        most = self._config.max_snapshot_bytes
        told = response.headers.get("content-length", "0")
        if told.isdecimal() and int(told[:20]) > most:
            raise Unanswered(f"the snapshot has {int(told[:20]):,} bytes, over max_snapshot_bytes {most:,}")
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > most:
                raise Unanswered(f"the snapshot has more than max_snapshot_bytes {most:,}")
        return bytes(body)


def _etag(response: httpx.Response) -> str:
    return str(response.headers.get("etag", "")).removeprefix("W/").strip('"')


def _unchanged(response: httpx.Response, sent: float, received: float) -> Unchanged:
    headers = response.headers
    try:
        revision, age_s = int(headers["weights-revision"]), float(headers["weights-age"])
        stale = {"true": True, "false": False}[headers["weights-stale"]]
    except (KeyError, ValueError) as exc:
        raise Unanswered("the service answered 304 without saying how old the weights are") from exc
    if not (math.isfinite(age_s) and age_s >= 0 and revision >= 0):
        raise Unanswered("the service answered 304 with an age that can't be")
    as_of = _moment(headers["weights-as-of"]) if "weights-as-of" in headers else None
    return Unchanged(revision=revision, age_s=age_s, stale=stale, as_of=as_of, sent=sent, received=received)


def _moment(told: str) -> datetime:
    try:
        return moment({"Weights-As-Of": told}, "Weights-As-Of")
    except SnapshotInvalid as exc:
        raise Unanswered(f"the service answered 304 and {exc}") from exc
