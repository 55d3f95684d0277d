"""What a process holds of the agents' state, with the versions that it has of it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final, Generic, TypeVar

from reward_llm.agents.live.config import StateConfig
from reward_llm.agents.live.counts import Counts
from reward_llm.agents.live.stores import StateStore
from reward_llm.agents.live.user_state import UserState

T = TypeVar("T")

MAX_USERS: Final = 20_000
MAX_ITEMS: Final = 100_000
_NO_COUNTS: Final = Counts()


class Held(Generic[T]):
    """The newest versions that somebody had of things, of which the ones not used for longest are dropped."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._things: OrderedDict[tuple[str, str], tuple[int, T]] = OrderedDict()

    def put(self, scenario: str, name: str, version: int, thing: T) -> None:
        """Hold this version."""
        self._things[scenario, name] = version, thing
        self._things.move_to_end((scenario, name))
        if len(self._things) > self._most:
            self._things.popitem(last=False)

    def get(self, scenario: str, name: str) -> tuple[int, T] | None:
        """The version that is held, and the thing."""
        return self._things.get((scenario, name))

    def take(self, scenario: str, name: str) -> tuple[int, T] | None:
        """The same, which isn't held any more."""
        return self._things.pop((scenario, name), None)


class StateReader:
    """Reads states, of which the store sends only those that have changed since they were read last.

    Args:
        store: Where they are kept.
        config: How users are kept.
    """

    def __init__(self, store: StateStore, config: StateConfig) -> None:
        self._store = store
        self._config = config
        self._users: Held[UserState] = Held(MAX_USERS)
        self._items: Held[Counts] = Held(MAX_ITEMS)

    async def read(self, scenario: str, user: str, items: Iterable[str]) -> tuple[UserState, Mapping[str, Counts]]:
        """A user and some items as they are now.

        Raises:
            EventsUnavailable: If the store is away.
        """
        held_user = self._users.get(scenario, user)
        held = {item: self._items.get(scenario, item) or (0, _NO_COUNTS) for item in items}
        versions = {item: version for item, (version, _) in held.items()}
        changed = await self._store.changed(scenario, {user: held_user[0] if held_user else 0}, versions)
        state = held_user[1] if held_user else UserState(self._config)
        for name, (version, record) in changed.users.items():
            state = UserState.read(self._config, record)
            self._users.put(scenario, name, version, state)
        for name, (version, counts) in changed.items.items():
            self._items.put(scenario, name, version, counts)
        return state, {item: changed.items.get(item, held[item])[1] for item in held}
