"""Training of the evaluator.

lists --(time)--> earlier --> batches --> losses of click, purchase, satisfaction, retention --> AdamW
             '--> later ----> half calibrates, half is scored --> frozen evaluator, report

B batch, N positions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from ranker.config import EvaluatorConfig, InputShape
from ranker.errors import LogInvalid
from ranker.evaluator import Evaluator, Head
from ranker.requests import LoggedLists
from ranker.training.calibration import calibrate, log_loss
from ranker.training.config import EvaluatorTraining
from ranker.training.journal import Journal, OnProgress, TrainingProgress, unseen
from ranker.training.optimizer import Optimizer
from ranker.training.quality import EvaluatorReport, evaluator_report, outcomes, satisfaction_of
from ranker.training.run import Run


def train_evaluator(
    lists: LoggedLists,
    shape: InputShape,
    config: EvaluatorConfig,
    training: EvaluatorTraining,
    folder: Path,
    on_progress: OnProgress = unseen,
) -> tuple[Evaluator, EvaluatorReport]:
    """Train an evaluator and freeze it; a run that was broken off goes on from its folder.

    Raises:
        LogInvalid: If there are too few lists to hold some back.
        ModelInvalid: If the folder holds a run of another config.
        TrainingFailed: If it diverges.
    """
    earlier, calibrating, scored = _parts(lists, training.hold_back)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(training.schedule.seed)
        evaluator = Evaluator(shape, config)
    if training.use_propensity and lists.propensity_BN is not None:
        evaluator.examination.take_over(_mean_propensity(earlier))
    _fit(evaluator, earlier, training, Run(folder=folder, config=(shape, config, training)), on_progress)
    evaluator.frozen()
    before = outcomes(evaluator, scored)["click"].calibration(training.bins)
    _calibrate(evaluator, calibrating)
    return evaluator, evaluator_report(evaluator, scored, training.bins, before)


def _fit(
    evaluator: Evaluator, lists: LoggedLists, training: EvaluatorTraining, run: Run, on_progress: OnProgress
) -> None:
    schedule = training.schedule
    optimizer, generator = Optimizer(evaluator, schedule), torch.Generator().manual_seed(schedule.seed)
    parts: dict[str, Any] = {"evaluator": evaluator, "optimizer": optimizer.adamw}
    place = run.load(parts, generator) or {"step": 0}
    journal = Journal(run.folder / "log.csv", after_step=place["step"])
    evaluator.train()
    for step in range(place["step"], schedule.steps):
        rows_B = torch.randint(lists.B, (schedule.batch,), generator=generator)
        losses = _losses(evaluator, lists.select(rows_B), training.slate_weight)
        norm = optimizer.step(torch.stack(list(losses.values())).sum(), step)
        done, figures = step + 1, {}
        if done % schedule.report_every == 0 or done == schedule.steps:
            figures = {**{name: loss.item() for name, loss in losses.items()}, "gradient": norm}
            journal.write(done, figures)
            run.save(parts, generator, {"step": done})
        on_progress(TrainingProgress(name="evaluator", step=done, steps=schedule.steps, figures=figures))


def _losses(evaluator: Evaluator, lists: LoggedLists, slate_weight: float) -> dict[str, Tensor]:
    """Log losses, in nats a position and a slate."""
    filled_BN = lists.filled_BN
    click, purchase = lists.click_BN[filled_BN].float(), lists.purchase_BN[filled_BN].float()
    log_examined_BN = evaluator.examination.log_prob(lists.N).expand(lists.B, -1)
    log_examined = log_examined_BN[filled_BN]
    logits = evaluator.logits(lists.requests, lists.shown_BN.unsqueeze(1))
    attraction = logsigmoid(logits.attraction_BSN[:, 0][filled_BN])
    buying = logsigmoid(logits.buying_BSN[:, 0][filled_BN])
    alone = logsigmoid(evaluator.pointwise_logits(lists.requests, lists.shown_BN.unsqueeze(1))[:, 0][filled_BN])
    fixed = log_examined.detach()
    satisfaction_B = satisfaction_of(lists, evaluator.config.dwell_scale_s)
    return {
        "click": log_loss(fixed + attraction, click).mean(),
        "purchase": log_loss(fixed + attraction + buying, purchase).mean(),
        "click_alone": log_loss(log_examined + alone[:, 0], click).mean(),
        "purchase_alone": log_loss(fixed + alone.sum(-1), purchase).mean(),
        "satisfaction": slate_weight * binary_cross_entropy_with_logits(logits.satisfaction_BS[:, 0], satisfaction_B),
        "retention": slate_weight
        * binary_cross_entropy_with_logits(logits.retention_BS[:, 0], lists.returned_B.float()),
    }


def _parts(lists: LoggedLists, hold_back: float) -> tuple[LoggedLists, LoggedLists, LoggedLists]:
    order_B = lists.timestamp_B.argsort(stable=True)
    held = round(lists.B * hold_back / 2)
    if held < 1 or 2 * held >= lists.B:
        raise LogInvalid(f"of {lists.B} lists, {hold_back:.0%} can't be held back", hint="a log of 100 lists can do")
    ends = (lists.B - 2 * held, lists.B - held)
    return (
        lists.select(order_B[: ends[0]]),
        lists.select(order_B[ends[0] : ends[1]]),
        lists.select(order_B[ends[1] :]),
    )


def _mean_propensity(lists: LoggedLists) -> Tensor:
    assert lists.propensity_BN is not None  # noqa: S101 - the caller looked
    filled_BN = lists.filled_BN.float()
    return (lists.propensity_BN * filled_BN).sum(0) / filled_BN.sum(0).clamp(min=1)


@torch.no_grad()
def _calibrate(evaluator: Evaluator, lists: LoggedLists) -> None:
    logits = evaluator.logits(lists.requests, lists.shown_BN.unsqueeze(1))
    filled_BN = lists.filled_BN
    log_examined = evaluator.examination.log_prob(lists.N).expand(lists.B, -1)[filled_BN]
    attraction = logits.attraction_BSN[:, 0][filled_BN]
    calibrate(evaluator, Head.ATTRACTION, attraction, log_examined, lists.click_BN[filled_BN].float())
    log_click = log_examined + logsigmoid(evaluator.calibrated(attraction, Head.ATTRACTION))
    buying = logits.buying_BSN[:, 0][filled_BN]
    calibrate(evaluator, Head.BUYING, buying, log_click, lists.purchase_BN[filled_BN].float())
    certain_B = torch.zeros(lists.B)
    satisfaction_B = satisfaction_of(lists, evaluator.config.dwell_scale_s)
    calibrate(evaluator, Head.SATISFACTION, logits.satisfaction_BS[:, 0], certain_B, satisfaction_B)
    calibrate(evaluator, Head.RETENTION, logits.retention_BS[:, 0], certain_B, lists.returned_B.float())
