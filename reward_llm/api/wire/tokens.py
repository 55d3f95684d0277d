"""API tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from reward_llm.api.wire.base import Incoming, MomentOut, Outgoing
from reward_llm.domain.access import Grant, Role
from reward_llm.domain.tokens import DEFAULT_DAYS, MAX_DAYS, MAX_GRANTS, NAME_PATTERN, NewToken, Token, TokenState

MAX_REASON_CHARS = 1_000


class GrantIn(Incoming):
    """A role, in a scenario or everywhere."""

    role: Annotated[Role, Field(strict=False)]
    scenario: str | None = Field(default=None, max_length=100, description="null for all scenarios, now and later.")

    def grant(self) -> Grant:
        """The grant itself."""
        return Grant(role=self.role, scenario=self.scenario)


class TokenRequest(Incoming):
    """A token that somebody asks for."""

    name: str = Field(
        json_schema_extra={"pattern": NAME_PATTERN},
        description="Stands as the actor in the audit log; no two live tokens have the same.",
        examples=["re-ranker"],
    )
    grants: list[GrantIn] = Field(min_length=1, max_length=MAX_GRANTS)
    days: int = Field(default=DEFAULT_DAYS, ge=1, le=MAX_DAYS, description="How long it holds.")
    reason: str = Field(default="", max_length=MAX_REASON_CHARS)


class TokenRevocation(Incoming):
    """Why a token is to end."""

    reason: str = Field(default="", max_length=MAX_REASON_CHARS)


class GrantOut(Outgoing):
    """A role, in a scenario or everywhere."""

    role: Role
    scenario: str | None


class TokenWire(Outgoing):
    """A token without its secret."""

    id: str = Field(description="The part of the token that may be shown.", examples=["k3v7q2ma"])
    name: str
    grants: list[GrantOut]
    state: TokenState
    created_at: MomentOut
    created_by: str
    expires_at: MomentOut
    revoked_at: MomentOut | None
    last_used_at: MomentOut | None = Field(description="To the minute.")

    @classmethod
    def of(cls, token: Token, now: datetime) -> TokenWire:
        """The token as it is now."""
        return cls(
            id=token.id,
            name=token.name,
            grants=[GrantOut(role=g.role, scenario=g.scenario) for g in token.grants],
            state=token.state(now),
            created_at=token.created_at,
            created_by=token.created_by,
            expires_at=token.expires_at,
            revoked_at=token.revoked_at,
            last_used_at=token.last_used_at,
        )


class NewTokenWire(TokenWire):
    """A token that was just made, with its secret."""

    token: str = Field(description="The whole token. It is shown here once and nowhere again.")

    @classmethod
    def made(cls, new: NewToken, now: datetime) -> NewTokenWire:
        """The token with its text."""
        return cls(**dict(TokenWire.of(new.token, now)), token=new.text)
