from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from reward_llm.delivery.board import Board, BoardConfig
from reward_llm.domain.ports import ServingChanges
from tests.activations import activation
from tests.delivery.test_board import Ledger, Time, board_over, freeze
from tests.feeds import until

SELDOM = BoardConfig(refresh_s=3_600)


class Watched(Ledger):
    """A ledger that counts how often it is looked at."""

    looks = 0

    async def serving(self, *, since: int = 0) -> ServingChanges:
        self.looks += 1
        return await super().serving(since=since)


@asynccontextmanager
async def kept(ledger: Ledger, config: BoardConfig = SELDOM) -> AsyncIterator[Board]:
    board = board_over(ledger, Time(), config)
    keeping = asyncio.create_task(board.keep_fresh())
    yield board
    keeping.cancel()
    with suppress(asyncio.CancelledError):
        await keeping


async def test_a_board_that_is_woken_looks_at_once() -> None:
    ledger = Watched()
    async with kept(ledger) as board:
        await until(lambda: ledger.looks == 1)
        ledger.changes.append(activation(1))
        board.wake()
        await until(lambda: board.revision == 1)
        assert ledger.looks == 2


async def test_waking_in_a_storm_is_a_few_looks_and_the_last_change_is_seen() -> None:
    ledger = Watched()
    async with kept(ledger, BoardConfig(refresh_s=3_600, apart_s=0.05)) as board:
        await until(lambda: ledger.looks == 1)
        for number in range(1, 201):
            ledger.changes.append(activation(number))
            board.wake()
            await asyncio.sleep(0)
        await until(lambda: board.revision == 200)
        assert ledger.looks < 100


async def test_a_change_during_a_look_is_found_by_the_next() -> None:
    looking, going_on = asyncio.Event(), asyncio.Event()

    class Slow(Watched):
        async def serving(self, *, since: int = 0) -> ServingChanges:
            found = await super().serving(since=since)
            if self.looks == 2:
                looking.set()
                await going_on.wait()
            return found

    ledger = Slow()
    async with kept(ledger) as board:
        await until(lambda: ledger.looks == 1)
        board.wake()
        await looking.wait()
        ledger.changes.append(activation(1))
        board.wake()
        going_on.set()
        await until(lambda: board.revision == 1)


async def test_a_board_that_nobody_wakes_looks_by_itself() -> None:
    ledger = Watched()
    async with kept(ledger, BoardConfig(refresh_s=0.01)) as board:
        ledger.changes.append(activation(1))
        await until(lambda: board.revision == 1)


async def test_a_board_that_is_woken_while_the_store_is_away_goes_on_trying() -> None:
    ledger = Watched(activation(1))
    ledger.away = True
    async with kept(ledger, BoardConfig(refresh_s=3_600, apart_s=0.001)) as board:
        for looks in (1, 2, 3):
            await until(lambda n=looks: ledger.looks == n)
            board.wake()
        ledger.away = False
        board.wake()
        await until(lambda: board.revision == 1)


async def test_only_refreshes_that_change_something_are_told() -> None:
    ledger, told = Ledger(), []
    board = board_over(ledger)
    board.on_change(lambda: told.append(("first", board.revision)))
    board.on_change(lambda: told.append(("second", board.revision)))
    await board.refresh()
    assert told == []
    ledger.changes += [activation(1), freeze()]
    await board.refresh()
    await board.refresh()
    assert told == [("first", 2), ("second", 2)]
