"""`reward-llm webhooks`: other programs that are told of what is put on record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from reward_llm.cli.groups import ListByDefault
from reward_llm.cli.options import CursorOption, JsonOption, LimitOption
from reward_llm.cli.output import console, print_json, print_next_page, table
from reward_llm.domain.webhooks import DeliveryState

app = typer.Typer(cls=ListByDefault, help="Webhooks: tell other programs of what is put on record.")

_KEEP: Final = "Keep the secret now: it is shown this once, and the receiver checks signatures with it."

WebhookArgument = Annotated[str, typer.Argument(metavar="ID", help="The webhook's id.")]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why; the audit log keeps it.")]
ActionOption = Annotated[
    list[str] | None,
    typer.Option("--action", help="An action, or its beginning such as `policy.`; once for each, all if left out."),
]


@app.command("list")
def list_webhooks(*, cursor: CursorOption = None, limit: LimitOption = 20, as_json: JsonOption = False) -> None:
    """Webhooks, newest first."""
    from reward_llm.cli.client import connect

    page = connect().get("webhooks", cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    rows = table("webhook", "url", "told of", "scenario", "state")
    for webhook in page["items"]:
        told, where = ", ".join(webhook["actions"]) or "everything", webhook["scenario"] or "all"
        rows.add_row(webhook["id"], Text(webhook["url"]), told, Text(where), _state(webhook))
    console().print(rows)
    print_next_page(page)


@app.command()
def show(webhook: WebhookArgument, *, as_json: JsonOption = False) -> None:
    """One webhook, without its secret."""
    from reward_llm.cli.client import connect

    _print(connect().get("webhooks", webhook), as_json=as_json)


@app.command()
def create(
    url: Annotated[str, typer.Argument(metavar="URL", help="Where to send; keep secrets out of it.")],
    *,
    action: ActionOption = None,
    scenario: Annotated[str | None, typer.Option("--scenario", help="Of this scenario alone.")] = None,
    description: Annotated[str, typer.Option("--description", help="What it is for.")] = "",
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Add a webhook, and show its secret once."""
    from reward_llm.cli.client import connect

    wanted = {"url": url, "actions": action or [], "scenario": scenario, "description": description}
    _print(connect().post("webhooks", document={**wanted, "reason": reason}), as_json=as_json)


@app.command()
def change(
    webhook: WebhookArgument,
    *,
    url: Annotated[str | None, typer.Option("--url", help="Where to send.")] = None,
    action: ActionOption = None,
    scenario: Annotated[
        str | None, typer.Option("--scenario", help="Of this scenario alone; '' for all of them.")
    ] = None,
    description: Annotated[str | None, typer.Option("--description", help="What it is for.")] = None,
    active: Annotated[bool | None, typer.Option("--active/--inactive", help="Whether anything is sent.")] = None,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Change a webhook; `--inactive` ends it, and what waits is kept."""
    from reward_llm.cli.client import connect

    given = {"url": url, "actions": action, "scenario": scenario, "description": description, "active": active}
    wanted: dict[str, Any] = {k: v for k, v in given.items() if v is not None}
    if scenario == "":
        wanted["scenario"] = None
    client = connect()
    revision = str(client.get("webhooks", webhook)["revision"])
    changed = client.patch("webhooks", webhook, document={**wanted, "reason": reason}, if_match=revision)
    _print(changed, as_json=as_json)


@app.command()
def rotate(
    webhook: WebhookArgument,
    *,
    overlap_hours: Annotated[
        int, typer.Option("--overlap-hours", min=0, max=168, help="How long the old secret signs beside the new one.")
    ] = 24,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Make a new secret, and show it once."""
    from reward_llm.cli.client import connect

    client = connect()
    revision = str(client.get("webhooks", webhook)["revision"])
    sent = {"overlap_hours": overlap_hours, "reason": reason}
    answer = client.post("webhooks", webhook, "secret-rotation", document=sent, if_match=revision)
    _print(answer, as_json=as_json)


@app.command("test")
def send_test(webhook: WebhookArgument, *, as_json: JsonOption = False) -> None:
    """Send a webhook a test, whatever it asked to be told of."""
    from reward_llm.cli.client import connect

    _print_delivery(connect().post("webhooks", webhook, "test", document={}), as_json=as_json)


@app.command()
def deliveries(
    webhook: WebhookArgument,
    *,
    state: Annotated[DeliveryState | None, typer.Option("--state", help="In this state alone.")] = None,
    cursor: CursorOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
) -> None:
    """What was and will be sent, newest first."""
    from reward_llm.cli.client import connect

    page = connect().get("webhooks", webhook, "deliveries", state=state, cursor=cursor, limit=limit)
    if as_json:
        print_json(page)
        return
    rows = table("delivery", "action", "made", "state", "tries", "last answer", right=["tries"])
    for delivery in page["items"]:
        tries = delivery["attempts"]
        rows.add_row(
            delivery["id"],
            delivery["action"],
            delivery["created_at"][:19],
            delivery["state"],
            str(len(tries)),
            Text(_outcome(tries[-1]) if tries else "–"),
        )
    console().print(rows)
    print_next_page(page)


@app.command()
def redeliver(
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="The delivery's id.")],
    *,
    reason: ReasonOption = "",
    as_json: JsonOption = False,
) -> None:
    """Send a delivery again, under the same event id."""
    from reward_llm.cli.client import connect

    answer = connect().post("webhooks", "deliveries", delivery, "redelivery", document={"reason": reason})
    _print_delivery(answer, as_json=as_json)


def _print(webhook: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(webhook)
        return
    out = console()
    out.print(Text.assemble((webhook["id"], "bold"), f"  {webhook['url']}"), soft_wrap=True)
    told = ", ".join(webhook["actions"]) or "everything"
    where = f" in {webhook['scenario']}" if webhook["scenario"] else ""
    out.print(f"told of {told}{where} · {_state(webhook)} · revision {webhook['revision']}")
    if webhook["two_secrets_until"]:
        out.print(f"the secret before this one signs as well until {webhook['two_secrets_until']}")
    if webhook.get("secret"):
        _print_secret(out, webhook["secret"])


def _print_secret(out: Console, secret: str) -> None:
    out.print(Text(f"secret: {secret}"), soft_wrap=True)
    out.print(Text(_KEEP, "yellow"), soft_wrap=True)


def _print_delivery(delivery: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(delivery)
        return
    out = console()
    out.print(f"{delivery['id']} ({delivery['action']}) is on its way to {delivery['webhook_id']}", soft_wrap=True)
    out.print(f"look: reward-llm webhooks deliveries {delivery['webhook_id']}", soft_wrap=True)


def _state(webhook: Mapping[str, Any]) -> str:
    since = webhook["failing_since"]
    failing = f", failing since {since[:19]}" if since else ""
    return ("active" if webhook["active"] else "inactive") + failing


def _outcome(attempt: Mapping[str, Any]) -> str:
    return f"{attempt['error'] or attempt['status']} in {attempt['duration_ms']} ms"
