"""Tokens that come as `Authorization: Bearer`, and how long they are taken at their word.

first time ─► store ─► known ─ `fresh_s` ─► asked again ─► known, or turned away
                                              │ the store is away
                                              └─► known all the same, until `known_s` after it was confirmed

While the database is away nobody can revoke a token either, so those that it confirmed before go on to hold: serving
weights doesn't depend on it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from fastapi import Request

from reward_llm.domain.access import Principal
from reward_llm.domain.ports import AccessStore, Clock
from reward_llm.domain.tokens import Token, token_hash, token_id
from reward_llm.errors import StoreUnavailable, Unauthenticated

Certainty = tuple[datetime, datetime]
"""From when until when a token needn't be asked after; a request keeps it as `state.certain`."""
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerConfig:
    """How long what is known of a token is good for."""

    fresh_s: float = 10.0
    """How long a confirmed token isn't asked after; a revocation takes effect within it."""
    known_s: float = 3_600.0
    """How long a confirmed token holds while the database is away."""
    check_s: float = 2.0
    """How long asking after a known token may take before the database counts as away."""
    use_every_s: float = 60.0
    """How exactly it is remembered when a token was last used."""
    max_known: int = 10_000
    """How many tokens are known at once."""


@dataclass(slots=True)
class _Known:
    token: Token
    confirmed_at: datetime
    asked_at: datetime


class BearerTokens:
    """A way in: knows who shows a token."""

    def __init__(self, store: AccessStore, clock: Clock, config: BearerConfig | None = None) -> None:
        self._store = store
        self._clock = clock
        self._config = config or BearerConfig()
        self._known: dict[str, _Known] = {}
        self._noted: dict[str, datetime] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, request: Request) -> Principal | None:
        """Who shows the request's token; None if it has no `Authorization`.

        Raises:
            Unauthenticated: If that is no live token.
            StoreUnavailable: If the token isn't known here, and can't be asked after.
        """
        header = request.headers.get("authorization")
        if header is None:
            return None
        known = await self._token(_text_of(header))
        principal = known.token.principal(self._clock())
        request.state.certain = self._certain(known)
        self._note_use(known.token)
        return principal

    async def aclose(self) -> None:
        """Finish what was begun."""
        await asyncio.gather(*self._tasks)

    async def _token(self, text: str) -> _Known:
        shown_id = token_id(text)
        if shown_id is None:
            raise _unknown()
        text_hash, now = token_hash(text), self._clock()
        known = self._known.get(text_hash)
        if known is not None and _within(known.asked_at, now, self._config.fresh_s):
            return known
        if known is not None and _within(known.confirmed_at, now, self._config.known_s):
            return await self._asked_again(known, text_hash, now)
        return self._remember(text_hash, await self._store.token_by_hash(shown_id, text_hash), now)

    def _certain(self, known: _Known) -> Certainty:
        fresh_until = known.asked_at + timedelta(seconds=self._config.fresh_s)
        return known.asked_at, min(fresh_until, known.token.expires_at)

    async def _asked_again(self, known: _Known, text_hash: str, now: datetime) -> _Known:
        """What the store says now, else what it said last; others needn't ask meanwhile."""
        known.asked_at = now
        try:
            async with asyncio.timeout(self._config.check_s):
                found = await self._store.token_by_hash(known.token.id, text_hash)
        except (StoreUnavailable, TimeoutError) as exc:
            _log.warning("token.not_confirmed", token=known.token.id, error=str(exc))
            return known
        return self._remember(text_hash, found, now)

    def _remember(self, text_hash: str, token: Token | None, now: datetime) -> _Known:
        self._known.pop(text_hash, None)
        if token is None:
            raise _unknown()
        if len(self._known) >= self._config.max_known:
            del self._known[next(iter(self._known))]
        known = self._known[text_hash] = _Known(token, confirmed_at=now, asked_at=now)
        return known

    def _note_use(self, token: Token) -> None:
        now, noted = self._clock(), self._noted.get(token.id)
        if noted is not None and _within(noted, now, self._config.use_every_s):
            return
        self._noted[token.id] = now
        task = asyncio.create_task(self._write_use(token.id, now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write_use(self, used_id: str, at: datetime) -> None:
        try:
            await self._store.note_use(used_id, at)
        except StoreUnavailable as exc:
            _log.warning("token.use_not_noted", token=used_id, error=exc.message)


def _text_of(header: str) -> str:
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("Authorization must be Bearer and a token")
    return text.strip()


def _unknown() -> Unauthenticated:
    return Unauthenticated("there is no such token", hint="Look for a character that got lost on the way.")


def _within(moment: datetime, now: datetime, seconds: float) -> bool:
    """Whether the moment is at most so long ago; a clock that was set back makes it none."""
    return timedelta() <= now - moment < timedelta(seconds=seconds)
