"""What looking weights up is given: all that a process that only serves them needs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from reward_llm.api.config import ApiConfig
from reward_llm.domain.ports import AccessStore, ChangeFeed, Clock, Notices, Snapshots, WeightsBoard
from reward_llm.domain.scenario import Scenario


class Answering(Protocol):
    """A database, as far as the readiness probe asks for it."""

    async def ping(self) -> None:
        """Do nothing, if it answers.

        Raises:
            StoreUnavailable: If it doesn't.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LookupServices:
    """The collaborators of looking weights up.

    The works of `background` are done while the application runs, until they are cancelled; `closers` run when it
    shuts down, in order.
    """

    store: Answering
    board: WeightsBoard
    snapshots: Snapshots
    notices: Notices
    feed: ChangeFeed
    scenarios: Mapping[str, Scenario]
    clock: Clock
    tokens: AccessStore
    config: ApiConfig = field(default_factory=ApiConfig)
    background: tuple[Callable[[], Coroutine[Any, Any, None]], ...] = ()
    closers: tuple[Callable[[], Awaitable[None]], ...] = ()
