"""What is remembered of who is let in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from reward_llm.domain.act import Act
from reward_llm.domain.tokens import Token


class AccessStore(Protocol):
    """API tokens. All methods raise StoreUnavailable when the database can't be read or written."""

    async def create_token(self, token: Token, text_hash: str, act: Act) -> Token:
        """Put a token on record, with the hash of its text.

        Raises:
            TokenNameTaken: If a live token has its name.
        """
        ...

    async def revoke_token(self, token_id: str, act: Act) -> Token:
        """End a token now; one that was revoked before is given back as it is.

        Raises:
            TokenUnknown: If there is no such token.
        """
        ...

    async def token(self, token_id: str) -> Token:
        """One token.

        Raises:
            TokenUnknown: If there is no such token.
        """
        ...

    async def tokens(self, *, live_at: datetime | None = None) -> Sequence[Token]:
        """Tokens, newest first: all, or those that are live at a moment."""
        ...

    async def token_by_hash(self, token_id: str, text_hash: str) -> Token | None:
        """The token whose text has that hash, None if there is none; the comparison takes constant time."""
        ...

    async def note_use(self, token_id: str, at: datetime) -> None:
        """Remember when a token was last used; this is no change, and leaves no record."""
        ...
