"""API tokens on SQLAlchemy."""

from __future__ import annotations

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from reward_llm.domain.access import Grant, Role
from reward_llm.domain.act import Act
from reward_llm.domain.tokens import Token, TokenState
from reward_llm.errors import TokenNameTaken, TokenUnknown
from reward_llm.store.database import Repository
from reward_llm.store.tables import token_uses, tokens
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried

if TYPE_CHECKING:
    from reward_llm.store.writing import Writing

USE_EVERY: Final = timedelta(minutes=1)
"""How exactly it is known when a token was last used."""
_NAME_HINT: Final = "Revoke that one first, or take another name: an actor in the audit log is one token at a time."
_TOKENS: Final[Select[Any]] = select(tokens, token_uses.c.last_used_at).join_from(
    tokens, token_uses, token_uses.c.token_id == tokens.c.id, isouter=True
)


class TokenAction(StrEnum):
    """What is put on record."""

    CREATED = "token.created"
    REVOKED = "token.revoked"


class SqlAccess(Repository):
    """A `reward_llm.domain.ports.AccessStore` in a SQL database."""

    @to_the_end
    @retried
    async def create_token(self, token: Token, text_hash: str, act: Act) -> Token:
        """Put a token on record, with the hash of its text."""
        async with self._database.writing(act) as writing:
            await _check_name_is_free(writing, token.name)
            await writing.insert(tokens, _values(token) | {"hash": text_hash})
            await writing.put_on_record(TokenAction.CREATED, token.id)
        return token

    @to_the_end
    @retried
    async def revoke_token(self, token_id: str, act: Act) -> Token:
        """End a token now; one that was revoked before is given back as it is."""
        async with self._database.writing(act) as writing:
            found = await _token(writing.connection, token_id)
            if found.state(writing.at) is TokenState.REVOKED:
                return found
            await writing.update(tokens, token_id, {"revoked_at": writing.at})
            await writing.put_on_record(TokenAction.REVOKED, token_id)
            return await _token(writing.connection, token_id)

    @to_the_end
    @retried
    async def token(self, token_id: str) -> Token:
        """One token."""
        async with self._database.reading() as connection:
            return await _token(connection, token_id)

    @to_the_end
    @retried
    async def tokens(self, *, live_at: datetime | None = None) -> Sequence[Token]:
        """Tokens, newest first: all, or those that are live at a moment."""
        query = _TOKENS.order_by(tokens.c.sequence.desc())
        if live_at is not None:
            query = query.where(tokens.c.revoked_at.is_(None), tokens.c.expires_at > live_at)
        async with self._database.reading() as connection:
            return [_decoded(row) for row in (await connection.execute(query)).mappings()]

    @to_the_end
    @retried
    async def token_by_hash(self, token_id: str, text_hash: str) -> Token | None:
        """The token whose text has that hash, None if there is none; the comparison takes constant time."""
        async with self._database.reading() as connection:
            row = (await connection.execute(_TOKENS.where(tokens.c.id == token_id))).mappings().one_or_none()
        if row is None or not hmac.compare_digest(row[tokens.c.hash], text_hash):
            return None
        return _decoded(row)

    @to_the_end
    @retried
    async def note_use(self, token_id: str, at: datetime) -> None:
        """Remember when a token was last used, unless that was known well enough."""
        mine = token_uses.c.token_id == token_id
        async with self._database.writing(Act(actor="", at=at)) as writing:
            known = await writing.connection.scalar(select(token_uses.c.last_used_at).where(mine))
            if known is None:
                await writing.connection.execute(insert(token_uses).values(token_id=token_id, last_used_at=at))
            elif at - known >= USE_EVERY:
                await writing.connection.execute(update(token_uses).where(mine).values(last_used_at=at))


async def _token(connection: AsyncConnection, token_id: str) -> Token:
    row = (await connection.execute(_TOKENS.where(tokens.c.id == token_id))).mappings().one_or_none()
    if row is None:
        raise TokenUnknown(f"no token {token_id!r}")
    return _decoded(row)


async def _check_name_is_free(writing: Writing, name: str) -> None:
    query = select(tokens.c.id).where(
        tokens.c.name == name, tokens.c.revoked_at.is_(None), tokens.c.expires_at > writing.at
    )
    if (await writing.connection.execute(query.limit(1))).first():
        raise TokenNameTaken(f"there is a live token {name!r}", hint=_NAME_HINT)


def _values(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "grants": [{"role": g.role.value, "scenario": g.scenario} for g in token.grants],
        "created_at": token.created_at,
        "created_by": token.created_by,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
    }


def _decoded(row: Mapping[Any, Any]) -> Token:
    column = tokens.c
    return Token(
        id=row[column.id],
        name=row[column.name],
        grants=tuple(Grant(role=Role(g["role"]), scenario=g["scenario"]) for g in row[column.grants]),
        created_at=row[column.created_at],
        created_by=row[column.created_by],
        expires_at=row[column.expires_at],
        revoked_at=row[column.revoked_at],
        last_used_at=row[token_uses.c.last_used_at],
    )
