"""The log: every event once, in columns, in a DuckDB file or in memory."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from threading import Condition
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np

from reward_llm.domain.events import Event
from reward_llm.domain.metrics import DAY, Metric, MetricWindow
from reward_llm.domain.scenario import Scope
from reward_llm.errors import ConfigurationInvalid
from reward_llm.feedback.metrics import queries
from reward_llm.feedback.metrics.columns import columns, micros, moment_of
from reward_llm.feedback.metrics.seen import SeenIds
from reward_llm.feedback.metrics.tallies import GroupTally, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

Slot = tuple[str, str, int, float, bool]
"""User, item, place from 0, the probability that it was shown there, and whether it was clicked."""
ACTED: Final = frozenset(
    {
        Metric.CTR,
        Metric.CONVERSION,
        Metric.GMV,
        Metric.DWELL,
        Metric.COLD_START_SHARE,
        Metric.BOOST_SPEND,
        Metric.BOOST_COST,
    }
)
"""Metrics that are told by counting events alone."""
_MEMORY: Final = ":memory:"
_THREADS: Final = 1
_WAL_LIMIT: Final = "64MB"
"""How much is written ahead until it is put into columns."""
_QUERIES: Final = (
    (queries.ACTIONS, ACTED),
    (queries.SLATES, frozenset({Metric.NDCG, Metric.MRR})),
    (queries.INTERESTS, frozenset({Metric.INTEREST_DIVERSITY})),
)


class EventLog:
    """A partition of the events. One thread at a time may append and prune, while any number read.

    An append is on the disk when it returns. The file is one process's while it is open.

    Args:
        path: The file, made if there is none; None keeps events in memory.

    Raises:
        ConfigurationInvalid: If the file can't be opened.
    """

    def __init__(self, path: Path | None) -> None:
        try:
            self._connection = duckdb.connect(str(path) if path else _MEMORY)
            self._connection.execute(f"SET threads = {_THREADS}")
            self._connection.execute(f"SET checkpoint_threshold = '{_WAL_LIMIT}'")
            self._connection.execute(queries.CREATE)
        except duckdb.Error as exc:
            raise ConfigurationInvalid(
                f"events can't be kept in {path}: {exc}", hint="Only one process at a time may have the file open."
            ) from exc
        self._changed = Condition()
        self._readers = 0
        self._writer = self._connection.cursor()
        self._seen, self._newest = self._read_ids(), self._read_newest()

    def __len__(self) -> int:
        return len(self._seen)

    def append(self, events: Sequence[Event]) -> int:
        """Keep the events that aren't there yet, and say how many these are.

        Raises:
            duckdb.Error: If they can't be kept; none of them is then.
        """
        table = columns(events)
        ids = table.column("id_hash").to_numpy()
        is_fresh = self._seen.fresh(ids)
        if not is_fresh.any():
            return 0
        batch = table if is_fresh.all() else table.filter(is_fresh)
        with self._transaction():
            self._writer.register("batch", batch)
            self._writer.execute(queries.INSERT)
        self._writer.unregister("batch")
        self._seen.add(ids[is_fresh])
        for event in events:
            self._newest[event.scenario] = max(event.at, self._newest.get(event.scenario, event.at))
        return int(is_fresh.sum())

    def prune(self, before: datetime) -> None:
        """Forget events that happened by then.

        Raises:
            duckdb.Error: If they can't be taken out.
        """
        with self._transaction():
            self._writer.execute(queries.PRUNE, {"before": micros(before)})
        self._seen, self._newest = self._read_ids(), self._read_newest()

    def tally(
        self,
        scope: Scope,
        policy_id: str | None,
        window: MetricWindow,
        until: datetime,
        metrics: Collection[Metric] = tuple(Metric),
    ) -> Tally:
        """What is counted of the window that ends then, as far as the metrics need it.

        Raises:
            duckdb.Error: If the log can't be read.
        """
        named, end, days = self._scoped(scope, policy_id), micros(until), window.length // DAY
        inside = {**named, "start": micros(until - window.length), "until": end}
        counted: dict[int, dict[str, Any]] = {}
        items: list[tuple[str, int]] = []
        with self._reader() as reader:
            for query, needed_for in _QUERIES:
                if needed_for.intersection(metrics):
                    _collect(counted, reader.execute(query, inside))
            if Metric.NEXT_DAY_RETENTION in metrics and days:
                _collect(counted, reader.execute(queries.VISITS, {**named, "until": end, "days": days}))
            if Metric.COLD_START_SUCCESS in metrics:
                items = reader.execute(queries.NEW_ITEMS, inside).fetchall()
        return Tally(groups={g: GroupTally(**sums) for g, sums in counted.items()}, new_items=dict(items))

    def policies(self, scope: Scope, window: MetricWindow, until: datetime) -> list[str]:
        """The policies that events of the window name.

        Raises:
            duckdb.Error: If the log can't be read.
        """
        named = self._scoped(scope, None)
        del named["policy"]
        inside = {**named, "start": micros(until - window.length), "until": micros(until)}
        with self._reader() as reader:
            return [policy for (policy,) in reader.execute(queries.POLICIES, inside).fetchall()]

    def slots(self, scope: Scope, policy_id: str | None, window: MetricWindow, until: datetime) -> list[Slot]:
        """What was shown in the window with a known probability.

        Raises:
            duckdb.Error: If the log can't be read.
        """
        named = self._scoped(scope, policy_id)
        inside = {**named, "start": micros(until - window.length), "until": micros(until)}
        with self._reader() as reader:
            return reader.execute(queries.SLOTS, inside).fetchall()

    def newest(self, scenario: str) -> datetime | None:
        """When the scenario's last event happened."""
        return self._newest.get(scenario)

    def close(self) -> None:
        """Wait for who reads, write everything into its place, and let the file go."""
        with self._changed:
            self._changed.wait_for(lambda: not self._readers)
            self._writer.close()
            self._connection.close()

    @contextmanager
    def _reader(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of the calling thread's own: one takes one call at a time, and asking for one is a call."""
        with self._changed:
            cursor = self._connection.cursor()
            self._readers += 1
        try:
            yield cursor
        finally:
            cursor.close()
            with self._changed:
                self._readers -= 1
                self._changed.notify_all()

    def _read_ids(self) -> SeenIds:
        with self._reader() as reader:
            return SeenIds(np.asarray(reader.execute(queries.IDS).fetchnumpy()["id_hash"], np.uint64))

    def _read_newest(self) -> dict[str, datetime]:
        with self._reader() as reader:
            return {name: moment_of(moment) for name, moment in reader.execute(queries.NEWEST).fetchall()}

    @staticmethod
    def _scoped(scope: Scope, policy_id: str | None) -> dict[str, str | None]:
        return {"scenario": scope.scenario, "segment": scope.segment, "policy": policy_id}

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._writer.begin()
        try:
            yield
            self._writer.commit()
        except duckdb.Error:
            with suppress(duckdb.Error):  # what failed may have ended the transaction
                self._writer.rollback()
            raise


def _collect(counted: dict[int, dict[str, Any]], found: Any) -> None:
    """Put a row a group of users into what was counted of them."""
    names = [column[0] for column in found.description][1:]
    for group, *values in found.fetchall():
        counted.setdefault(group, {}).update(zip(names, values, strict=True))
