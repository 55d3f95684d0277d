"""Whether an answer may take the place of the last one: never an older one, unless nothing else ever comes."""

from __future__ import annotations

from datetime import UTC, datetime

_Mark = tuple[int, datetime]


class Ratchet:
    """The newest that was believed: its revision, and when the service said so.

    Two processes behind one address may be behind each other for a moment, and a file on a disk for weeks. If for
    `accept_older_after_s` there is nothing but older answers, though, it is the service that went back: its database
    was restored from a backup.

    Args:
        accept_older_after_s: Seconds of nothing but older answers after which they are believed.
    """

    def __init__(self, accept_older_after_s: float) -> None:
        self._accept_older_after_s = accept_older_after_s
        self._mark: _Mark | None = None
        self._older_since: float | None = None
        self.refused = 0

    @property
    def revision(self) -> int | None:
        """The newest that was believed; None at first."""
        return None if self._mark is None else self._mark[0]

    @property
    def as_of(self) -> datetime | None:
        """When the service said so last, by its clock; None at first."""
        return None if self._mark is None else self._mark[1]

    @property
    def behind(self) -> bool:
        """Whether the last answer was older."""
        return self._older_since is not None

    def forget_time(self) -> None:
        """The service's clock was set back, so what it said before isn't later than what it says now."""
        if self._mark is not None:
            self._mark = self._mark[0], datetime.min.replace(tzinfo=UTC)

    def reset(self) -> None:
        """Believe whatever comes next."""
        self._mark = self._older_since = None

    def admits(self, revision: int, as_of: datetime, at: float, *, same: bool) -> bool:
        """Whether an answer may be believed; each that may not is counted.

        Args:
            revision: The answer's.
            as_of: When the service said so, by its clock.
            at: Now, by the monotonic clock.
            same: Whether it says what is believed already; of one revision, only a later answer may say otherwise.
        """
        if self._mark is None or _is_newer(revision, as_of, self._mark, same=same):
            self._older_since = None
            return True
        if self._older_since is None:
            self._older_since = at
        if at - self._older_since >= self._accept_older_after_s:
            return True
        self.refused += 1
        return False

    def believe(self, revision: int, as_of: datetime) -> None:
        """From now on only what isn't older than this is admitted."""
        self._older_since = None
        if self._mark is not None and revision == self._mark[0]:
            as_of = max(as_of, self._mark[1])
        self._mark = revision, as_of


def _is_newer(revision: int, as_of: datetime, than: _Mark, *, same: bool) -> bool:
    known, known_as_of = than
    return revision > known or (revision == known and (same or as_of > known_as_of))
