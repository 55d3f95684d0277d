"""`reward-llm audit`: who did what, and whether the log still says so."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from reward_llm.cli import audit_export, audit_keys
from reward_llm.cli.audit_display import show_record, show_records, show_verification
from reward_llm.cli.groups import ListByDefault
from reward_llm.cli.options import CursorOption, JsonOption, LimitOption
from reward_llm.cli.output import console, print_json, print_next_page
from reward_llm.errors import ConfigurationInvalid

app = typer.Typer(cls=ListByDefault, help="Who did what, when and why; and whether the log still says so.")
app.command()(audit_export.export)
app.command()(audit_keys.checkpoint)
app.command()(audit_keys.keygen)


@app.command("list")
def list_records(  # noqa: PLR0913 - an option a filter
    *,
    subject: Annotated[str | None, typer.Option("--subject", help="Of this goal, policy, … alone.")] = None,
    actor: Annotated[str | None, typer.Option("--actor", help="What this actor did.")] = None,
    action: Annotated[str | None, typer.Option("--action", help="What the action begins with.")] = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", help="Of this scenario alone; - for what belongs to none.")
    ] = None,
    request: Annotated[str | None, typer.Option("--request", help="Of the request with this id.")] = None,
    since: Annotated[str | None, typer.Option("--since", help="From this moment on, with a UTC offset.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Before this moment, with a UTC offset.")] = None,
    cursor: CursorOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """Audit records, newest first."""
    from reward_llm.cli.client import connect

    sought = {"subject": subject, "actor": actor, "action": action, "scenario": scenario, "request_id": request}
    page = connect().get("audit", **sought, since=since, until=until, cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    show_records(console(), page["items"])
    print_next_page(page)


@app.command()
def show(
    sequence: Annotated[int, typer.Argument(metavar="SEQUENCE", min=1, help="The record's number.")],
    *,
    as_json: JsonOption = False,
) -> None:
    """One audit record, with every value before and after."""
    from reward_llm.cli.client import connect

    record = connect().get("audit", str(sequence))
    if as_json:
        print_json(record)
        return
    show_record(console(), record)


@app.command()
def verify(
    file: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, help="An exported file; the service's own log if left out."),
    ] = None,
    *,
    checkpoints: Annotated[
        str | None, typer.Option("--checkpoints", help="The folder or bucket with signed checkpoints.")
    ] = None,
    key: Annotated[Path | None, typer.Option("--key", help="The public key that they are checked with.")] = None,
    first: Annotated[int, typer.Option("--from", min=1, help="The record that the file begins with.")] = 1,
    last: Annotated[int | None, typer.Option("--to", min=1, help="The record that the file ends with.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Verify the audit log, and name the first bad record; exits with 1 if there is one.

    Without checkpoints nobody can tell from a file whether its newest records were cut off.
    """
    if file is None:
        if checkpoints or key or first != 1 or last:
            raise ConfigurationInvalid(
                "the service verifies all of its log, against its own checkpoints",
                hint="Name a FILE for --checkpoints, --key, --from and --to.",
            )
        found = _verified_by_the_service()
    else:
        found = _verified_here(file, checkpoints, key, first, last)
    if as_json:
        print_json(found)
    else:
        show_verification(console(), found)
    if not found["intact"]:
        raise typer.Exit(1)


def _verified_by_the_service() -> Any:
    from reward_llm.cli.client import connect

    return connect().get("audit", "verification")


def _verified_here(file: Path, checkpoints: str | None, key: Path | None, first: int, last: int | None) -> Any:
    from reward_llm.api.wire.audit import VerificationWire
    from reward_llm.domain.audit_verification import verify as verified
    from reward_llm.validation.audit_export import read_export

    known = audit_keys.genuine_checkpoints(checkpoints, key)
    with file.open("rb") as lines:
        verification = verified(read_export(lines), known, first=first, last=last)
    return VerificationWire.of(verification).model_dump(mode="json")
