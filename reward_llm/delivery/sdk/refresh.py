"""Keeps what is served fresh, whatever the service does.

stream ─► notice ─► the known entity tag: confirmed
   │                another one, with what changed: taken over
   │                another one ─┐
   └ down: every `poll_s` ───────┴─► conditional GET ─► taken over, confirmed, or refused
                                        └ failed: back off, the last good one stays
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from reward_llm.delivery.sdk.asking import Asker
from reward_llm.delivery.sdk.cache import SnapshotCache
from reward_llm.delivery.sdk.clock import ServerClock
from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.fetch import Fetcher
from reward_llm.delivery.sdk.keeper import Keeper
from reward_llm.delivery.sdk.listening import Listener
from reward_llm.delivery.sdk.storing import Storer
from reward_llm.delivery.sdk.trouble import forever
from reward_llm.delivery.sdk.watch import Watch


class Refresher:
    """Refreshes in one event loop, until it is cancelled.

    Args:
        base_url: Where the service is.
        config: How patient to be with it.
        keeper: What is served.
        clock: The service's time.
        cache: Where the snapshot is kept for the next start, if anywhere.
        settled: Called whenever it became clearer whether a service answers.
    """

    def __init__(
        self,
        *,
        base_url: str,
        config: ClientConfig,
        keeper: Keeper,
        clock: ServerClock,
        cache: SnapshotCache | None,
        settled: Callable[[], None],
    ) -> None:
        self._keeper = keeper
        self._settled = settled
        self._fetcher = Fetcher(base_url, config)
        self._asker = Asker(
            fetcher=self._fetcher, keeper=keeper, clock=clock, config=config, settled=self._after_answer
        )
        self._listener = Listener(
            base_url=base_url, config=config, keeper=keeper, asker=self._asker, settled=self._after_answer
        )
        self._watch = Watch(keeper=keeper, asker=self._asker, wall=config.wall_clock)
        self._storer = None if cache is None else Storer(cache, keeper, wall=config.wall_clock)
        self._stored_etag = keeper.etag

    @property
    def streaming(self) -> bool:
        """Whether the service tells of changes by itself."""
        return self._listener.streaming

    @property
    def suspended_s(self) -> float:
        """For how long the machine was suspended meanwhile, as far as that was noticed."""
        return self._watch.suspended_s

    @property
    def refused_invalid(self) -> int:
        """Answers that weren't what they should be."""
        return self._asker.refused_invalid + self._listener.refused_invalid

    @property
    def last_error(self) -> str | None:
        """What is in the way now."""
        troubles = [self._asker.trouble, self._listener.trouble, self._watch.trouble]
        if self._storer is not None:
            troubles.append(self._storer.trouble)
        return "; ".join(dict.fromkeys(t.error for t in troubles if t.error)) or None

    async def run(self) -> None:
        """Refresh until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(forever(self._asker.ask_when_due, self._asker.trouble))
                tasks.create_task(forever(self._listener.follow, self._listener.trouble))
                tasks.create_task(forever(self._watch.look_when_due, self._watch.trouble))
                if self._storer is not None:
                    tasks.create_task(forever(self._storer.store_when_due, self._storer.trouble))
        finally:
            await self._fetcher.aclose()
            if self._storer is not None:
                self._storer.store()

    def _after_answer(self) -> None:
        if self._storer is not None and self._keeper.source == "server" and self._keeper.etag != self._stored_etag:
            self._stored_etag = self._keeper.etag
            self._storer.changed()
        self._watch.wake_for_edge()
        self._settled()
