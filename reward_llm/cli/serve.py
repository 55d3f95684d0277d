"""`reward-llm serve`: the web service."""

from __future__ import annotations

import gc
import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from rich.console import Console
from rich.text import Text

from reward_llm.errors import ConfigurationInvalid, StoreUnavailable

if TYPE_CHECKING:
    from fastapi import FastAPI

_GRACE_S: Final = 15
"""How long requests may take to end once the service is told to stop."""
_LET_ANYBODY_IN: Final = "--let-anybody-in"
_OPEN: Final = "access is open, and {host} can be reached from outside: whoever reaches it can change the weights"
_OPEN_HINT: Final = (
    "set REWARD_LLM_ACCESS=tokens, and make the first token with `reward-llm tokens create --role admin`; "
    f"{_LET_ANYBODY_IN} serves all the same, for a proxy in front that checks who asks"
)


def serve(
    *,
    dev: Annotated[
        bool, typer.Option("--dev", help="For this machine alone: loopback, and the database is brought up to date.")
    ] = False,
    host: Annotated[str | None, typer.Option("--host", help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option("--port", min=0, max=65_535)] = None,
    database_url: Annotated[
        str | None,
        typer.Option("--database-url", help="Such as sqlite:///reward_llm.db or postgresql://user@host/name."),
    ] = None,
    backend: Annotated[
        Literal["embedded", "vllm", "rules"] | None, typer.Option("--backend", help="Who reads goals first.")
    ] = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="A Qwen2 checkpoint for the embedded backend.")
    ] = None,
    read_only: Annotated[
        bool,
        typer.Option("--read-only", help="Only look weights up: no model is loaded, and nothing can be changed."),
    ] = False,
    let_anybody_in: Annotated[
        bool, typer.Option(_LET_ANYBODY_IN, help="Serve without access control where others can reach it.")
    ] = False,
) -> None:
    """Run the service until it is stopped."""
    with _loading():
        from reward_llm import bootstrap

        settings = bootstrap.load_settings(
            host=host, port=port, database_url=database_url, backend=backend, checkpoint=checkpoint
        )
        is_exposed = settings.access == "open" and not is_loopback(settings.host)
        if is_exposed and not (dev or let_anybody_in):
            raise ConfigurationInvalid(_OPEN.format(host=settings.host), hint=_OPEN_HINT)
        people = Console(stderr=True, highlight=False, soft_wrap=True)
        if dev:
            _check_loopback(settings.host)
            bootstrap.upgrade_store(settings)
        elif read_only:
            try:
                bootstrap.check_known_schema(settings)
            except StoreUnavailable as exc:
                people.print(
                    Text.assemble(("warning: ", "bold red"), f"unready, the database is away: {exc.message}")
                )
        else:
            _check_schema(bootstrap.store_revision(settings))
        if is_exposed:
            people.print(Text.assemble(("warning: ", "bold red"), _OPEN.format(host=settings.host)))
        configure_logging(settings.log_level)
        app = (bootstrap.build_lookup_app if read_only else bootstrap.build_app)(settings)
        where = f"[{settings.host}]" if ":" in settings.host else settings.host
        doing = "weights looked up only" if read_only else f"goals read by: {settings.backend}"
        people.print(Text(f"reward-llm at http://{where}:{settings.port}, {doing}"))
    _run(app, settings.host, settings.port, settings.log_level)


@contextmanager
def _loading() -> Iterator[None]:
    """What is loaded stays; not to look through it for garbage again and again saves an eighth of a start."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _run(app: FastAPI, host: str, port: int, log_level: str) -> None:
    import uvicorn

    from reward_llm.api.redaction import standard_logging
    from reward_llm.cli.express_protocol import ExpressProtocol

    uvicorn.run(
        app,
        host=host,
        port=port,
        http=ExpressProtocol,
        loop="asyncio" if sys.platform == "win32" else "uvloop",
        log_level=log_level,
        log_config=standard_logging(log_level),
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_GRACE_S,
    )


def _check_loopback(host: str) -> None:
    if not is_loopback(host):
        raise ConfigurationInvalid(
            f"--dev listens on loopback alone, not on {host}", hint="leave --dev out, or --host"
        )


def _check_schema(found: str | None) -> None:
    from reward_llm import bootstrap
    from reward_llm.store import newest_revision

    bootstrap.check_schema(found, newest_revision())


def configure_logging(level: str) -> None:
    """Log to standard error: lines for people in a terminal, JSON everywhere else.

    Tracebacks come without the values of variables, and nothing with what looks like a secret.
    """
    import structlog

    from reward_llm.api.redaction import redacted_line, redacted_values

    tracebacks = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    shape: list[Any] = [
        structlog.processors.ExceptionRenderer(tracebacks),
        structlog.processors.JSONRenderer(ensure_ascii=False),
    ]
    if sys.stderr.isatty():
        formatter = structlog.dev.RichTracebackFormatter(show_locals=False)
        shape = [structlog.dev.ConsoleRenderer(exception_formatter=formatter)]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            redacted_values,
            *shape,
            redacted_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone.

    >>> [is_loopback(h) for h in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "example.org")]
    [True, True, True, False, False]
    """
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
