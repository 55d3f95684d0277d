"""`reward-llm ranker train`: a re-ranker from a log."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from reward_llm.cli.options import JsonOption, LangOption
from reward_llm.cli.output import console, print_json
from reward_llm.cli.ranker_evaluate import check_ranker, show_assessment
from reward_llm.cli.wording import Lang, say
from reward_llm.errors import InvalidInput

if TYPE_CHECKING:
    from reward_llm.ranking.training import PipelineReport


def train(  # noqa: PLR0913 - each is an option
    *,
    out: Annotated[Path, typer.Option("--out", help="The folder of the new checkpoint.")] = Path("ranker-model"),
    log: Annotated[
        Path | None, typer.Option("--log", help="A list-wise log in Parquet; without it, one is generated.")
    ] = None,
    lists: Annotated[
        int | None, typer.Option("--lists", min=1, help="Lists of the generated log; 10,000.", show_default=False)
    ] = None,
    spec: Annotated[
        Path | None, typer.Option("--spec", help="The log's features in YAML; those of generated logs.")
    ] = None,
    minutes: Annotated[float | None, typer.Option("--minutes", min=0.01, help="Time for all of it, about.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Batches of the actor.")] = None,
    evaluator_steps: Annotated[
        int | None, typer.Option("--evaluator-steps", min=1, help="Batches of the evaluator.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the log, the weights and the batches.")] = 0,
    size: Annotated[
        int | None, typer.Option("--size", min=1, help="Slots of the slates; the usual length of the lists.")
    ] = None,
    utility: Annotated[
        list[str] | None, typer.Option("--utility", help="A utility to weigh, in order; repeatable. All seven.")
    ] = None,
    gap_hours: Annotated[
        float | None,
        typer.Option("--gap-hours", min=0, help="Dropped before the lists for scores; 24 if the log knows returns."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Go on with a run that was broken off, or start anew.")
    ] = True,
    lang: LangOption,
    as_json: JsonOption = False,
) -> None:
    """Train a re-ranker: the evaluator first, then, against it, the actor."""
    check_ranker()
    from reward_llm.ranking.training import TrainingOrder, document, train_ranker

    if log is not None and lists is not None:
        raise InvalidInput("--log and --lists exclude each other", hint="Leave one out.")
    given = {"lists": lists, "utilities": tuple(utility) if utility else None}
    order = TrainingOrder(
        out=out,
        log=log,
        spec=spec,
        minutes=minutes,
        steps=steps,
        evaluator_steps=evaluator_steps,
        seed=seed,
        size=size,
        gap_hours=gap_hours,
        resume=resume,
        **{name: value for name, value in given.items() if value is not None},  # type: ignore[arg-type]
    )
    report = train_ranker(order)
    if as_json:
        print_json(document(report))
    else:
        _show(report, out, lang)


def _show(report: PipelineReport, out: Path, lang: Lang) -> None:
    shown, config = console(), report.config
    facts = {"trained": report.log.trained, "assessed": report.log.assessed, "size": config.size}
    shown.print(say("ranker_trained", lang, **facts), soft_wrap=True)
    if any(report.resumed_at.values()):
        shown.print(say("ranker_resumed", lang, **report.resumed_at), soft_wrap=True)
    course = {
        "evaluator": config.evaluator_training.schedule.steps,
        "actor": config.actor_training.schedule.steps,
        "minutes": sum(report.elapsed_s.values()) / 60,
    }
    shown.print(say("ranker_course", lang, **course), soft_wrap=True)
    show_assessment(report.assessment, lang)
    shown.print(Text(say("ranker_kept", lang, folder=out)), soft_wrap=True)
