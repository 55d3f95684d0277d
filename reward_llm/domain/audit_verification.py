"""Whether an audit log is what was written: every record, in its place, up to its end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from reward_llm.domain.audit import GENESIS, AuditRecord, Checkpoint, Link, LogHead
from reward_llm.domain.audit_flaws import Flaw, FlawKind, Unreadable, Verification
from reward_llm.domain.replay import PatchRefused, State, apply, first_difference

_FOREVER: Final = 2**63


class Verifier:
    """Takes a log's records in turn and remembers the first flaw.

    `start` is where the records before the first one ended, if they are known; without it, a log that begins at
    `first` is taken at its word for what was before. A log from its beginning is replayed as well.
    """

    def __init__(
        self, checkpoints: Iterable[Checkpoint] = (), *, first: int = 1, start: LogHead | None = None
    ) -> None:
        known = start or (LogHead() if first == 1 else None)
        self._trusting = known is None
        self._sequence = known.sequence if known else first - 1
        self._hash = known.hash if known else None
        self._chains: dict[str, Link] = dict(known.chains) if known else {}
        self._waiting = sorted((c for c in checkpoints if c.sequence > self._sequence), key=lambda c: c.sequence)
        self._signed_until = self._sequence
        self._state: State | None = {} if self._sequence == 0 else None
        self._result = Verification(records=0, head=known or LogHead(sequence=first - 1))

    @property
    def flaw(self) -> Flaw | None:
        """The first flaw, None so far."""
        return self._result.flaw

    @property
    def next_sequence(self) -> int:
        """The record that is to come."""
        return self._sequence + 1

    def take(self, record: AuditRecord | Unreadable) -> Flaw | None:
        """Look at the next record; gives the first flaw, after which the rest doesn't count."""
        if self.flaw is None:
            flaw = self._look(record)
            self._result = replace(self._result, flaw=flaw)
            if flaw is None:
                self._result = replace(self._result, records=self._result.records + 1, head=self._head())
        return self.flaw

    def finish(self, *, state: Mapping[str, Mapping[str, Any]] | None = None) -> Verification:
        """The outcome, once all records were taken.

        Args:
            state: What the store holds, to be compared with what the records replay to.
        """
        if self.flaw is None and self._waiting:
            return replace(self._result, flaw=self._cut_off(self._waiting[-1]))
        if self.flaw is not None or state is None or self._state is None:
            return self._result
        path = first_difference(self._state, state)
        return replace(self._result, compared=True, flaw=_differs(path) if path else None)

    def _head(self) -> LogHead:
        return LogHead(sequence=self._sequence, hash=self._hash or GENESIS, chains=dict(self._chains))

    def _look(self, record: AuditRecord | Unreadable) -> Flaw | None:
        if isinstance(record, Unreadable):
            return Flaw(
                kind=FlawKind.UNREADABLE,
                sequence=self.next_sequence,
                message=f"what stands in record {self.next_sequence}'s place can't be read: {record.problem}",
            )
        flaw = _misplaced(record, self.next_sequence) or _changed(record) or self._unlinked(record)
        if flaw is None:
            self._sequence, self._hash = record.sequence, record.hash
            self._chains[record.chain] = Link(record.position, record.hash)
            flaw = self._misapplied(record) or self._not_as_signed(record)
        return flaw

    def _unlinked(self, record: AuditRecord) -> Flaw | None:
        if self._hash is not None and record.preceding_hash != self._hash:
            return _flaw(record, FlawKind.UNLINKED, _follows_another(record, f"record {self._sequence}"))
        end = self._chains.get(record.chain)
        if end is None and self._trusting and record.position > 1:
            return None
        end = end or Link(0, GENESIS)
        if (record.position, record.previous_hash) != (end.position + 1, end.hash):
            before = f"position {end.position} of its chain {record.chain!r}"
            return _flaw(record, FlawKind.UNLINKED, _follows_another(record, before))
        return None

    def _misapplied(self, record: AuditRecord) -> Flaw | None:
        if self._state is None:
            return None
        try:
            apply(self._state, record.patch)
        except PatchRefused as exc:
            message = f"record {record.sequence} changes what wasn't as it says: {exc}"
            return _flaw(record, FlawKind.PATCH_REFUSED, message)
        return None

    def _not_as_signed(self, record: AuditRecord) -> Flaw | None:
        while self._waiting and self._waiting[0].sequence == record.sequence:
            signed = self._waiting.pop(0)
            if signed.hash != record.hash or (not self._trusting and dict(signed.chains) != self._chains):
                message = (
                    f"record {record.sequence} isn't the one that the checkpoint of {signed.at.isoformat()} signed: "
                    f"it or one after record {self._signed_until} was rewritten"
                )
                return _flaw(record, FlawKind.NOT_AS_SIGNED, message)
            count = self._result.checkpoints + 1
            self._result = replace(self._result, checkpoints=count, last_checkpoint=signed)
            self._signed_until = record.sequence
        return None

    def _cut_off(self, signed: Checkpoint) -> Flaw:
        return Flaw(
            kind=FlawKind.CUT_OFF,
            sequence=self.next_sequence,
            message=(
                f"record {self.next_sequence} is missing: the log ends before it, and a checkpoint of "
                f"{signed.at.isoformat()} signed records up to {signed.sequence}"
            ),
        )


def verify(
    records: Iterable[AuditRecord | Unreadable],
    checkpoints: Sequence[Checkpoint] = (),
    *,
    state: Mapping[str, Mapping[str, Any]] | None = None,
    first: int = 1,
    last: int | None = None,
) -> Verification:
    """Walk a log, or its part from `first` to `last`, up to the first flaw.

    Checkpoints must be known to be genuine. The one of the record before `first` vouches for what was before.
    """
    start = next((c.head for c in checkpoints if c.sequence == first - 1), None)
    until = _FOREVER if last is None else last
    within = [c for c in checkpoints if c.sequence <= until]
    verifier = Verifier(within, first=first, start=start)
    for record in _until_flawed(records, verifier):
        verifier.take(record)
    return _short_of(verifier.finish(state=state), last)


def _until_flawed(
    records: Iterable[AuditRecord | Unreadable], verifier: Verifier
) -> Iterator[AuditRecord | Unreadable]:
    for record in records:
        if verifier.flaw is not None:
            return
        yield record


def _short_of(result: Verification, last: int | None) -> Verification:
    if result.flaw is not None or last is None or result.head.sequence == last:
        return result
    found = result.head.sequence
    if found < last:
        message = f"record {found + 1} is missing: the part was to end with record {last}"
        return replace(result, flaw=Flaw(kind=FlawKind.CUT_OFF, sequence=found + 1, message=message))
    message = f"the part was to end with record {last}, and goes on to record {found}"
    return replace(result, flaw=Flaw(kind=FlawKind.OUT_OF_PLACE, sequence=last + 1, message=message))


def _misplaced(record: AuditRecord, expected: int) -> Flaw | None:
    if record.sequence == expected:
        return None
    if isinstance(record.sequence, int) and record.sequence > expected:
        return Flaw(
            kind=FlawKind.MISSING,
            sequence=expected,
            message=f"record {expected} is missing: record {record.sequence} stands in its place",
        )
    message = f"record {record.sequence} stands where record {expected} should"
    return _flaw(record, FlawKind.OUT_OF_PLACE, message)


def _changed(record: AuditRecord) -> Flaw | None:
    if record.hash == record.computed_hash:
        return None
    return _flaw(record, FlawKind.CHANGED, f"record {record.sequence} was changed: its hash is another's")


def _follows_another(record: AuditRecord, before: str) -> str:
    return f"record {record.sequence} wasn't written after {before}: one of the two was put in or changed"


def _flaw(record: AuditRecord, kind: FlawKind, message: str) -> Flaw:
    return Flaw(kind=kind, sequence=record.sequence, chain=record.chain, message=message)


def _differs(path: str) -> Flaw:
    return Flaw(
        kind=FlawKind.STATE_DIFFERS,
        message=f"the store doesn't hold what the log says at {path}: it was written past it",
    )
