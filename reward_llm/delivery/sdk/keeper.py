"""Keeps what is served: takes over what is newer, notes what is confirmed, and refuses the rest.

remembered ─┐
documents ──┼─► clock ─► ratchet ─► table, swapped as a whole ─► lookups, callback
notices ────┘               └► refused: the last good one stays, and grows old

All but the lookups happens in one thread, that of the event loop which refreshes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from reward_llm.delivery.sdk.change import ClientChange
from reward_llm.delivery.sdk.clock import ServerClock
from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.fetch import Document, Unchanged
from reward_llm.delivery.sdk.health import Source
from reward_llm.delivery.sdk.logbook import note
from reward_llm.delivery.sdk.lookups import Lookups
from reward_llm.delivery.sdk.ratchet import Ratchet
from reward_llm.delivery.sdk.reading import parse
from reward_llm.delivery.sdk.remembered import Remembered
from reward_llm.delivery.sdk.snapshot import ScopeKey, Snapshot
from reward_llm.delivery.sdk.standing import UNKNOWN_AGE, Standing
from reward_llm.delivery.sdk.stream import Heard
from reward_llm.delivery.sdk.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A document that was read, and its table, after the clock had gone back so often."""

    document: Document
    snapshot: Snapshot
    table: Table
    setbacks: int


class Keeper:
    """What a client serves, and what it knows of it.

    Args:
        lookups: Where tables are put.
        clock: Told the service's time by every answer.
        config: What counts as stale, and whom to tell of changes.
        monotonic: Seconds that never go back.
    """

    def __init__(
        self,
        *,
        lookups: Lookups,
        clock: ServerClock,
        config: ClientConfig,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._lookups = lookups
        self._clock = clock
        self._config = config
        self._monotonic = monotonic
        self._ratchet = Ratchet(config.accept_older_after_s)
        self.table = Table.empty()
        self.etag: str | None = None
        self.body: bytes | None = None
        self.source: Source | None = None
        self._setbacks = 0
        self.went_back = False

    @property
    def revision(self) -> int | None:
        """The newest that was believed."""
        return self._ratchet.revision

    @property
    def refused_older(self) -> int:
        """How many answers were older than that."""
        return self._ratchet.refused

    @property
    def behind(self) -> bool:
        """Whether the last answer was older than what was known."""
        return self._ratchet.behind

    def begin_with(self, remembered: Remembered) -> ClientChange | None:
        """Serve what is remembered from before, as stale, until a service says something; the change is to `tell`."""
        snapshot, age_s = remembered.snapshot, remembered.age_s
        standing = self._standing(
            snapshot, UNKNOWN_AGE if age_s is None else self._monotonic() - age_s, confirmed=False
        )
        self._ratchet.believe(snapshot.revision, snapshot.as_of)
        return self._swap(Table.of(snapshot, standing), remembered.etag, remembered.body, remembered.source)

    def prepared(self, document: Document) -> Prepared:
        """Read a document; this is all that takes long, and may be done by another thread.

        Raises:
            SnapshotInvalid: If it isn't a snapshot.
        """
        known, setbacks = self.table, self._setbacks
        snapshot = parse(document.body, known.items)
        standing = self._standing(snapshot, document.sent - snapshot.age_s, confirmed=True)
        table = Table.of(snapshot, standing)
        table.warm(known, self._clock.now())
        return Prepared(document=document, snapshot=snapshot, table=table, setbacks=setbacks)

    def take(self, prepared: Prepared) -> bool:
        """Serve what was prepared, unless it is older than what is served; whether it is now."""
        document, snapshot = prepared.document, prepared.snapshot
        self._told(snapshot.as_of.timestamp(), document.sent, document.received)
        table = prepared.table if prepared.setbacks == self._setbacks else prepared.table.anew()
        same = _same(self.table, table)
        if self.source == "bootstrap":
            self._ratchet.reset()
        if not self._ratchet.admits(snapshot.revision, snapshot.as_of, self._monotonic(), same=same):
            return False
        change = None
        if same:
            self._believed(snapshot.revision, snapshot.age_s, document.sent, stale=snapshot.stale)
            self.etag, self.body = document.etag or None, self._kept(document.body)
        else:
            self._note_going_back(snapshot.revision)
            change = self._swap(table, document.etag or None, document.body, "server")
        self._ratchet.believe(snapshot.revision, snapshot.as_of)
        self.tell(change)
        return True

    def tell(self, change: ClientChange | None) -> None:
        """Call whoever wants to know, if there is a change."""
        if change is None or self._config.on_change is None:
            return
        try:
            self._config.on_change(change)
        except Exception:  # noqa: BLE001 - it is somebody else's, and refreshing mustn't end for it
            note(logging.ERROR, "the callback for changes failed; the weights are served all the same", exc_info=True)

    def unchanged(self, answer: Unchanged) -> bool:
        """The service says that what is served still holds; whether that is believed."""
        as_of = self._ratchet.as_of
        if as_of is None or not self._ratchet.admits(answer.revision, as_of, self._monotonic(), same=True):
            return False
        self._believed(answer.revision, answer.age_s, answer.sent, stale=answer.stale)
        self._ratchet.believe(answer.revision, as_of)
        return True

    def heard(self, heard: Heard) -> bool:
        """Take note of a notice; whether the snapshot has to be fetched for it."""
        notice = heard.notice
        self._told(notice.as_of.timestamp(), heard.sent, heard.received)
        same = notice.etag == self.etag
        if self.source == "bootstrap":
            return True
        if not self._ratchet.admits(notice.revision, notice.as_of, self._monotonic(), same=same):
            return False
        if same:
            said_at = min(heard.received, self._clock.at(notice.as_of.timestamp()))
            self._believed(notice.revision, notice.age_s, said_at, stale=notice.stale)
            self._ratchet.believe(notice.revision, notice.as_of)
        return not same

    def _believed(self, revision: int, age_s: float, at: float, *, stale: bool) -> None:
        self._note_going_back(revision)
        self.table.standing.confirm(revision=revision, confirmed_at=at - age_s, service_stale=stale)
        self.source = "server"

    def _note_going_back(self, revision: int) -> None:
        known = self._ratchet.revision
        if known is not None and revision < known:
            self.went_back = True
            note(
                logging.WARNING,
                "for %g s there was nothing but older answers: revision %d takes the place of %d, as after a restore",
                self._config.accept_older_after_s,
                revision,
                known,
            )

    def _told(self, as_of_s: float, sent: float | None, received: float) -> None:
        if self._clock.told(as_of_s, sent=sent, received=received):
            self._ratchet.forget_time()
            self._setbacks += 1
            self.table = self.table.anew()
            self._lookups.serve(self.table)

    def _standing(self, snapshot: Snapshot, confirmed_at: float, *, confirmed: bool) -> Standing:
        return Standing(
            revision=snapshot.revision,
            confirmed_at=confirmed_at,
            confirmed=confirmed,
            service_stale=snapshot.stale,
            stale_after_s=self._config.stale_after_s,
            monotonic=self._monotonic,
        )

    def _swap(self, table: Table, etag: str | None, body: bytes, source: Source) -> ClientChange | None:
        before, first = self.table, self.source is None
        self.table, self.etag, self.body, self.source = table, etag, self._kept(body), source
        self._lookups.serve(table)
        scopes = frozenset(_differing(before, table))
        old = None if first else before.standing.revision
        return ClientChange(scopes=scopes, old_revision=old, new_revision=table.standing.revision) if scopes else None

    def _kept(self, body: bytes) -> bytes | None:
        return body if self._config.cache is not None else None


def _differing(before: Table, after: Table) -> Iterable[ScopeKey]:
    """Scopes that come, go, or say something else."""
    for key, item in after.items.items():
        known = before.items.get(key)
        if known is not item and known != item:
            yield key
    for key in before.items:
        if key not in after.items:
            yield key


def _same(one: Table, other: Table) -> bool:
    return next(iter(_differing(one, other)), None) is None
