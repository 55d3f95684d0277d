"""The last answers that said that the service failed, kept in memory for whoever looks after it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reward_llm.api.redaction import redact

KEPT: Final = 50
_MAX_CHARS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentError:
    """One answer with a status of 500 or more; `detail` has no secrets."""

    at: datetime
    method: str
    path: str
    status: int
    code: str
    detail: str
    request_id: str


class RecentErrors:
    """The last of them in this process; a restart forgets them, and the log has them all."""

    def __init__(self) -> None:
        self._kept: deque[RecentError] = deque(maxlen=KEPT)

    def add(self, error: RecentError) -> None:
        """Keep one."""
        self._kept.appendleft(error)

    def newest_first(self) -> Sequence[RecentError]:
        """All that are kept."""
        return tuple(self._kept)


def shown(text: str) -> str:
    """A text as it may be shown: without secrets, and not at any length."""
    return redact(text)[:_MAX_CHARS]
