"""What both clients are made of."""

from __future__ import annotations

import logging
import os
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from reward_llm.delivery.sdk.cache import SnapshotCache
from reward_llm.delivery.sdk.change import ClientChange
from reward_llm.delivery.sdk.clock import ServerClock
from reward_llm.delivery.sdk.config import ClientConfig, checked_base_url
from reward_llm.delivery.sdk.health import ClientHealth
from reward_llm.delivery.sdk.keeper import Keeper
from reward_llm.delivery.sdk.logbook import note
from reward_llm.delivery.sdk.lookups import Lookups
from reward_llm.delivery.sdk.refresh import Refresher
from reward_llm.delivery.sdk.remembered import Remembered, remembered

_clients: weakref.WeakSet[BaseClient] = weakref.WeakSet()


class BaseClient(Lookups):
    """A client without anything that runs it.

    Args:
        base_url: Where the service is, such as http://127.0.0.1:8300.
        config: What one may choose.
        overrides: Single fields of the configuration.

    Raises:
        ValueError: If the address or the configuration can't be.
        TypeError: If there is no such field.
    """

    def __init__(self, base_url: str, config: ClientConfig | None = None, **overrides: Any) -> None:
        self._base_url = checked_base_url(base_url)
        self._config = replace(config or ClientConfig(), **overrides)
        super().__init__(ServerClock(wall=self._config.wall_clock))
        self._keeper = Keeper(lookups=self, clock=self._clock, config=self._config)
        self._refresher: Refresher | None = None
        self._notes: list[str] = []
        self._abandoned: list[object] = []
        _clients.add(self)

    @property
    def running(self) -> bool:
        """Whether it refreshes in this process."""
        raise NotImplementedError

    def health(self) -> ClientHealth:
        """How it is."""
        keeper, refresher, misses = self._keeper, self._refresher, self._misses
        standing, running = keeper.table.standing, self.running
        return ClientHealth(
            running=running,
            ready=keeper.source is not None,
            stale=standing.stale,
            age_s=standing.age_s,
            source=keeper.source,
            revision=keeper.revision,
            scopes=len(keeper.table.items),
            streaming=running and refresher is not None and refresher.streaming,
            last_error=refresher.last_error if refresher is not None else None,
            notes=tuple(self._notes),
            clock_skew_s=self._clock.skew_s,
            clock_error_s=self._clock.error_s,
            suspended_s=refresher.suspended_s if refresher is not None else 0.0,
            carried=keeper.carried,
            refused_older=keeper.refused_older,
            refused_invalid=refresher.refused_invalid if refresher is not None else 0,
            unknown_scenarios=misses.unknown_scenarios,
            unknown_segments=misses.unknown_segments,
            misuses=misses.misuses,
        )

    def _cache(self) -> SnapshotCache | None:
        config = self._config
        if config.cache is None:
            return None
        return SnapshotCache(
            config.cache,
            base_url=self._base_url,
            scenarios=config.scenarios,
            max_bytes=config.max_snapshot_bytes,
        )

    def _recall(self, cache: SnapshotCache | None) -> tuple[Remembered | None, list[str]]:
        """What there is on disk, unless something is served already."""
        return remembered(self._config, cache) if self._keeper.source is None else (None, self._notes)

    def _begin_with(self, best: Remembered | None, notes: list[str]) -> ClientChange | None:
        self._notes = notes
        for reason in notes:
            note(logging.WARNING, "%s", reason)
        return None if best is None else self._keeper.begin_with(best)

    def _new_refresher(self, cache: SnapshotCache | None, settled: Callable[[], None]) -> Refresher:
        return Refresher(
            base_url=self._base_url,
            config=self._config,
            keeper=self._keeper,
            clock=self._clock,
            cache=cache,
            settled=settled,
        )

    def _forked(self) -> None:
        """What ran in the parent doesn't run here; its connections are the parent's, so they are left alone."""
        raise NotImplementedError


def _after_fork() -> None:
    for client in list(_clients):
        client._forked()


os.register_at_fork(after_in_child=_after_fork)
