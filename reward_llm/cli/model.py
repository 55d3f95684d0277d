"""`reward-llm model`: the goal model."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from reward_llm.cli.model_calibrate import calibrate
from reward_llm.cli.model_distil import distil, trim
from reward_llm.cli.model_serve import serve
from reward_llm.cli.model_tune import tune
from reward_llm.cli.options import JsonOption
from reward_llm.cli.output import console, print_json
from reward_llm.errors import ConfigurationInvalid
from reward_llm.resources import checkpoint_dir

if TYPE_CHECKING:
    from reward_llm.tuning.config import TrainingProgress, TrainingReport

app = typer.Typer(no_args_is_help=True, help="The goal model: train, tune, calibrate or serve one, or look at one.")
app.command()(serve)
app.command()(tune)
app.command()(distil)
app.command()(trim)
app.command()(calibrate)

_CARD_LINES = 12
_MODEL_HINT = "install the model extra: pip install 'reward-llm[model]'"


@app.command()
def train(  # noqa: PLR0913 - each is an option
    *,
    out: Annotated[Path, typer.Option("--out", help="The folder of the new checkpoint.")] = Path("goal-model"),
    minutes: Annotated[float | None, typer.Option("--minutes", min=0.01, help="Time at most.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Batches at most.")] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Of the weights and of the order of examples.")] = None,
    hold_back: Annotated[
        float | None,
        typer.Option("--hold-back", min=0, max=0.5, help="The share of goals to score by and not to train on."),
    ] = None,
    compiled: Annotated[
        bool,
        typer.Option(
            "--compile/--eager", help="Compile the steps: half as fast again, after minutes; needs a C++ compiler."
        ),
    ] = False,
    start: Annotated[
        Path | None, typer.Option("--start", help="A goal model to begin with, instead of from scratch.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option("--learning-rate", min=0, help="The highest; a lower one to begin with a model.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--fresh", help="Go on with a run that was broken off, or start anew.")
    ] = True,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            "--weight", metavar="FILE=TIMES", help="Draw goals of a corpus file so much oftener; repeatable, seed=3."
        ),
    ] = None,
    corpus: Annotated[
        list[Path] | None,
        typer.Option("--corpus", help="A folder of labelled goals to train on beside those that ship; repeatable."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Train a goal model on labelled goals, from scratch or on from one that there is."""
    from reward_llm.bootstrap import let_openmp_wait

    let_openmp_wait()
    try:
        from reward_llm.tuning.config import TrainingConfig
        from reward_llm.tuning.corpus import corpus_dir, load_corpus
        from reward_llm.tuning.train import train as train_model
        from reward_llm.tuning.train import training_folder
    except ModuleNotFoundError as exc:
        raise ConfigurationInvalid(f"training needs {exc.name}", hint=_MODEL_HINT) from exc

    chosen = {"minutes": minutes, "steps": steps, "seed": seed, "hold_back": hold_back, "compiled": compiled}
    chosen |= {"learning_rate": learning_rate}
    config = TrainingConfig(**{k: v for k, v in chosen.items() if v is not None})  # type: ignore[arg-type]
    goals = [goal for folder in [corpus_dir(), *(corpus or [])] for goal in load_corpus(folder)]
    weights = {**config.mix.weights, **_weights(weight or [], {g.source for g in goals})}
    config = replace(config, mix=replace(config.mix, weights=weights))
    if not resume:
        shutil.rmtree(training_folder(config, goals, out, start), ignore_errors=True)
    with _course(f"training on {len(goals):,} goals") as show:
        report = train_model(config, goals, out, show, start)
    if as_json:
        print_json(asdict(report))
    else:
        _show_report(report, out)


def _weights(told: Sequence[str], files: Collection[str]) -> dict[str, float]:
    """The weights of corpus files.

    Raises:
        typer.BadParameter: If one isn't written as FILE=TIMES, with a corpus file and a number over 0.
    """
    weights = {}
    for text in told:
        name, _, times = text.partition("=")
        try:
            weights[name.removesuffix(".jsonl")] = float(times)
        except ValueError:
            raise typer.BadParameter(f"{text!r} isn't FILE=TIMES, such as seed=3", param_hint="--weight") from None
    if missing := [n for n in weights if n not in files]:
        there = ", ".join(sorted(files))
        raise typer.BadParameter(f"the corpus has no file {missing[0]}.jsonl; it has: {there}", param_hint="--weight")
    if wrong := [n for n, w in weights.items() if not 0 < w < math.inf]:
        raise typer.BadParameter(f"{wrong[0]}: goals are drawn more than 0 times as often", param_hint="--weight")
    return weights


@contextmanager
def _course(label: str) -> Iterator[Callable[[TrainingProgress], None]]:
    """A bar that follows a training."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task, held_back = progress.add_task(label, total=1.0), ""

        def show(state: TrainingProgress) -> None:
            nonlocal held_back
            if state.score and state.score.directional is not None:
                held_back = f" · held back {state.score.directional:.1%}"
            words = f"step {state.step:,} · loss {state.loss:.4f}{held_back}"
            progress.update(task, completed=state.share, description=words)

        yield show


def _show_report(report: TrainingReport, out: Path) -> None:
    shown = console()
    shown.print(
        f"{report.parameters:,} parameters, {report.steps:,} steps in {report.elapsed_s / 60:.1f} min, "
        f"loss {report.loss:.4f}"
    )
    if report.score and report.score.directional is not None:
        shown.print(f"held back: {report.score.directional:.1%} of {report.score.goals} goals read right")
    shown.print(f"serve it: reward-llm serve --dev --checkpoint {out}", soft_wrap=True)


@app.command()
def info(
    folder: Annotated[Path | None, typer.Argument(metavar="[DIR]", help="A checkpoint; the one that ships.")] = None,
    *,
    as_json: JsonOption = False,
) -> None:
    """Check a checkpoint and say what it is."""
    from reward_llm.validation.checkpoints import tensor_shapes, verify_checkpoint

    folder = folder or checkpoint_dir()
    digest = verify_checkpoint(folder)
    weights, card = folder / "model.safetensors", folder / "README.md"
    facts = {
        "folder": str(folder),
        "bytes": sum(f.stat().st_size for f in folder.iterdir() if f.is_file()),
        "parameters": sum(math.prod(shape) for shape in tensor_shapes(weights).values()),
        "sha256": digest,
        "card": card.read_text("utf-8") if card.is_file() else None,
    }
    if as_json:
        print_json(facts)
    else:
        _show_facts(facts)


def _show_facts(facts: dict[str, Any]) -> None:
    out = console()
    out.print(Text(facts["folder"], "bold"), soft_wrap=True)
    out.print(f"{facts['parameters']:,} parameters, {facts['bytes'] / 1e6:.1f} MB")
    out.print(f"sha256 {facts['sha256']}", soft_wrap=True)
    if facts["card"]:
        out.print()
        out.print(Text("\n".join(_body(facts["card"]).splitlines()[:_CARD_LINES])), soft_wrap=True)


def _body(card: str) -> str:
    """The card without its front matter."""
    return (card.partition("\n---\n")[2] if card.startswith("---\n") else card).strip()
