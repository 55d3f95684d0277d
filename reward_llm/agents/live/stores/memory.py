"""The agents' state in the memory of one process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Final, TypeVar

from reward_llm.agents.live.counts import Counts
from reward_llm.agents.live.stores import Changed, UserRecord, UserWrite, Versions

T = TypeVar("T")

MAX_KEPT: Final = 200_000
"""How many users and how many items are kept; those that changed longest ago are forgotten."""

_Key = tuple[str, str]
_NOBODY: Final = (0, UserRecord())


class MemoryStates:
    """A `reward_llm.agents.live.stores.StateStore` that a restart empties.

    Args:
        max_kept: How many users and how many items are kept.
    """

    def __init__(self, max_kept: int = MAX_KEPT) -> None:
        self._max_kept = max_kept
        self._users: OrderedDict[_Key, tuple[int, UserRecord]] = OrderedDict()
        self._items: OrderedDict[_Key, tuple[int, Mapping[str, int]]] = OrderedDict()

    async def changed(self, scenario: str, users: Versions, items: Versions) -> Changed:
        """What has another version."""
        found = {name: self._users.get((scenario, name), _NOBODY) for name in users}
        counted = {name: self._items.get((scenario, name), (0, {})) for name in items}
        return Changed(
            users={name: known for name, known in found.items() if known[0] != users[name]},
            items={
                name: (version, Counts.read(numbers))
                for name, (version, numbers) in counted.items()
                if version != items[name]
            },
        )

    async def write(self, scenario: str, writes: Sequence[UserWrite]) -> list[bool]:
        """Write those that have the version that was read."""
        return [self._write(scenario, write) for write in writes]

    async def publish(self, scenario: str, published_ms: Mapping[str, int]) -> None:
        """Note when items were published."""
        for item, at_ms in published_ms.items():
            version, numbers = self._items.get((scenario, item), (0, {}))
            if at_ms < numbers.get("published_ms", at_ms + 1):
                self._put(self._items, (scenario, item), (version + 1, {**numbers, "published_ms": at_ms}))

    async def aclose(self) -> None:
        """Nothing is connected."""

    def _write(self, scenario: str, write: UserWrite) -> bool:
        version, kept = self._users.get((scenario, write.user), _NOBODY)
        if version != write.version:
            return False
        recent = {**kept.recent, **write.added}
        for event_id in write.removed:
            recent.pop(event_id, None)
        record = UserRecord(settled=write.settled or kept.settled, recent=recent)
        self._put(self._users, (scenario, write.user), (version + 1, record))
        for item, added in write.additions.items():
            number, before = self._items.get((scenario, item), (0, {}))
            after = {**before, **{name: before.get(name, 0) + count for name, count in added.items()}}
            self._put(self._items, (scenario, item), (number + 1, after))
        return True

    def _put(self, kept: OrderedDict[_Key, T], key: _Key, thing: T) -> None:
        kept[key] = thing
        kept.move_to_end(key)
        if len(kept) > self._max_kept:
            kept.popitem(last=False)
