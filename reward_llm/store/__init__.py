"""What is remembered: goals, proposals, policies, activations and the audit log, in a SQL database."""

from __future__ import annotations

from reward_llm.store.migrate import downgrade, newest_revision, revision, upgrade
from reward_llm.store.sql_store import SqlStore

__all__ = ["SqlStore", "downgrade", "newest_revision", "revision", "upgrade"]
