"""What is served, as the board reads it, apart from all that writes: a process that only looks up loads no more."""

from __future__ import annotations

from reward_llm.domain.ports import ServingChanges
from reward_llm.store import schedules
from reward_llm.store.database import Repository
from reward_llm.store.to_the_end import to_the_end
from reward_llm.store.transactions import retried


class SqlServingLog(Repository):
    """A `reward_llm.domain.ports.ServingLog`."""

    @to_the_end
    @retried
    async def serving(self, *, since: int = 0) -> ServingChanges:
        """What was made or changed after the change that `since` counts, oldest first."""
        async with self._database.reading() as connection:
            return await schedules.changes_since(connection, since)
