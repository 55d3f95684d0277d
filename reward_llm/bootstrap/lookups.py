"""The service that only looks weights up, and what it has in common with the whole one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from reward_llm.bootstrap.basics import load_all_scenarios, now
from reward_llm.bootstrap.edge import build_edge
from reward_llm.bootstrap.feeds import build_feed, build_hub
from reward_llm.domain.access import AccessMode
from reward_llm.domain.scenario import Scenario
from reward_llm.errors import ConfigurationInvalid, StoreUnavailable
from reward_llm.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI

    from reward_llm.delivery.board import Board
    from reward_llm.store.database import Database

_SCHEMA_S: Final = 3.0
"""How long the start of a service that can do without it waits for the database to tell its schema."""


def build_lookup_app(settings: Settings) -> FastAPI:
    """The web service that only looks weights up: it starts without a model, and changes nothing."""
    from reward_llm.api.config import ApiConfig
    from reward_llm.api.lookup_services import LookupServices
    from reward_llm.api.lookups import create_lookup_app
    from reward_llm.delivery.snapshot import SnapshotBook
    from reward_llm.store.access import SqlAccess
    from reward_llm.store.database import Database

    scenarios = load_all_scenarios(settings)
    database = Database.open(settings.database_url)
    board = build_board(settings, database, scenarios)
    snapshots = SnapshotBook(board)
    return create_lookup_app(
        LookupServices(
            store=database,
            board=board,
            snapshots=snapshots,
            notices=build_hub(settings, board, snapshots, now),
            feed=build_feed(settings),
            scenarios=scenarios,
            clock=now,
            tokens=SqlAccess(database),
            config=ApiConfig(access=AccessMode(settings.access), edge=build_edge(settings)),
            closers=(database.aclose,),
        )
    )


def build_board(settings: Settings, database: Database, scenarios: Mapping[str, Scenario]) -> Board:
    """What is served, in memory."""
    from reward_llm.delivery.board import Board, BoardConfig
    from reward_llm.store.serving_log import SqlServingLog

    config = BoardConfig(refresh_s=settings.refresh_s, stale_after_s=settings.stale_after_s)
    return Board(store=SqlServingLog(database), scenarios=scenarios, clock=now, config=config)


def check_known_schema(settings: Settings) -> None:
    """Accept a database that has the newest schema.

    Raises:
        ConfigurationInvalid: If it has another.
        StoreUnavailable: If it can't be read within some seconds.
    """
    from reward_llm.store.schema import packaged_revision, stored_revision

    async def read() -> str | None:
        async with asyncio.timeout(_SCHEMA_S):
            return await stored_revision(settings.database_url)

    try:
        found = asyncio.run(read())
    except TimeoutError as exc:
        raise StoreUnavailable(f"no answer within {_SCHEMA_S:g} s") from exc
    check_schema(found, packaged_revision())


def check_schema(found: str | None, newest: str | None) -> None:
    """Accept the newest schema.

    Raises:
        ConfigurationInvalid: If it is another.
    """
    if found != newest:
        raise ConfigurationInvalid(
            f"the database has schema {found or 'none'}, the newest is {newest}",
            hint="run `reward-llm db upgrade` first",
        )
