"""The pages, beside the interface that they are a client of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.routing import Match, Mount

from reward_llm.bootstrap.basics import now
from reward_llm.domain.access import AccessMode
from reward_llm.settings import Settings

if TYPE_CHECKING:
    from fastapi import FastAPI
    from starlette.types import ASGIApp, Receive, Scope, Send

    from reward_llm.console import ConsoleConfig
    from reward_llm.domain.ports import Clock

_INTERFACE: Final = ("/v1", "/ofrep", "/livez", "/readyz", "/metrics", "/openapi.json")
"""Where the interface answers itself, also to say that there is nothing there."""


def console_config(settings: Settings) -> ConsoleConfig:
    """What the pages are told of the settings."""
    from reward_llm.console import ConsoleConfig

    return ConsoleConfig(
        https=(settings.public_url or settings.url).startswith("https:"),
        is_open=AccessMode(settings.access) is AccessMode.OPEN,
        has_provider=settings.oidc_issuer is not None,
        time_zone=settings.time_zone,
    )


def add_console(app: FastAPI, config: ConsoleConfig, clock: Clock = now) -> None:
    """Have the application show pages wherever its interface has nothing, behind the same edge."""
    from reward_llm.console import create_console

    app.router.routes.append(_Pages(create_console(app, config, clock)))


class _Pages(Mount):
    """All paths but the interface's."""

    def __init__(self, console: ASGIApp) -> None:
        super().__init__("", app=console, name="console")

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether a page answers the request."""
        path = scope["path"]
        if any(path == i or path.startswith(f"{i}/") for i in _INTERFACE):
            return Match.NONE, {}
        return super().matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Show the page; what it asks of the interface is counted there."""
        scope.setdefault("state", {})["taken"] = None
        await super().handle(scope, receive, send)
