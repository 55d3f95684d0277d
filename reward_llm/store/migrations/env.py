"""What Alembic runs: the migrations, in the transaction that `reward_llm.store.migrate` has begun."""

from __future__ import annotations

from alembic import context

from reward_llm.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True
)
with context.begin_transaction():
    context.run_migrations()
