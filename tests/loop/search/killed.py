"""A service's searches in a process that is there to be killed: `python -m tests.loop.search.killed URL`.

It starts a study that waits after three trials, and prints its id.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime

from reward_llm.domain.act import Act
from reward_llm.loop.search.jobs import SearchJobs, SearchJobsConfig
from reward_llm.store.database import Database
from reward_llm.store.loop import SqlLoop
from tests.loop.search.problems import plan
from tests.loop.search.scripted import COMMAND, WAITS


def jobs_on(database: Database) -> SearchJobs:
    """Searches whose process is the scripted one."""
    return SearchJobs(SqlLoop(database), lambda: datetime.now(UTC), SearchJobsConfig(command=COMMAND))


async def main(url: str) -> None:
    """Work until killed."""
    jobs = jobs_on(Database.open(url))
    study = await jobs.start(plan(seed=WAITS), Act(actor="ann", at=datetime.now(UTC)))
    while len((await jobs.study(study.id)).trials) < 3:  # noqa: ASYNC110 - only the store knows
        await asyncio.sleep(0.05)
    print(study.id, flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
