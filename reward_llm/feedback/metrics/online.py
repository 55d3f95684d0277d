"""Online metrics over the partitions of the log.

events ─► of the share that is kept? ─► by user ─► a writer and a log each
│ tallies, side by side
a metric ◄─ estimate with interval ◄─ one tally ◄─ added up ◄─┘
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeVar

import duckdb
import structlog

from reward_llm.domain.events import MAX_AGE, Event
from reward_llm.domain.metrics import Estimate, Metric, MetricsReport, MetricWindow
from reward_llm.domain.ports import Clock
from reward_llm.domain.scenario import Scope
from reward_llm.errors import ConfigurationInvalid, MetricsUnavailable
from reward_llm.feedback.metrics.estimates import CONFIDENCE, estimate, estimates, hash_of
from reward_llm.feedback.metrics.log import EventLog, Slot
from reward_llm.feedback.metrics.sample import EVERYTHING, Sample
from reward_llm.feedback.metrics.tallies import GROUPS, Tally, merged
from reward_llm.feedback.metrics.writer import LogWriter

KIND: Final = "metrics"
KEPT: Final = MAX_AGE + timedelta(days=1)
"""How long events are kept: what the longest window needs, which looks back a day more for who came back."""
T = TypeVar("T")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsConfig:
    """How metrics are kept."""

    share: float = 1.0
    """How much of all users and of all items is kept, over 0 and at most 1; see `metrics.sample`."""
    prune_s: float = 86_400.0
    """How often events that no window reaches any more are forgotten."""
    kept: timedelta = KEPT
    """How long events are kept, at least as long as `KEPT`; experiments may reach further back than windows."""


def open_logs(folder: Path | None, partitions: int) -> list[EventLog]:
    """The logs in a folder, which is made if there is none, or in memory.

    Raises:
        ConfigurationInvalid: If one can't be opened, or the folder was made for another number of them.
    """
    if folder is None:
        return [EventLog(None) for _ in range(partitions)]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise ConfigurationInvalid(f"events can't be kept in {folder}: {exc.strerror}") from exc
    paths = [folder / f"events-{number + 1}-of-{partitions}.duckdb" for number in range(partitions)]
    strangers = sorted(set(folder.glob("events-*-of-*.duckdb")) - set(paths))
    if strangers:
        raise ConfigurationInvalid(
            f"{folder} was made for another number of partitions: it has {strangers[0].name}",
            hint="Go back to that number, or choose another folder.",
        )
    return [EventLog(path) for path in paths]


class MetricsStore:
    """A `reward_llm.domain.ports.metrics.OnlineMetrics` and a `reward_llm.domain.ports.events.EventSink`.

    Args:
        logs: The partitions; a user's events are in one of them.
        clock: The time.
        config: How metrics are kept.

    Raises:
        ConfigurationInvalid: If the logs have events of another share.
    """

    def __init__(self, logs: Sequence[EventLog], clock: Clock, config: MetricsConfig | None = None) -> None:
        self._logs = tuple(logs)
        self._writers = tuple(LogWriter(log) for log in self._logs)
        self._clock = clock
        self._config = config or MetricsConfig()
        self._sample = Sample(self._config.share)
        for log in self._logs:
            log.adopt(self._sample)

    @property
    def kind(self) -> str:
        """What keeps the events."""
        return KIND

    @property
    def kept(self) -> timedelta:
        """How far back events reach."""
        return self._config.kept

    def __len__(self) -> int:
        return sum(map(len, self._logs))

    async def publish(self, events: Sequence[Event]) -> None:
        """Keep those of the events that count, and come back when they are on the disk.

        Raises:
            EventsUnavailable: If some can't be kept now.
        """
        kept = events if self._sample == EVERYTHING else [e for e in events if self._sample.keeps(e)]
        parts: list[list[Event]] = [[] for _ in self._logs]
        for event in kept:
            parts[hash_of(event.key) // GROUPS % len(parts) if len(parts) > 1 else 0].append(event)
        written = [writer.write(part) for writer, part in zip(self._writers, parts, strict=True) if part]
        outcomes = await asyncio.gather(*written, return_exceptions=True)
        for outcome in outcomes:
            if outcome is not None:
                raise outcome

    async def read(
        self, scenario: str, segment: str | None, policy_id: str | None, metric: Metric, window: MetricWindow
    ) -> Estimate:
        """A metric of the window that ends now."""
        tally = await self._tally(Scope(scenario, segment), policy_id, window, self._clock(), {metric})
        return estimate(metric, tally, self._config.share)

    async def report(
        self, scope: Scope, policy_id: str | None, window: MetricWindow, until: datetime | None = None
    ) -> MetricsReport:
        """All metrics of the window."""
        until = until or self._clock()
        tally = await self._tally(scope, policy_id, window, until, frozenset(Metric))
        return MetricsReport(
            scope=scope,
            policy_id=policy_id,
            window=window,
            until=until,
            estimates=estimates(tally, self._config.share),
            confidence=CONFIDENCE,
            share=self._config.share,
            newest=await self.newest(scope.scenario),
        )

    async def policies(self, scope: Scope, window: MetricWindow) -> Sequence[str]:
        """The policies that events of the window name."""
        until = self._clock()
        found = await self.of_all(lambda log: log.policies(scope, window, until))
        return sorted({policy for policies in found for policy in policies})

    async def slots(
        self, scope: Scope, policy_id: str | None, window: MetricWindow, until: datetime | None = None
    ) -> list[Slot]:
        """What was shown in the window with a known probability, of one partition after the other."""
        end = until or self._clock()
        found = await self.of_all(lambda log: log.slots(scope, policy_id, window, end))
        return [slot for slots in found for slot in slots]

    async def newest(self, scenario: str) -> datetime | None:
        """When the scenario's last event happened."""
        found = await self.of_all(lambda log: log.newest(scenario))
        return max((moment for moment in found if moment is not None), default=None)

    async def keep_pruned(self) -> None:
        """Forget what no window reaches any more, until cancelled."""
        while True:
            before = self._clock() - self._config.kept
            try:
                await asyncio.gather(*(writer.prune(before) for writer in self._writers))
            except duckdb.Error as exc:
                _log.warning("metrics.unpruned", error=str(exc))
            await asyncio.sleep(self._config.prune_s)

    async def aclose(self) -> None:
        """Write what waits, and close the logs."""
        for writer in self._writers:
            await writer.aclose()

    async def _tally(
        self, scope: Scope, policy_id: str | None, window: MetricWindow, until: datetime, metrics: Collection[Metric]
    ) -> Tally:
        return merged(await self.of_all(lambda log: log.tally(scope, policy_id, window, until, metrics)))

    async def of_all(self, ask: Callable[[EventLog], T]) -> list[T]:
        """What every partition answers.

        Raises:
            MetricsUnavailable: If one can't be read now.
        """
        try:
            return await asyncio.gather(*(asyncio.to_thread(ask, log) for log in self._logs))
        except duckdb.Error as exc:
            raise MetricsUnavailable("the log of events can't be read now", hint="Try again.") from exc
