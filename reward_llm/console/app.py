"""The application that the pages are.

browser ─► page ─► the interface, in the process, with the browser's own credentials ─► template
"""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp

from reward_llm.console import problems
from reward_llm.console.config import ConsoleConfig
from reward_llm.console.frame import STATIC_DIR, Area, Frame
from reward_llm.console.in_process import InProcess
from reward_llm.console.pages import (
    audit,
    controllers,
    experiments,
    goal_steps,
    goals,
    health,
    home,
    languages,
    lookup,
    policies,
    prompts,
    ranker,
    scopes,
    searches,
    sign_in,
    simulations,
)
from reward_llm.console.static_files import StaticFiles
from reward_llm.domain.ports import Clock

AREAS: Final[tuple[Area, ...]] = (
    home.AREA,
    goals.AREA,
    goal_steps.AREA,
    policies.AREA,
    scopes.AREA,
    lookup.AREA,
    prompts.AREA,
    ranker.AREA,
    simulations.AREA,
    searches.AREA,
    experiments.AREA,
    controllers.AREA,
    audit.AREA,
    health.AREA,
    sign_in.AREA,
    languages.AREA,
)
"""In the order of the navigation."""
_COMPRESSED_FROM_BYTES: Final = 700


def create_console(interface: ASGIApp, config: ConsoleConfig, clock: Clock) -> FastAPI:
    """The pages over an interface, which is called within the process."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.state.frame = Frame(config, InProcess(interface), clock, AREAS)
    for area in AREAS:
        app.include_router(area.router)
    app.mount("/static", StaticFiles(STATIC_DIR))
    app.add_middleware(GZipMiddleware, minimum_size=_COMPRESSED_FROM_BYTES)
    problems.install(app)
    return app
