"""What is decided on policies and what is in force, on SQLAlchemy."""

from __future__ import annotations

from reward_llm.store.activating import SqlActivations
from reward_llm.store.reviewing import SqlReviews
from reward_llm.store.scopes import SqlScopes


class SqlGovernance(SqlReviews, SqlActivations, SqlScopes):
    """A `reward_llm.domain.ports.Governance` in a SQL database."""
