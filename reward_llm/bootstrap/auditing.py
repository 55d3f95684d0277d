"""The audit log and its checkpoints."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from reward_llm.bootstrap.basics import now
from reward_llm.errors import ConfigurationInvalid
from reward_llm.settings import Settings

if TYPE_CHECKING:
    from reward_llm.domain.audit import Checkpoint
    from reward_llm.store.auditing import Auditing
    from reward_llm.store.database import Database

_SIGNING: Final = "Set REWARD_LLM_AUDIT_KEY and REWARD_LLM_AUDIT_CHECKPOINTS."


def build_auditing(settings: Settings, database: Database) -> Auditing:
    """The audit log, and who signs its end where the settings say so."""
    from reward_llm.store.auditing import AuditingConfig, open_auditing

    config = AuditingConfig(
        key=settings.audit_key, checkpoints=settings.audit_checkpoints, every_s=settings.audit_checkpoint_s
    )
    return open_auditing(database, now, config)


def sign_checkpoint(settings: Settings) -> Checkpoint | None:
    """Sign where the audit log ends now; None if that is signed already.

    Raises:
        ConfigurationInvalid: If the settings name no key or no place for checkpoints.
        AuditBroken: If the log isn't what it was when it was signed last, or breaks after that.
        SignatureInvalid: If the last checkpoint is somebody else's.
        CheckpointsUnavailable: If checkpoints can't be read or written.
        StoreUnavailable: If the log can't be read.
    """
    from reward_llm.store.database import Database

    async def sign() -> Checkpoint | None:
        database = Database.open(settings.database_url)
        try:
            notary = build_auditing(settings, database).notary
            if notary is None:
                raise ConfigurationInvalid("no key signs checkpoints", hint=_SIGNING)
            return await notary.sign()
        finally:
            await database.aclose()

    return asyncio.run(sign())
