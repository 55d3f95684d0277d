from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from reward_llm.domain.goal import GoalState
from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.store import SqlStore
from tests.contracts.store import NOON, goal, proposal

ROOT = Path(__file__).parents[2]
WRITER = """
import asyncio, itertools, sys
from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.store import SqlStore
from tests.contracts.store import NOON, goal, proposal

async def write() -> None:
    store = SqlStore.open(sys.argv[1])
    for i in itertools.count():
        await store.record_goal(goal(f"goal_{i}"), IdempotencyClaim(key=f"{i}", request_hash="h"))
        print("received", i, flush=True)
        await store.record_proposal(f"goal_{i}", proposal(), NOON)
        print("proposed", i, flush=True)

asyncio.run(write())
"""


async def acknowledged(url: str, lines: int) -> list[tuple[str, int]]:
    """What a writer said that it had written, before it was killed in the middle of its work."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WRITER, url, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    said = [await process.stdout.readline() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    said += (await process.stdout.read()).splitlines()
    assert await process.wait() == -signal.SIGKILL
    words = [line.decode().split() for line in said if line]
    return [(what, int(number)) for what, number in words]


async def test_a_killed_writer_loses_and_doubles_nothing(url: str) -> None:
    said = await acknowledged(url, 41)
    store = SqlStore.open(url)
    records = {r.goal.id: r for r in (await store.goals(limit=200)).items}
    states = [r.state for r in records.values()]

    assert {f"goal_{i}" for what, i in said if what == "received"} <= set(records)
    assert all(records[f"goal_{i}"].state is GoalState.PROPOSED for what, i in said if what == "proposed")
    written = len(records) + states.count(GoalState.PROPOSED)
    assert len(said) <= written <= len(said) + 1
    assert len(await store.audit(limit=200)) == written

    unread = (await store.goals(state=GoalState.RECEIVED)).items
    assert len(unread) <= 1
    for i in range(len(records)):
        await store.record_goal(goal(f"again_{i}"), IdempotencyClaim(key=f"{i}", request_hash="h"))
        await store.record_proposal(f"goal_{i}", proposal(), NOON)
    policies = (await store.policies(limit=200)).items
    assert len((await store.goals(limit=200)).items) == len(records)
    assert [p.version for p in policies] == list(range(len(records), 0, -1))
    assert {p.origin for p in policies} == set(records)
    await store.aclose()
