"""The log: every event once, in columns, in a DuckDB file or in memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
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
from reward_llm.feedback.metrics.sample import EVERYTHING, Sample
from reward_llm.feedback.metrics.seen import SeenIds
from reward_llm.feedback.metrics.tallies import GroupTally, Tally

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@dataclass(frozen=True, slots=True)
class Slot:
    """What a user was shown at a place, from 0, with which probability, and whether it was clicked.

    `request_id` is that of the slate, None where nobody said it.
    """

    user: str
    request_id: str | None
    item: str
    place: int
    propensity: float
    is_clicked: bool


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
        self._sample = EVERYTHING
        self._changed = Condition()
        self._readers = 0
        self._writer = self._connection.cursor()
        self._seen, self._newest = self._read_ids(), self._read_newest()

    def __len__(self) -> int:
        return len(self._seen)

    def adopt(self, sample: Sample) -> None:
        """Take what is appended for that which the sample keeps of all events; without it, that is everything.

        Raises:
            ConfigurationInvalid: If the log has events of another share already.
        """
        with self._reader() as reader:
            known = reader.execute(queries.SHARE).fetchone()
        if known and known[0] != sample.share and len(self):
            raise ConfigurationInvalid(
                f"the log has a share of {known[0]:g} of all users, and is to keep {sample.share:g}",
                hint="Go back to that share, or choose another folder.",
            )
        with self._transaction():
            self._writer.execute(queries.FORGET_SHARE)
            self._writer.execute(queries.KEEP_SHARE, {"share": sample.share})
            if sample == EVERYTHING:
                self._writer.execute(queries.ALL_ITEMS)
        self._sample = sample

    def append(self, events: Sequence[Event]) -> int:
        """Keep the events, which the sample keeps, that aren't there yet, and say how many these are.

        Raises:
            duckdb.Error: If they can't be kept; none of them is then.
        """
        table = columns(events, self._sample)
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
            return [Slot(*row) for row in reader.execute(queries.SLOTS, inside).fetchall()]

    def columns_of(self, query: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to a query as NumPy arrays, masked where something is NULL.

        Raises:
            duckdb.Error: If the log can't be read.
        """
        with self._reader() as reader:
            named = {name: value for name, value in parameters.items() if f"${name}" in query}
            return reader.execute(query, named).fetchnumpy()

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
