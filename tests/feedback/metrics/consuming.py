"""Keeps metrics of a broker's events as a service does, and says how many are kept, until it is killed."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack

from reward_llm.bootstrap import load_settings
from reward_llm.bootstrap.metrics import build_metrics
from reward_llm.feedback.metrics.online import MetricsStore


async def main() -> None:
    room = build_metrics(load_settings(**json.loads(sys.argv[1])))
    assert isinstance(room.online, MetricsStore)
    async with AsyncExitStack() as stack:
        for close in room.closers:
            stack.push_async_callback(close)
        working = [asyncio.create_task(work()) for work in room.background]
        while not any(task.done() for task in working):
            print(len(room.online), flush=True)
            await asyncio.sleep(0.1)


if __name__ == "__main__":
    asyncio.run(main())
