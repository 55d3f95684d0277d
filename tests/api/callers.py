"""Who calls a service that lets in those who show a token."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from reward_llm.api import ApiConfig
from reward_llm.domain.access import AccessMode, Grant, Role
from reward_llm.domain.act import Act
from reward_llm.domain.tokens import NewToken, mint, token_hash
from reward_llm.store.access import SqlAccess
from reward_llm.store.database import Database
from tests.api.harness import NOON, Desk, Setup

TOKENS = ApiConfig(access=AccessMode.TOKENS)
ADMIN = Grant(role=Role.ADMIN)


@dataclass(slots=True)
class Office:
    """A running application, and the tokens that are made for it."""

    desk: Desk
    access: SqlAccess

    async def token(self, *grants: Grant, name: str = "ann", days: int = 1_000) -> NewToken:
        now = self.desk.clock()
        new = mint(name, grants, by="root", now=now, days=days, random_bytes=os.urandom)
        await self.access.create_token(new.token, token_hash(new.text), Act(actor="root", at=now))
        return new

    async def expired(self) -> NewToken:
        now = NOON - timedelta(days=10)
        new = mint("over", (ADMIN,), by="root", now=now, days=9, random_bytes=os.urandom)
        await self.access.create_token(new.token, token_hash(new.text), Act(actor="root", at=now))
        return new

    async def revoked(self) -> NewToken:
        new = await self.token(ADMIN, name="gone")
        await self.access.revoke_token(new.token.id, Act(actor="root", at=self.desk.clock()))
        return new

    async def ask(self, method: str, path: str, token: str | NewToken | None = None, **parts: Any) -> httpx.Response:
        text = token.text if isinstance(token, NewToken) else token
        headers = {**parts.pop("headers", {}), **({"Authorization": f"Bearer {text}"} if text else {})}
        return await self.desk.client.request(method, path, headers=headers, **parts)


@asynccontextmanager
async def office(setup: Setup, config: ApiConfig = TOKENS, **options: Any) -> AsyncIterator[Office]:
    """The application in which access takes tokens."""
    database = Database.open(setup.url)
    try:
        async with setup.start(config=config, **options) as desk:
            yield Office(desk=desk, access=SqlAccess(database))
    finally:
        await database.aclose()
