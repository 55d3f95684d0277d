"""Where ranking is done: off the event loop, by one thread that ranks and one that tries weights out.

    requests ─► ranking thread ──► engine      each engine is loaded by its thread, when it is first asked;
    previews ─► preview thread ─► engine       nothing here needs torch until then

A preview takes seconds, and no request waits for it.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from reward_llm.errors import RankerBusy, RankerUnavailable, RewardLLMError

if TYPE_CHECKING:
    from reward_llm.domain.preview import Explanation, Preview
    from reward_llm.domain.ranker_card import RankerCard
    from reward_llm.domain.ranking import RankedSlate, RankingRequest
    from reward_llm.domain.scenario import Scenario
    from reward_llm.ranking.engine import Engine

T = TypeVar("T")
Load = Callable[[], "Engine"]
ReadCard = Callable[[], "RankerCard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomConfig:
    """How many may wait."""

    most_requests: int = 64
    """Requests that are ranked or wait for it at once."""
    most_previews: int = 4
    """The same for previews."""


class Room:
    """A `reward_llm.domain.ports.Reranker` with threads of its own.

    Args:
        load: Loads an engine; what it raises as RewardLLMError is the answer to everything from then on.
        config: How many may wait.
        card: Reads what is known of the engine; without it nothing is.
    """

    def __init__(self, load: Load, config: RoomConfig | None = None, card: ReadCard | None = None) -> None:
        config = config or RoomConfig()
        self._card = card
        self._ranking = _Desk(load, config.most_requests, "ranking")
        self._previewing = _Desk(load, config.most_previews, "preview")

    async def rerank(self, scenario: Scenario, weights: Mapping[str, float], request: RankingRequest) -> RankedSlate:
        """The slate with the highest score that the engine finds; see `Reranker.rerank`."""
        return await self._ranking.do(lambda engine: engine.rerank(scenario, weights, request))

    async def preview(self, scenario: Scenario, now: Mapping[str, float], then: Mapping[str, float]) -> Preview:
        """What would change on logged requests; see `Reranker.preview`."""
        return await self._previewing.do(lambda engine: engine.preview(scenario, now, then))

    async def explain(self, scenario: Scenario, weights: Mapping[str, float], request: str) -> Explanation:
        """Why the slate of a logged request is as it is; see `Reranker.explain`."""
        return await self._previewing.do(lambda engine: engine.explain(scenario, weights, request))

    async def card(self) -> RankerCard:
        """What is known of the ranker; see `Reranker.card`."""
        if self._card is None:
            raise RankerUnavailable("nothing is known of this ranker")
        return await asyncio.to_thread(self._card)

    async def aclose(self) -> None:
        """Let the threads go once they are done with what they do."""
        for desk in (self._ranking, self._previewing):
            await asyncio.to_thread(desk.close)


class _Desk:
    """One thread and its engine."""

    def __init__(self, load: Load, most: int, name: str) -> None:
        self._load = load
        self._most = most
        self._free = threading.Semaphore(most)
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._loaded: Engine | RewardLLMError | None = None

    async def do(self, work: Callable[[Engine], T]) -> T:
        """Have the thread do the work.

        Raises:
            RankerBusy: If as much waits as may.
            RewardLLMError: If the engine can't be loaded, or refuses.
        """
        if not self._free.acquire(blocking=False):
            raise RankerBusy(f"{self._most} wait for the ranker already", hint="Ask less at once, or more services.")
        future: Future[T] = self._pool.submit(lambda: work(self._engine()))
        future.add_done_callback(lambda _: self._free.release())
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Finish what is being done, and nothing that waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _engine(self) -> Engine:
        if self._loaded is None:
            try:
                self._loaded = self._load()
            except RewardLLMError as exc:
                self._loaded = exc
        if isinstance(self._loaded, RewardLLMError):
            raise self._loaded
        return self._loaded
