"""Agents that live by real events."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Annotated, Any

import typer

app = typer.Typer(no_args_is_help=True, help="The agents that live by events.")


@app.callback()
def _agents() -> None:
    """A callback makes a group of this although it has one command."""


@app.command()
def worker(
    database_url: Annotated[
        str | None,
        typer.Option("--database-url", help="The service's, which names the state that is kept for it."),
    ] = None,
) -> None:
    """Keep the agents' state up with the events of the broker, until it is stopped.

    Several workers share the events; one that is killed loses none.
    """
    from reward_llm import bootstrap
    from reward_llm.cli.serve import configure_logging

    settings = bootstrap.load_settings(database_url=database_url)
    configure_logging(settings.log_level)
    asyncio.run(until_stopped(bootstrap.run_agents_worker(settings)))


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Work until a signal says to stop; the work may end what it is doing then."""
    task = asyncio.create_task(work)
    loop = asyncio.get_running_loop()
    for stop in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(stop, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        if not task.cancelled():
            raise
