"""`reward-llm model tune`: a Qwen2 tuned on one's own goals."""

from __future__ import annotations

import math
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from reward_llm.cli.options import JsonOption
from reward_llm.cli.output import console, print_json, table
from reward_llm.errors import ConfigurationInvalid, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reward_llm.tuning.config import TrainingProgress
    from reward_llm.tuning.corpus import LabelledGoal
    from reward_llm.tuning.lessons import Lessons
    from reward_llm.tuning.tuning_config import TuningConfig, TuningReport

MODEL_HINT = "install the model extra: pip install 'reward-llm[model]'"
NO_CORPUS = "none"

KeepBackOption = Annotated[
    Path | None, typer.Option("--keep-back", help="Labelled goals to score by, never trained on.")
]
HoldBackOption = Annotated[
    float, typer.Option("--hold-back", min=0, max=0.9, help="Without --keep-back: the share of the goals kept back.")
]
LoraOption = Annotated[
    int | None, typer.Option("--lora", min=1, max=512, help="Tune adapters of this rank; 16 for large models.")
]
FullOption = Annotated[bool, typer.Option("--full", help="Tune every parameter; so are small models.")]
MinutesOption = Annotated[float | None, typer.Option("--minutes", min=0.01, help="Time at most.")]
StepsOption = Annotated[int | None, typer.Option("--steps", min=1, help="Steps at most.")]
RateOption = Annotated[
    float | None, typer.Option("--learning-rate", min=0, help="The highest; by size and method.", show_default=False)
]
BatchTokensOption = Annotated[
    int | None, typer.Option("--batch-tokens", min=1, help="Tokens at once: fewer take less memory.")
]
CorpusOption = Annotated[
    str | None, typer.Option("--corpus", help="A folder of goals beside one's own, or `none`; the corpus that ships.")
]
ResumeOption = Annotated[
    bool, typer.Option("--resume/--fresh", help="Go on with a run that was broken off, or start anew.")
]


def tune(  # noqa: PLR0913 - each is an option
    *,
    base: Annotated[Path, typer.Option("--base", help="The Qwen2 checkpoint to start from.")],
    out: Annotated[Path, typer.Option("--out", help="The folder of the new checkpoint.")],
    goals: Annotated[
        list[Path] | None, typer.Option("--goals", help="Labelled goals of your own, JSON Lines; repeatable.")
    ] = None,
    keep_back: KeepBackOption = None,
    hold_back: HoldBackOption = 0.1,
    lora: LoraOption = None,
    full: FullOption = False,
    minutes: MinutesOption = None,
    steps: StepsOption = None,
    learning_rate: RateOption = None,
    batch_tokens: BatchTokensOption = None,
    corpus: CorpusOption = None,
    resume: ResumeOption = True,
    as_json: JsonOption = False,
) -> None:
    """Tune a Qwen2 on labelled goals of your own beside the corpus that ships."""
    check_training()
    from reward_llm import bootstrap
    from reward_llm.tuning.own_goals import load_labelled

    scenario = bootstrap.home_feed(bootstrap.load_settings())
    config = tuning_config(
        base,
        lora=lora,
        full=full,
        minutes=minutes,
        steps=steps,
        learning_rate=learning_rate,
        batch_tokens=batch_tokens,
    )
    kept_back = load_labelled([keep_back], scenario) if keep_back else None
    lessons = lessons_of(load_labelled(goals or [], scenario), corpus, kept_back, hold_back)
    report = run_tuning(base, config, lessons, out, resume=resume)
    if as_json:
        print_json(asdict(report))
    else:
        show_report(report, out)


def check_training() -> None:
    """Prepare for torch, and refuse where the packages for training aren't installed.

    Raises:
        ConfigurationInvalid: If one is missing.
    """
    from reward_llm.bootstrap import let_openmp_wait

    let_openmp_wait()
    try:
        import reward_llm.tuning.finetune  # noqa: F401 - the one module that needs all of them
    except ModuleNotFoundError as exc:
        raise ConfigurationInvalid(f"training needs {exc.name}", hint=MODEL_HINT) from exc


def tuning_config(
    base: Path,
    *,
    lora: int | None,
    full: bool,
    minutes: float | None,
    steps: int | None,
    learning_rate: float | None,
    batch_tokens: int | None,
) -> TuningConfig:
    """The config that the options say; what they leave open depends on the base's size."""
    from reward_llm.tuning.tuning_config import FULL_AT_MOST, LORA_RANK, TuningConfig, default_rate
    from reward_llm.validation.checkpoints import tensor_shapes, verify_checkpoint

    if full and lora is not None:
        raise InvalidInput("--lora and --full exclude each other", hint="Leave one out.")
    verify_checkpoint(base)
    parameters = sum(math.prod(shape) for shape in tensor_shapes(base / "model.safetensors").values())
    rank = None if full else lora or (None if parameters <= FULL_AT_MOST else LORA_RANK)
    rate = learning_rate if learning_rate is not None else default_rate(parameters, rank)
    chosen = {"minutes": minutes, "steps": steps, "batch_tokens": batch_tokens}
    return TuningConfig(
        lora_rank=rank,
        learning_rate=rate,
        **{k: v for k, v in chosen.items() if v is not None},  # type: ignore[arg-type]
    )


def lessons_of(
    own: Sequence[LabelledGoal], corpus: str | None, kept_back: Sequence[LabelledGoal] | None, share: float
) -> Lessons:
    """The goals to tune on, with the corpus that the option names."""
    from reward_llm.tuning.corpus import corpus_dir, load_corpus
    from reward_llm.tuning.lessons import Lessons

    folder = corpus_dir() if corpus is None else Path(corpus)
    beside = () if corpus == NO_CORPUS else load_corpus(folder)
    return Lessons.of(own, beside, kept_back=kept_back, share=share)


def run_tuning(base: Path, config: TuningConfig, lessons: Lessons, out: Path, *, resume: bool) -> TuningReport:
    """Tune with a progress bar on standard error."""
    from reward_llm import bootstrap
    from reward_llm.domain.completion import Vocabulary
    from reward_llm.tuning.finetune import Surroundings, tune, tuning_folder
    from reward_llm.tuning.memory import available_memory
    from reward_llm.validation.checkpoints import was_trained_here

    if not resume:
        shutil.rmtree(tuning_folder(out, base, config, lessons), ignore_errors=True)
    vocabulary = Vocabulary.CONCEPTS if was_trained_here(base) else Vocabulary.UTILITIES
    around = Surroundings(
        render=bootstrap.build_renderer(bootstrap.load_settings(), vocabulary),
        open_reader=bootstrap.open_reader,
        available_memory=available_memory,
    )
    with progress_bar() as progress:
        trained = len(lessons.own) + len(lessons.corpus)
        task = progress.add_task(f"{config.method} on {trained:,} goals", total=1.0)

        def show(state: TrainingProgress) -> None:
            words = f"{config.method}, step {state.step:,} · loss {state.loss:.4f}"
            progress.update(task, completed=state.share, description=words)

        return tune(base, config, lessons, out, around, show)


def progress_bar() -> Progress:
    """A progress bar on standard error."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


def show_report(report: TuningReport, out: Path) -> None:
    """What was done, and the scores before and after beside each other."""
    from reward_llm.tuning.tuned_card import score_rows

    shown = console()
    shown.print(
        f"{report.method}: {report.trained_parameters:,} of {report.parameters:,} parameters trained, "
        f"{report.steps:,} steps in {report.elapsed_s / 60:.1f} min, loss {report.loss:.4f}",
        soft_wrap=True,
    )
    if report.before and report.after:
        scores = table(f"of {report.after.goals} goals kept back", "base", "tuned", right=("base", "tuned"))
        for row in score_rows(report.before, report.after):
            scores.add_row(*row)
        shown.print(scores)
    else:
        shown.print("no goal was kept back, so nothing was scored")
    shown.print(Text(f"serve it: reward-llm serve --dev --checkpoint {out}"), soft_wrap=True)
