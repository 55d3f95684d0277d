"""Everything that is served as one document, of which only what changed is encoded again.

board ─► holdings ─► items, encoded ─► what all who may see the same scenarios are sent
         a scope's each, kept          kept until an activation changes, begins or ends

What is much is encoded in small parts, between which lookups are answered: a thread would hold them up for longer,
since only one thread runs at a time. In the end all items are those of one state of the board.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from reward_llm.delivery.board import Board
from reward_llm.delivery.holding import Holding
from reward_llm.domain.scenario import Scope
from reward_llm.domain.serving import EncodedSnapshot

_ETAG_DIGITS: Final = 32
_AT_ONCE: Final = 20
"""How many scopes are encoded before others have their turn, which takes some milliseconds at most."""
_ROUNDS: Final = 3
"""How often what changed meanwhile is encoded in turn with others; what changes faster is then encoded at once."""
_VISIBILITIES: Final = 16
"""For how many choices of scenarios the same state is kept."""


@dataclass(frozen=True, slots=True)
class _Item:
    """A scope as it is encoded, with the hash of that."""

    holding: Holding
    encoded: bytes
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _State:
    """All items of one revision, in [since, until)."""

    revision: int
    since: datetime
    until: datetime | None
    items: tuple[_Item, ...]
    views: dict[frozenset[str] | None, EncodedSnapshot] = field(default_factory=dict)

    def holds(self, revision: int, now: datetime) -> bool:
        """Whether nothing has changed."""
        return revision == self.revision and self.since <= now and (self.until is None or now < self.until)

    def view(self, scenarios: frozenset[str] | None) -> EncodedSnapshot:
        """What somebody sees who sees these scenarios."""
        if scenarios not in self.views:
            if len(self.views) >= _VISIBILITIES:
                del self.views[next(iter(self.views))]
            self.views[scenarios] = self._view(scenarios)
        return self.views[scenarios]

    def _view(self, scenarios: frozenset[str] | None) -> EncodedSnapshot:
        seen = [i for i in self.items if scenarios is None or i.holding.ground.scope.scenario in scenarios]
        joint = hashlib.sha256(b"".join(i.digest for i in seen)).hexdigest()[:_ETAG_DIGITS]
        return EncodedSnapshot(etag=joint, revision=self.revision, parts=tuple(i.encoded for i in seen))


class SnapshotBook:
    """The `reward_llm.domain.ports.Snapshots` of a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._items: dict[Scope, _Item] = {}
        self._state: _State | None = None
        self._renewing = asyncio.Lock()

    async def snapshot(self, now: datetime, scenarios: frozenset[str] | None = None) -> EncodedSnapshot:
        """What holds now in these scenarios, None for all; never less than what the board knew when it was asked."""
        return (await self._current(now)).view(scenarios)

    async def etag(self, now: datetime, scenarios: frozenset[str] | None = None) -> str:
        """The entity tag of that snapshot."""
        return (await self._current(now)).view(scenarios).etag

    async def _current(self, now: datetime) -> _State:
        if (kept := self._kept(now)) is not None:
            return kept
        async with self._renewing:
            if (kept := self._kept(now)) is not None:
                return kept
            for _ in range(_ROUNDS):
                outdated = self._outdated(now)
                if len(outdated) <= _AT_ONCE:
                    break
                for part in _parts(outdated):
                    self._encode(part, now)
                    await asyncio.sleep(0)
            else:
                outdated = self._outdated(now)
            self._encode(outdated, now)
            self._state = self._all(now)
            return self._state

    def _kept(self, now: datetime) -> _State | None:
        state = self._state
        return state if state is not None and state.holds(self._board.revision, now) else None

    def _outdated(self, now: datetime) -> list[Scope]:
        kept, items = self._board.kept_holding, self._items
        return [s for s in self._board.scopes if (i := items.get(s)) is None or i.holding is not kept(s, now)]

    def _encode(self, scopes: Sequence[Scope], now: datetime) -> None:
        for scope in scopes:
            holding = self._board.holding(scope, now)
            encoded = holding.item()
            self._items[scope] = _Item(holding, encoded, hashlib.sha256(encoded).digest())

    def _all(self, now: datetime) -> _State:
        items = tuple(self._items[s] for s in self._board.scopes)
        edges = (i.holding.until for i in items)
        return _State(
            revision=self._board.revision,
            since=now,
            until=min((e for e in edges if e is not None), default=None),
            items=items,
        )


def _parts(scopes: Sequence[Scope]) -> Iterator[Sequence[Scope]]:
    for start in range(0, len(scopes), _AT_ONCE):
        yield scopes[start : start + _AT_ONCE]
