"""Reading the database for who knows of a change that this process doesn't know of yet."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

from reward_llm.api.shared import Shared
from reward_llm.domain.ports import WeightsBoard
from reward_llm.errors import StoreUnavailable

_WAIT_S: Final = 0.25
"""How long an answer waits; what is served then says itself how old it is."""


class CatchingUp:
    """Refreshes a board for all who wait for it at once."""

    def __init__(self, board: WeightsBoard) -> None:
        self._board = board
        self._refresh = Shared(board.refresh)

    async def __call__(self, revision: int | None) -> None:
        """Have the board know of so many changes, if the database does and answers in time."""
        if revision is None or self._board.revision >= revision:
            return
        with suppress(StoreUnavailable, TimeoutError):  # the answer's age and revision tell of it
            async with asyncio.timeout(_WAIT_S):
                await self._refresh()
                if self._board.revision < revision:  # that one may have begun before the change was committed
                    await self._refresh()
