"""The audit log, who verifies it and who signs it, from the settings that they have in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reward_llm.domain.ports import Clock
from reward_llm.errors import ConfigurationInvalid
from reward_llm.store.audit_log import SqlAuditLog
from reward_llm.store.checkpoint_places import open_checkpoints
from reward_llm.store.database import Database
from reward_llm.store.notary import Auditor, Notary, SignedCheckpoints
from reward_llm.validation.signatures import load_private_key


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditingConfig:
    """Whether checkpoints of the audit log are signed."""

    key: Path | None = None
    """The private key that signs, a PEM file; None signs nothing."""
    checkpoints: str | None = None
    """The folder, or the URL of a bucket, that they are kept in."""
    every_s: float = 300.0
    """How often the end of the log is signed, if it is a new one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Auditing:
    """The audit log with its auditor, and its notary if checkpoints are signed."""

    log: SqlAuditLog
    auditor: Auditor
    notary: Notary | None


def open_auditing(database: Database, clock: Clock, config: AuditingConfig) -> Auditing:
    """The audit log of a database.

    Raises:
        ConfigurationInvalid: If the key or the place of checkpoints is missing or can't be used.
    """
    log = SqlAuditLog(database)
    if config.key is None and config.checkpoints is None:
        return Auditing(log=log, auditor=Auditor(log, None), notary=None)
    if config.key is None or config.checkpoints is None:
        raise ConfigurationInvalid(
            "checkpoints need both a key and a place",
            hint="Set REWARD_LLM_AUDIT_KEY and REWARD_LLM_AUDIT_CHECKPOINTS, or neither.",
        )
    key, place = load_private_key(config.key), open_checkpoints(config.checkpoints)
    return Auditing(
        log=log,
        auditor=Auditor(log, SignedCheckpoints(place, key.public_key())),
        notary=Notary(log, place, key, clock=clock, every_s=config.every_s),
    )
