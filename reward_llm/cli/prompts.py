"""`reward-llm prompts`: what models are asked with, version by version."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reward_llm.cli import prompt_labels, prompt_runs
from reward_llm.cli.groups import ListByDefault
from reward_llm.cli.options import CursorOption, JsonOption, LangOption, LimitOption
from reward_llm.cli.output import console, print_json, print_next_page
from reward_llm.cli.policy_display import labelled
from reward_llm.cli.prompt_display import prompt_table, show_diff, version_line, version_table
from reward_llm.cli.prompt_references import NEWEST, PromptArgument, ReasonOption, find_number, find_version
from reward_llm.cli.wording import say
from reward_llm.domain.prompts import PRODUCTION
from reward_llm.errors import InvalidInput

app = typer.Typer(cls=ListByDefault, help="Prompts: what models are asked with, in versions that labels stand on.")
prompt_runs.add_to(app)
prompt_labels.add_to(app)

NameArgument = Annotated[str, typer.Argument(metavar="NAME", help="The prompt's name.")]
_NAME = re.compile(r"^name:[ \t]*[\"']?([\w-]+)", re.MULTILINE)


@app.command("list")
def list_prompts(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="The versions of this prompt.")] = None,
    *,
    cursor: CursorOption = None,
    limit: LimitOption = 20,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """All prompts with their labels, or the versions of one, newest first."""
    from reward_llm.cli.client import connect

    client = connect()
    page = client.get("prompts", name, "versions", cursor=cursor, limit=limit) if name else client.get("prompts")
    if as_json:
        print_json(page)
        return
    console().print(version_table(page["items"], lang) if name else prompt_table(page["items"], lang))
    print_next_page(page)


@app.command()
def show(
    prompt: PromptArgument,
    *,
    file: Annotated[bool, typer.Option("--file", help="Print the file alone, to edit it and make it `new`.")] = False,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """One version with all that it consists of."""
    from reward_llm.cli.client import connect

    version = find_version(connect(), prompt)
    if as_json:
        print_json(version)
    elif file:
        sys.stdout.write(version["text"])
    else:
        out = console()
        out.print(version_line(version, lang))
        if version["reason"]:
            out.print(Text(version["reason"], "italic"))
        out.print()
        out.print(Text(version["text"]), soft_wrap=True)


@app.command()
def diff(
    name: NameArgument,
    before: Annotated[str, typer.Argument(metavar="[FROM]", help="A version or a label.")] = PRODUCTION,
    after: Annotated[str, typer.Argument(metavar="[TO]", help="A version or a label.")] = NEWEST,
    *,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """In what two versions differ; what is in production and what is newest, unless others are named."""
    from reward_llm.cli.client import connect

    client = connect()
    old, new = find_number(client, name, before), find_number(client, name, after)
    answer = client.get("prompts", name, "diff", **{"from": old, "to": new})
    if as_json:
        print_json(answer)
    else:
        show_diff(console(), answer, lang)


@app.command()
def new(
    file: Annotated[str, typer.Argument(metavar="FILE", help="As `show --file` prints it; `-` is standard input.")],
    *,
    reason: ReasonOption,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Make a file its prompt's next version; it changes nothing until a label is put on it."""
    from reward_llm.cli.client import connect

    text = _read(file)
    name = _NAME.search(text)
    if name is None:
        raise InvalidInput(
            f"{file} doesn't say which prompt it is", hint="Begin it with front matter that has a name."
        )
    version = connect().post("prompts", name[1], "versions", document={"text": text, "reason": reason})
    if as_json:
        print_json(version)
        return
    out = console()
    out.print(version_line(version, lang))
    steps = {
        "to_measure": f"reward-llm prompts evaluate {version['id']}",
        "to_promote": f"reward-llm prompts label {version['id']} {PRODUCTION} --reason …",
    }
    for key, command in steps.items():
        out.print(labelled("next", f"{say(key, lang)} {command}", lang), soft_wrap=True)


def _read(file: str) -> str:
    try:
        written = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return written.decode("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidInput(f"{file} can't be read: {exc}") from exc
