"""`reward-llm ranker data`: logs to train re-rankers on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from reward_llm.cli.options import JsonOption, LangOption
from reward_llm.cli.output import console, print_json
from reward_llm.cli.ranker_evaluate import check_ranker
from reward_llm.cli.wording import Lang, say
from reward_llm.errors import InvalidInput

app = typer.Typer(no_args_is_help=True, help="Logs to train re-rankers on: simulated, or converted.")

OutOption = Annotated[Path, typer.Option("--out", help="The Parquet file to write.")]


@app.command()
def generate(
    *,
    out: OutOption,
    lists: Annotated[int, typer.Option("--lists", min=1, help="How many lists.")] = 10_000,
    size: Annotated[int, typer.Option("--size", min=1, max=30, help="Items shown in each.")] = 10,
    seed: Annotated[int, typer.Option("--seed", min=0, help="One seed gives one log.")] = 0,
    lang: LangOption,
    as_json: JsonOption = False,
) -> None:
    """Write a log of simulated users (SARDINE)."""
    check_ranker()
    from reward_llm.ranking.training import generate_log

    _show(generate_log(out, lists=lists, size=size, seed=seed), out, lang, as_json=as_json)


@app.command()
def trivago(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The challenge's session log of 2019, in Parquet.")],
    *,
    out: OutOption,
    lang: LangOption,
    as_json: JsonOption = False,
) -> None:
    """Convert a session log of the RecSys Challenge 2019."""
    check_ranker()
    from reward_llm.ranking.training import convert_log

    _show(convert_log("trivago", file, out), out, lang, as_json=as_json)


@app.command()
def movielens(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where ratings.csv and movies.csv are.")],
    *,
    out: OutOption,
    lang: LangOption,
    as_json: JsonOption = False,
) -> None:
    """Convert MovieLens ratings; a stand-in, since ratings aren't lists."""
    check_ranker()
    from reward_llm.ranking.training import convert_log

    _show(convert_log("movielens", folder, out), out, lang, as_json=as_json)


@app.command()
def spec(
    log: Annotated[Path, typer.Argument(metavar="LOG", help="A list-wise log in Parquet.")],
    *,
    out: Annotated[
        Path | None, typer.Option("--out", help="The YAML file to write; without it, it is printed.")
    ] = None,
) -> None:
    """Draft a feature spec from the columns of a log."""
    check_ranker()
    from reward_llm.ranking.training import draft_spec

    text = draft_spec(log)
    if out is None:
        print(text, end="")
        return
    try:
        out.write_text(text, "utf-8")
    except OSError as exc:
        raise InvalidInput(f"{out} can't be written: {exc}") from exc


def _show(lists: int, out: Path, lang: Lang, *, as_json: bool) -> None:
    if as_json:
        print_json({"lists": lists, "file": str(out)})
    else:
        console().print(Text(say("ranker_written", lang, lists=lists, file=out)), soft_wrap=True)
