"""Who is let in."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from reward_llm.bootstrap.basics import load_all_scenarios, now
from reward_llm.domain.access import AccessMode, Grant
from reward_llm.domain.act import Act
from reward_llm.domain.tokens import NewToken, check_scenarios, mint, token_hash
from reward_llm.errors import ConfigurationInvalid
from reward_llm.settings import Settings

if TYPE_CHECKING:
    from reward_llm.api.edge.config import EdgeConfig
    from reward_llm.api.sign_in.desk import SignIn
    from reward_llm.store.database import Database

_REQUESTS_PER_MINUTE: Final = 600
_LOOKUPS_PER_MINUTE: Final = 60_000


def build_edge(settings: Settings) -> EdgeConfig:
    """Where nobody proves who they are, who names this machine otherwise is a page that got its address wrong."""
    from reward_llm.api.edge.config import EdgeConfig, own_hosts

    is_open = AccessMode(settings.access) is AccessMode.OPEN
    public_url = settings.public_url or settings.url
    return EdgeConfig(
        public_url=public_url,
        hosts=own_hosts(settings.host, settings.url, public_url) if is_open else None,
        cors_origins=tuple(settings.cors_origins),
        requests_per_minute=settings.rate_limit_per_minute or (None if is_open else _REQUESTS_PER_MINUTE),
        weights_per_minute=settings.weights_limit_per_minute or (None if is_open else _LOOKUPS_PER_MINUTE),
    )


def build_sign_in(settings: Settings, database: Database, scenarios: Iterable[str]) -> SignIn | None:
    """How people sign in; None where no provider is named."""
    from reward_llm.api.sign_in.config import SignInConfig
    from reward_llm.api.sign_in.desk import SignIn
    from reward_llm.api.sign_in.provider import OpenIdProvider
    from reward_llm.domain.session import group_roles
    from reward_llm.store.sessions import SqlSessions

    if settings.oidc_issuer is None:
        return None
    if AccessMode(settings.access) is AccessMode.OPEN:
        raise ConfigurationInvalid("nobody signs in where access is open", hint="Set REWARD_LLM_ACCESS=tokens.")
    secret = settings.oidc_client_secret
    config = SignInConfig(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=secret.get_secret_value() if secret else None,
        public_url=settings.public_url or settings.url,
        scopes=settings.oidc_scopes,
        name_claim=settings.oidc_name_claim,
        groups_claim=settings.oidc_groups_claim,
        roles=group_roles(settings.oidc_roles, scenarios),
        session_hours=settings.session_hours,
    )
    return SignIn(config=config, provider=OpenIdProvider(config, now), sessions=SqlSessions(database))


def create_token(
    settings: Settings, name: str, grants: Sequence[Grant], *, by: str, days: int, reason: str = ""
) -> NewToken:
    """An API token, written into the database itself: how whoever runs the machine makes the first one.

    Raises:
        InvalidInput: If the name is one that no token may have.
        ScenarioUnknown: If a grant names no scenario.
        TokenNameTaken: If a live token has the name.
        StoreUnavailable: If the database can't be written.
    """
    import secrets

    from reward_llm.store.access import SqlAccess
    from reward_llm.store.database import Database

    check_scenarios(grants, load_all_scenarios(settings))
    act = Act(actor=by, at=now(), reason=reason)
    new = mint(name, tuple(grants), by=by, now=act.at, days=days, random_bytes=secrets.token_bytes)

    async def create() -> None:
        database = Database.open(settings.database_url)
        try:
            await SqlAccess(database).create_token(new.token, token_hash(new.text), act)
        finally:
            await database.aclose()

    asyncio.run(create())
    return new
