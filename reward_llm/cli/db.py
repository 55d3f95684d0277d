"""`reward-llm db`: the database's schema."""

from __future__ import annotations

import typer

from reward_llm.cli.options import JsonOption
from reward_llm.cli.output import console, print_json

app = typer.Typer(no_args_is_help=True, help="The database's schema.")


@app.command()
def upgrade(*, as_json: JsonOption = False) -> None:
    """Bring the database to the newest schema; nothing is lost."""
    from reward_llm import bootstrap

    settings = bootstrap.load_settings()
    bootstrap.upgrade_store(settings)
    _print_status(bootstrap.store_revision(settings), as_json)


@app.command()
def status(*, as_json: JsonOption = False) -> None:
    """Say which schema the database has; exits with 1 if there is a newer one."""
    from reward_llm import bootstrap
    from reward_llm.store import newest_revision

    found = bootstrap.store_revision(bootstrap.load_settings())
    _print_status(found, as_json)
    if found != newest_revision():
        raise typer.Exit(1)


def _print_status(found: str | None, as_json: bool) -> None:
    from reward_llm.store import newest_revision

    newest = newest_revision()
    if as_json:
        print_json({"revision": found, "newest": newest, "up_to_date": found == newest})
    elif found == newest:
        console().print(f"The database is up to date (schema {found}).")
    else:
        console().print(
            f"The database has schema {found or 'none'}; the newest is {newest}. Run `reward-llm db upgrade`."
        )
