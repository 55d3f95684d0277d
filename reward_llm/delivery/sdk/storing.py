"""Writes what is served to the cache, not too often and not too rarely."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from reward_llm.delivery.sdk.cache import Kept, SnapshotCache
from reward_llm.delivery.sdk.keeper import Keeper
from reward_llm.delivery.sdk.snapshot import written
from reward_llm.delivery.sdk.trouble import Trouble

EVERY_S: Final = 5.0
"""The shortest time from one write to the next."""
AGE_S: Final = 60.0
"""How often what was confirmed is written anew though nothing changed, so that its age is known after a restart."""


class Storer:
    """Keeps the cache as new as what is served.

    Args:
        cache: Where to write.
        keeper: What is served.
        wall: This machine's clock, in seconds since 1970.
    """

    def __init__(self, cache: SnapshotCache, keeper: Keeper, *, wall: Callable[[], float] = time.time) -> None:
        self._cache = cache
        self._keeper = keeper
        self._wall = wall
        self._changed = asyncio.Event()
        self.trouble = Trouble("the cache")

    def changed(self) -> None:
        """Something else is served."""
        self._changed.set()

    async def store_when_due(self) -> None:
        """Wait until something changed or was confirmed long ago, write it, and rest."""
        with suppress(TimeoutError):
            async with asyncio.timeout(AGE_S):
                await self._changed.wait()
        self._changed.clear()
        kept = self._kept()
        if kept is not None:
            await asyncio.to_thread(self._store, kept)
            await asyncio.sleep(EVERY_S)

    def store(self) -> None:
        """Write it now."""
        if (kept := self._kept()) is not None:
            self._store(kept)

    def _store(self, kept: Callable[[], Kept]) -> None:
        try:
            self._cache.store(kept(), replaces_newer=self._keeper.went_back)
        except OSError as exc:
            self.trouble.began(f"can't be written: {exc}")
        else:
            self.trouble.over()

    def _kept(self) -> Callable[[], Kept] | None:
        """What a service has confirmed to this process, yet to be written down, which takes a while."""
        keeper = self._keeper
        age_s, snapshot = keeper.table.standing.age_s, keeper.snapshot
        if keeper.source != "server" or snapshot is None or math.isinf(age_s):
            return None
        etag, revision, confirmed_at = keeper.etag or "", keeper.revision or 0, self._wall() - age_s
        return lambda: Kept(body=written(snapshot), etag=etag, revision=revision, confirmed_at=confirmed_at)
