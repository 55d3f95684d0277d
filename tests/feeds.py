"""Boards that hear of changes through a feed, as processes of their own would."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from reward_llm.delivery.board import Board, BoardConfig
from reward_llm.delivery.feeds.kept import KeepingConfig, KeptFeed
from reward_llm.domain.act import Act
from reward_llm.domain.goal import Window
from reward_llm.domain.ports import FeedSource
from reward_llm.store import SqlStore
from reward_llm.store.database import Database
from reward_llm.store.governance import SqlGovernance
from tests.activations import ALL
from tests.contracts.governance.acts import FREE, weights
from tests.strategies import HOME_FEED

BEAT_S = 0.1
KEEPING = KeepingConfig(patience_s=3.0, first_pause_s=0.05, longest_pause_s=0.2)
NEVER = BoardConfig(refresh_s=3_600)
"""A board that by itself looks too seldom to find anything within a test."""


async def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.005)


def now() -> datetime:
    return datetime.now(UTC)


class Process:
    """What a process has of the database: its own connections, board and feed."""

    def __init__(self, url: str, source: FeedSource) -> None:
        self.database = Database.open(url)
        self.store, self.governance = SqlStore(self.database), SqlGovernance(self.database)
        scenarios = {HOME_FEED.name: HOME_FEED}
        self.board = Board(scenarios=scenarios, store=self.governance, clock=now, config=NEVER)
        self.feed = KeptFeed(source, KEEPING)

    async def activate(self, step: int = 1) -> str:
        """Put other weights into force, and tell of it as a write through the API does."""
        act = Act(actor="ann", at=now())
        policy = await self.store.record_edit(ALL, weights(0.2 + step / 1000), act=act)
        await self.governance.activate(policy.policy_id, Window(), act, FREE)
        await self.feed.announce(0)
        return policy.policy_id

    async def freeze(self, *, frozen: bool) -> None:
        await self.governance.freeze(ALL, Act(actor="ann", at=now(), reason="stop"), frozen=frozen)
        await self.feed.announce(0)

    def serves(self) -> str:
        return self.board.lookup(ALL, now()).policy_id

    async def catches_up(self) -> None:
        """Wait until the board is as it is after a connect."""
        await until(lambda: self.feed.status().connected)


@asynccontextmanager
async def process(url: str, source: FeedSource) -> AsyncIterator[Process]:
    made = Process(url, source)
    tasks = [asyncio.create_task(w) for w in (made.board.keep_fresh(), made.feed.run(made.board.wake))]
    yield made
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await made.database.aclose()
