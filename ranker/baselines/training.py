"""Training of the published re-rankers.

lists, gains --> batches --> the model's own loss --> AdamW
kept back -----------------> loss at every report: the best state is kept

B batch, N positions.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from torch import Tensor

from ranker.baselines.reranker import Reranker
from ranker.errors import LogInvalid
from ranker.requests import LoggedLists
from ranker.training.config import Schedule
from ranker.training.journal import OnProgress, TrainingProgress, unseen
from ranker.training.optimizer import Optimizer

Model = TypeVar("Model", bound=Reranker)


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankerTraining:
    """How a re-ranker is trained."""

    schedule: Schedule = field(default_factory=lambda: Schedule(steps=600, report_every=50))
    hold_back: float = 0.1
    """Share of the lists, the latest, that choose the best state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RerankerReport:
    """What came of a run."""

    best_step: int
    """After which the loss of the lists held back was least."""
    loss: float
    """Theirs, then."""
    first_loss: float
    """Theirs, before the first step."""


def train_reranker(
    model: Model,
    lists: LoggedLists,
    gain_BN: Tensor,
    training: RerankerTraining,
    on_progress: OnProgress = unseen,
) -> tuple[Model, RerankerReport]:
    """Train a model in place and give it in its evaluation mode, as it was when it did best on lists held back.

    Its first parameters are what they are: seed torch before the model is made.

    Raises:
        LogInvalid: If there are too few lists to hold some back, or no gain to learn from.
        TrainingFailed: If it diverges.
    """
    earlier_B, later_B = _parts(lists, training.hold_back)
    if not bool((gain_BN[earlier_B] > 0).any()):
        raise LogInvalid("the lists have no click to learn from")
    name, schedule = type(model).__name__, training.schedule
    optimizer, generator = Optimizer(model, schedule), torch.Generator().manual_seed(schedule.seed)
    held, held_gain_BN = lists.select(later_B), gain_BN[later_B]
    first_loss = _held_loss(model, held, held_gain_BN)
    best = RerankerReport(best_step=0, loss=first_loss, first_loss=first_loss)
    best_state = deepcopy(model.state_dict())
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(schedule.seed)
        for step in range(schedule.steps):
            row_B = earlier_B[torch.randint(len(earlier_B), (schedule.batch,), generator=generator)]
            loss = _loss(model.train(), lists.select(row_B), gain_BN[row_B])
            optimizer.step(loss, step)
            done, figures = step + 1, {}
            if done % schedule.report_every == 0 or done == schedule.steps:
                figures = {"loss": loss.item(), "held_loss": _held_loss(model, held, held_gain_BN)}
                if figures["held_loss"] < best.loss:
                    best = RerankerReport(best_step=done, loss=figures["held_loss"], first_loss=first_loss)
                    best_state = deepcopy(model.state_dict())
            on_progress(TrainingProgress(name=name, step=done, steps=schedule.steps, figures=figures))
    model.load_state_dict(best_state)
    return model.eval(), best


def _loss(model: Reranker, lists: LoggedLists, gain_BN: Tensor) -> Tensor:
    return model.loss(model(lists.requests, lists.shown_BN), gain_BN, lists.filled_BN)


@torch.no_grad()
def _held_loss(model: Reranker, lists: LoggedLists, gain_BN: Tensor) -> float:
    return _loss(model.eval(), lists, gain_BN).item()


def _parts(lists: LoggedLists, hold_back: float) -> tuple[Tensor, Tensor]:
    order_B = lists.timestamp_B.argsort(stable=True)
    held = max(1, round(lists.B * hold_back))
    if held >= lists.B:
        raise LogInvalid(f"of {lists.B} lists, {held} can't be held back", hint="log more lists")
    return order_B[:-held], order_B[-held:]
