"""Keeps what is served: takes over what is newer, notes what is confirmed, and refuses the rest.

remembered ─┐
documents ──┼─► clock ─► ratchet ─► table, swapped as a whole ─► lookups, callback
notices ────┘               └► refused: the last good one stays, and grows old

All but the lookups happens in one thread, that of the event loop which refreshes.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from reward_llm.delivery.sdk.carried import continued
from reward_llm.delivery.sdk.change import ClientChange
from reward_llm.delivery.sdk.clock import ServerClock
from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.errors import SnapshotInvalid
from reward_llm.delivery.sdk.fetch import Document, Unchanged
from reward_llm.delivery.sdk.health import Source
from reward_llm.delivery.sdk.logbook import note
from reward_llm.delivery.sdk.lookups import Lookups
from reward_llm.delivery.sdk.prepared import Prepared
from reward_llm.delivery.sdk.ratchet import Ratchet
from reward_llm.delivery.sdk.reading import parse
from reward_llm.delivery.sdk.remembered import Remembered
from reward_llm.delivery.sdk.snapshot import Snapshot
from reward_llm.delivery.sdk.standing import UNKNOWN_AGE, Standing
from reward_llm.delivery.sdk.stream import Heard
from reward_llm.delivery.sdk.table import Table
from reward_llm.delivery.sdk.telling import Telling


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
        self._telling = Telling(config.on_change)
        self.table = Table.empty()
        self.snapshot: Snapshot | None = None
        self.etag: str | None = None
        self.source: Source | None = None
        self.carried = 0
        self.went_back = False
        self._setbacks = 0

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

    @property
    def edge_in_s(self) -> float | None:
        """In how many seconds something begins or ends by schedule that somebody has to be told of."""
        edge = self._telling.next_edge(self.table)
        return None if edge is None else edge - self._clock.now()

    def begin_with(self, remembered: Remembered) -> ClientChange | None:
        """Serve what is remembered from before, as stale, until a service says something; the change is to `tell`."""
        snapshot, age_s = remembered.snapshot, remembered.age_s
        standing = self._standing(
            snapshot, UNKNOWN_AGE if age_s is None else self._monotonic() - age_s, confirmed=False
        )
        self._ratchet.believe(snapshot.revision, snapshot.as_of)
        table = Table.of(snapshot, standing)
        if self._telling.wanted:
            table.find_edges()
        return self._swap(table, snapshot, remembered.etag, remembered.source)

    def prepared(self, document: Document) -> Prepared:
        """Read a document; this is all that takes long, and may be done by another thread.

        Raises:
            SnapshotInvalid: If it isn't a snapshot.
        """
        known, setbacks = self.table, self._setbacks
        snapshot = parse(document.body, known.items)
        return self._prepared(snapshot, document.etag or None, document.sent, known, setbacks, document=document)

    def continued(self, heard: Heard) -> Prepared | None:
        """What the change that a notice carries makes of what is served; None if it doesn't continue that.

        What it makes has the entity tag that the notice says. This may be done by another thread as well.
        """
        known, setbacks, notice = self.table, self._setbacks, heard.notice
        carried = notice.carried
        if carried is None or self.source == "bootstrap" or carried.since != self.etag:
            return None
        try:
            items = continued(known.items, carried, notice.etag)
        except SnapshotInvalid as exc:
            note(logging.INFO, "a change that came with its notice is asked for instead: %s", exc)
            return None
        snapshot = Snapshot(
            revision=notice.revision, as_of=notice.as_of, stale=notice.stale, age_s=notice.age_s, items=items
        )
        return self._prepared(snapshot, notice.etag, self._said_at(heard), known, setbacks)

    def take(self, prepared: Prepared) -> bool:
        """Serve what was prepared, unless it is older than what is served; whether it is now."""
        snapshot, document = prepared.snapshot, prepared.document
        if document is not None:
            self._told(snapshot.as_of.timestamp(), document.sent, document.received)
        table = prepared.table if prepared.setbacks == self._setbacks else prepared.table.anew()
        if self.source == "bootstrap":
            self._ratchet.reset()
        same = table.says_what(self.table)
        if not self._ratchet.admits(snapshot.revision, snapshot.as_of, self._monotonic(), same=same):
            return False
        change = None
        if same:
            self._believed(snapshot.revision, snapshot.age_s, prepared.said_at, stale=snapshot.stale)
            self.snapshot, self.etag = snapshot, prepared.etag
        else:
            self._note_going_back(snapshot.revision)
            change = self._swap(table, snapshot, prepared.etag, "server")
        self._ratchet.believe(snapshot.revision, snapshot.as_of)
        self.carried += document is None
        self.tell(change)
        return True

    def tell(self, change: ClientChange | None) -> None:
        """Call whoever wants to know, if there is a change."""
        self._telling.tell(change)

    def pass_edges(self) -> None:
        """Tell whoever wants to know of what has begun or ended by schedule."""
        self._telling.pass_edges(self.table, self._clock.now())

    def unchanged(self, answer: Unchanged) -> bool:
        """The service says that what is served still holds; whether that is believed."""
        if answer.as_of is not None:
            self._told(answer.as_of.timestamp(), answer.sent, answer.received)
        known = self._ratchet.as_of
        if known is None or not self._ratchet.admits(answer.revision, known, self._monotonic(), same=True):
            return False
        self._believed(answer.revision, answer.age_s, answer.sent, stale=answer.stale)
        self._ratchet.believe(answer.revision, answer.as_of or known)
        return True

    def heard(self, heard: Heard) -> bool:
        """Take note of a notice; whether another snapshot holds, to be had from the notice or by asking."""
        notice = heard.notice
        self._told(notice.as_of.timestamp(), heard.sent, heard.received)
        same = notice.etag == self.etag
        if self.source == "bootstrap":
            return True
        if not self._ratchet.admits(notice.revision, notice.as_of, self._monotonic(), same=same):
            return False
        if same:
            self._believed(notice.revision, notice.age_s, self._said_at(heard), stale=notice.stale)
            self._ratchet.believe(notice.revision, notice.as_of)
        return not same

    def slept(self, seconds: float) -> None:
        """The monotonic clock stood still for so long: all is so much older, and the service's time isn't known."""
        self.table.standing.confirmed_at -= seconds
        self._clock.forget()

    def _prepared(
        self,
        snapshot: Snapshot,
        etag: str | None,
        said_at: float,
        known: Table,
        setbacks: int,
        *,
        document: Document | None = None,
    ) -> Prepared:
        table = Table.of(snapshot, self._standing(snapshot, said_at - snapshot.age_s, confirmed=True))
        table.warm(known, self._clock.now())
        if self._telling.wanted:
            table.find_edges()
        return Prepared(
            snapshot=snapshot,
            table=table,
            etag=etag,
            said_at=said_at,
            setbacks=setbacks,
            document=document,
        )

    def _said_at(self, heard: Heard) -> float:
        return min(heard.received, self._clock.at(heard.notice.as_of.timestamp()))

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

    def _swap(self, table: Table, snapshot: Snapshot, etag: str | None, source: Source) -> ClientChange | None:
        before, first = self.table, self.source is None
        self.table, self.snapshot, self.etag, self.source = table, snapshot, etag, source
        self._lookups.serve(table)
        return self._telling.swapped(before, table, self._clock.now(), first=first)
