"""`reward-llm agents worker`, a process that is killed, over a real broker and Redis."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reward_llm.agents.live.stores.redis import RedisStates
from reward_llm.feedback.intake.streams.sink import BrokerSink
from tests.agents.live.conftest import SERVER
from tests.agents.live.test_updater import a_day, everything, replayed
from tests.events import event
from tests.feedback.intake.brokers import STREAM, Broker, broker

PROGRAM = [sys.executable, "-c", "from reward_llm.cli import main; main()", "agents", "worker"]
PATIENCE_S = 90.0


@contextmanager
def worker(server: Broker, prefix: str) -> Iterator[subprocess.Popen[bytes]]:
    """A worker, which is killed in the end if it still runs."""
    chosen = {
        "REWARD_LLM_EVENTS": server.kind,
        "REWARD_LLM_EVENTS_URL": server.url,
        "REWARD_LLM_EVENTS_STREAM": STREAM,
        "REWARD_LLM_AGENTS_STATE": "redis",
        "REWARD_LLM_REDIS_URL": SERVER,
        "REWARD_LLM_REDIS_CHANNEL": prefix,
    }
    with subprocess.Popen(PROGRAM, env={**os.environ, **chosen}, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


async def test_killed_workers_leave_the_state_that_the_log_replays_to(
    tmp_path: Path, unused_tcp_port: int, prefix: str
) -> None:
    log = a_day(random.Random(4), 300)
    store = RedisStates(SERVER, prefix=f"{prefix}:agents", kept_s=60)

    async def applied(count: int) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while sum(mood.events for mood in (await everything(store))[0].values()) < count:  # noqa: ASYNC110 - a store tells nobody
                await asyncio.sleep(0.05)

    with broker("nats", tmp_path, unused_tcp_port) as server:
        sink = BrokerSink(server.kind, server.open_link)
        with worker(server, prefix) as first:
            for start in range(0, 150, 10):
                await sink.publish(log[start : start + 10])
            await applied(1)
            first.kill()
        await sink.publish([*log[100:300], *log[120:140]])
        with worker(server, prefix) as second:
            await applied(300)
            await sink.publish([event("last", after_s=480)])
            await applied(301)
            second.terminate()
            assert second.wait(PATIENCE_S) == 0
        await sink.aclose()
    assert await everything(store) == await replayed([*log, event("last", after_s=480)])
    await store.aclose()
