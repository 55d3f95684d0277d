"""Who is signed in."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from reward_llm.domain.act import Act
from reward_llm.domain.session import Identity, Session


class Sessions(Protocol):
    """What is remembered of people who signed in. Starting and ending a session leaves an audit record.

    All methods raise StoreUnavailable when the database can't be read or written.
    """

    async def start(self, session: Session, secret_hash: str, act: Act) -> None:
        """Remember a session, by the hash of its secret."""
        ...

    async def find(self, secret_hash: str, now: datetime) -> Session | None:
        """The session that the secret is of; None if there is none, or it is over."""
        ...

    async def end(self, session_id: str, act: Act) -> bool:
        """End a session; gives whether it was still going on."""
        ...


class IdentityProvider(Protocol):
    """Knows people, and vouches for them: an OpenID provider (OpenID Connect Core 1.0)."""

    async def sign_in_url(self, *, state: str, nonce: str, challenge: str) -> str:
        """Where a browser goes to sign in.

        Raises:
            ProviderUnavailable: If the provider doesn't say.
        """
        ...

    async def identity(self, code: str, *, nonce: str, verifier: str) -> Identity:
        """Who came back with the code.

        Raises:
            SignInFailed: If the provider doesn't vouch for anybody, or not as it should.
            ProviderUnavailable: If it doesn't answer.
        """
        ...

    async def aclose(self) -> None:
        """Give back the connections."""
        ...
