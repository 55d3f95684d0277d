"""`reward-llm model calibrate`: how sure a goal model is, measured."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from reward_llm.cli.model_tune import MODEL_HINT, progress_bar
from reward_llm.cli.options import JsonOption
from reward_llm.cli.output import bar, console, print_json, table
from reward_llm.errors import ConfigurationInvalid, InvalidInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reward_llm.tuning.calibration import CalibrationReport, JudgedGoal, JudgedReading

_BAR = 20


def calibrate(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="The checkpoint to measure.")],
    *,
    fit: Annotated[
        Path, typer.Option("--fit", help="Labelled goals that it wasn't trained on, in either format: the maps.")
    ],
    threshold_on: Annotated[
        Path | None, typer.Option("--threshold-on", help="Others: the threshold and what is shown; those of --fit.")
    ] = None,
    target: Annotated[
        float, typer.Option("--target", min=0.5, max=1, help="The share of readings above it that must be right.")
    ] = 0.95,
    as_json: JsonOption = False,
) -> None:
    """Fit confidences to how often readings are right, and find which readings need a person."""
    from reward_llm import bootstrap

    bootstrap.let_openmp_wait()
    try:
        from reward_llm.tuning.calibration import calibrate as fit_calibration
        from reward_llm.tuning.calibration import load_judged_goals
    except ModuleNotFoundError as exc:
        raise ConfigurationInvalid(f"calibration needs {exc.name}", hint=MODEL_HINT) from exc
    from reward_llm.validation.calibrations import CALIBRATION, dump_calibration
    from reward_llm.validation.checkpoints import verify_checkpoint, write_checksums

    digest = verify_checkpoint(checkpoint)
    scenario = bootstrap.home_feed(bootstrap.load_settings())
    sets = [load_judged_goals(file, scenario) for file in (fit, threshold_on) if file]
    readings = _read(checkpoint, sets)
    calibration, report = fit_calibration(readings[0], readings[-1], target)
    if not report.fitted_on or not report.measured_on:
        raise InvalidInput(
            "no reading could be judged", hint="The goals must say what they ask for, and the model must read them."
        )
    document = asdict(report)
    files = {"fit": fit.name, "threshold_on": (threshold_on or fit).name}
    try:
        (checkpoint / CALIBRATION).write_text(dump_calibration(calibration, digest, document | files), "utf-8")
        write_checksums(checkpoint)
    except OSError as exc:
        raise InvalidInput(f"{checkpoint} can't be written: {exc}") from exc
    if as_json:
        print_json(document | files)
    else:
        _show(report, checkpoint / CALIBRATION, same=threshold_on is None)


def _read(checkpoint: Path, sets: Sequence[Sequence[JudgedGoal]]) -> list[tuple[JudgedReading, ...]]:
    from reward_llm import bootstrap
    from reward_llm.tuning.calibration import read_goals

    judged = []
    with progress_bar() as progress, bootstrap.open_reader(checkpoint, calibrated=False) as read:
        for goals in sets:
            task = progress.add_task(f"reading {len(goals):,} goals", total=len(goals))
            judged.append(
                read_goals(goals, read, lambda done, task=task: progress.update(task, completed=done))  # type: ignore[misc]
            )
    return judged


def _show(report: CalibrationReport, file: Path, *, same: bool) -> None:
    out = console()
    beside = " (the same goals: expect a little less on others)" if same else ""
    out.print(f"fitted on {report.fitted_on:,} readings, measured on {report.measured_on:,}{beside}", soft_wrap=True)
    columns = ("count", "ECE before", "after", "Brier before", "after")
    errors = table("", *columns, right=columns)
    for part, before in report.before.items():
        after = report.after[part]
        numbers = (before.ece, after.ece, before.brier, after.brier)
        errors.add_row(part, f"{before.count:,}", *("–" if n is None else f"{n:.3f}" for n in numbers))
    out.print(errors)
    bins = table("confidence", "readings", "mean", "right", "", right=("readings", "mean", "right"))
    for b in report.bins:
        bins.add_row(
            f"{b.low:.2f}–{b.high:.2f}", f"{b.count:,}", f"{b.confidence:.3f}", f"{b.right:.3f}", bar(b.right, _BAR)
        )
    out.print(bins)
    out.print(_threshold_line(report), soft_wrap=True)
    out.print(Text(f"written: {file}"), soft_wrap=True)


def _threshold_line(report: CalibrationReport) -> str:
    if not report.coverage or report.right_above is None:
        return f"no threshold has {report.target:.0%} of the readings above it right: every reading needs a person"
    return (
        f"threshold {report.threshold:.3f}: {report.coverage:.1%} of the readings need nobody, and "
        f"{report.right_above:.1%} of those are right; of all, {report.right or 0:.1%}"
    )
