"""`reward-llm tokens`: who may use the service."""

from __future__ import annotations

import getpass
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from reward_llm.cli.groups import ListByDefault
from reward_llm.cli.options import JsonOption
from reward_llm.cli.output import console, print_json, table
from reward_llm.domain.access import Grant, Role
from reward_llm.domain.tokens import DEFAULT_DAYS, MAX_DAYS

app = typer.Typer(cls=ListByDefault, help="API tokens: who may use the service.")

_KEEP: Final = "Keep it now: it is shown this once. Show it to the service with REWARD_LLM_TOKEN."


@app.command("list")
def list_tokens(
    *,
    ended: Annotated[bool, typer.Option("--ended", help="Those that are expired or revoked as well.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Tokens that one administers, newest first."""
    from reward_llm.cli.client import connect

    found = connect().get("tokens", ended="true" if ended else None)
    if as_json:
        print_json(found)
        return
    rows = table("token", "name", "may", "state", "made by", "until", "last used")
    for token in found["items"]:
        rows.add_row(
            token["id"],
            token["name"],
            Text(", ".join(_grant_text(g) for g in token["grants"])),
            token["state"],
            Text(token["created_by"]),
            token["expires_at"][:10],
            (token["last_used_at"] or "never")[:16],
        )
    console().print(rows)


@app.command()
def create(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Who acts, as the audit log is to have it; your own if none.")
    ] = None,
    *,
    role: Annotated[Role, typer.Option("--role", help="What it may do.")],
    scenario: Annotated[
        list[str] | None, typer.Option("--scenario", help="Where, once for each scenario; everywhere if left out.")
    ] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=MAX_DAYS, help="How long it holds.")] = DEFAULT_DAYS,
    reason: Annotated[str, typer.Option("--reason", help="Why; the audit log keeps it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """Make a token, and show it once.

    With REWARD_LLM_TOKEN the service is asked, and that token's owner must administer what is granted. Without it the
    token is written into the database of the settings: that is how whoever runs the machine makes the first one.
    """
    from reward_llm import bootstrap

    settings = bootstrap.load_settings()
    wanted = name or _own_name()
    grants = [Grant(role=role, scenario=s) for s in scenario] if scenario else [Grant(role=role)]
    if settings.token is not None:
        made = _ask_for(wanted, grants, days, reason)
    else:
        made = _write(wanted, grants, days, reason)
    if as_json:
        print_json(made)
        return
    console().print(made["token"], soft_wrap=True)
    Console(stderr=True, highlight=False, soft_wrap=True).print(
        f"{made['name']} may be {', '.join(str(g) for g in grants)} until {made['expires_at'][:10]}. {_KEEP}"
    )


@app.command()
def revoke(
    token: Annotated[str, typer.Argument(metavar="ID", help="The token's id: the 8 characters behind rlm_.")],
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; the audit log keeps it.")] = "",
    as_json: JsonOption = False,
) -> None:
    """End a token; it is turned away within 10 seconds."""
    from reward_llm.cli.client import connect

    answer = connect().post("tokens", token, "revocation", document={"reason": reason})
    if as_json:
        print_json(answer)
        return
    console().print(f"{answer['name']} ({answer['id']}) is revoked.")


def _ask_for(name: str, grants: list[Grant], days: int, reason: str) -> dict[str, Any]:
    from reward_llm.cli.client import connect

    wanted = [{"role": g.role.value, "scenario": g.scenario} for g in grants]
    made: dict[str, Any] = connect().post(
        "tokens", document={"name": name, "grants": wanted, "days": days, "reason": reason}
    )
    return made


def _write(name: str, grants: list[Grant], days: int, reason: str) -> dict[str, Any]:
    from reward_llm import bootstrap
    from reward_llm.api.wire.tokens import NewTokenWire

    new = bootstrap.create_token(bootstrap.load_settings(), name, grants, by=_own_name(), days=days, reason=reason)
    return NewTokenWire.made(new, new.token.created_at).model_dump(mode="json")


def _own_name() -> str:
    """The user's name, with what no token's name has left out."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = ""
    return re.sub(r"[^a-z0-9._-]", "", name.lower()).lstrip("._-")[:60] or "operator"


def _grant_text(grant: Mapping[str, Any]) -> str:
    return str(Grant(role=Role(grant["role"]), scenario=grant["scenario"]))
