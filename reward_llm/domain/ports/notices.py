"""Following what is served."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from reward_llm.domain.notices import NoticeKind, WeightsNotice


class Subscription(Protocol):
    """Somebody who follows what is served."""

    def notices(self) -> AsyncIterator[tuple[NoticeKind, WeightsNotice]]:
        """A heartbeat at once, and then each notice; who is slow gets the newest one and none in between."""
        ...

    def end(self) -> None:
        """End the notices."""
        ...


class Notices(Protocol):
    """Tells whoever follows the weights when others hold, and regularly that they still do."""

    @property
    def subscribers(self) -> int:
        """How many follow."""
        ...

    def subscribe(self, scenarios: frozenset[str] | None) -> AbstractAsyncContextManager[Subscription]:
        """Follow the weights of these scenarios; None is for all.

        Raises:
            TooManySubscribers: If as many follow as may.
        """
        ...

    async def run(self) -> None:
        """Watch what is served until cancelled."""
        ...
