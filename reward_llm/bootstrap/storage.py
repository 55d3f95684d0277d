"""The database's schema."""

from __future__ import annotations

import asyncio

from reward_llm.settings import Settings


def upgrade_store(settings: Settings) -> str | None:
    """Bring the database to the newest schema; gives its revision.

    Raises:
        StoreUnavailable: If it can't be written.
    """
    from reward_llm.store import upgrade

    asyncio.run(upgrade(settings.database_url))
    return store_revision(settings)


def store_revision(settings: Settings) -> str | None:
    """The database's schema revision; None where there is no schema yet.

    Raises:
        StoreUnavailable: If it can't be read.
    """
    from reward_llm.store import revision

    return asyncio.run(revision(settings.database_url))
