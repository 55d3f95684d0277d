"""`reward-llm ranker evaluate`: how good a re-ranker is on a log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reward_llm.cli.options import JsonOption, LangOption
from reward_llm.cli.output import console, print_json, table
from reward_llm.cli.wording import Lang, say
from reward_llm.errors import ConfigurationInvalid, InvalidInput

if TYPE_CHECKING:
    from reward_llm.ranking.training import Assessment

_HINT = "install the ranker extra: pip install 'reward-llm[ranker]'"


def evaluate(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A checkpoint; the one that ships.")] = None,
    *,
    log: Annotated[
        Path | None, typer.Option("--log", help="A log that it wasn't trained on; the sample in its folder.")
    ] = None,
    lists: Annotated[int, typer.Option("--lists", min=1, help="Requests at most that slates are written for.")] = 128,
    size: Annotated[
        int | None, typer.Option("--size", min=1, max=50, help="Slots of the slates; the usual length of the lists.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the requests chosen and of the weights drawn.")] = 0,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with charts, too.")] = None,
    lang: LangOption,
    as_json: JsonOption = False,
) -> None:
    """Hold a re-ranker against logged lists: its predictions beside what came, its slates beside other ones."""
    check_ranker()
    from reward_llm.ranking.training import AssessmentConfig, assess_ranker, assessment_page, document

    found = assess_ranker(folder, log, AssessmentConfig(size=size, lists=lists, seed=seed))
    if html is not None:
        try:
            html.write_text(assessment_page(found, f"Re-ranker {folder.name if folder else ''}".strip()), "utf-8")
        except OSError as exc:
            raise InvalidInput(f"{html} can't be written: {exc}") from exc
    if as_json:
        print_json(document(found))
    else:
        show_assessment(found, lang)


def check_ranker() -> None:
    """Prepare for torch, and refuse where the ranker's packages aren't installed.

    Raises:
        ConfigurationInvalid: If one is missing.
    """
    from reward_llm.bootstrap import let_openmp_wait

    let_openmp_wait()
    try:
        import reward_llm.ranking.training  # noqa: F401 - the one module that needs all of them
    except ModuleNotFoundError as exc:
        raise ConfigurationInvalid(f"the ranker needs {exc.name}", hint=_HINT) from exc


def show_assessment(found: Assessment, lang: Lang) -> None:
    """The scores of the predictions, then those of the slates."""
    from reward_llm.ranking.training import prediction_rows, slate_row

    value = say("ranker_value", lang)
    predictions = table(say("ranker_predictions", lang, lists=found.evaluator.lists), value, right=(value,))
    for name, score in prediction_rows(found):
        predictions.add_row(say(name, lang), score)
    names = [say(f"ranker_{name}", lang) for name in ("actor", "greedy", "logged", "better", "at_least")]
    slates = table(say("ranker_rewards", lang, lists=found.actor_lists), *names, right=names)
    for name, *scores in map(slate_row, found.actor):
        slates.add_row(say(name, lang), *scores)
    console().print(predictions, slates, sep="\n\n")
