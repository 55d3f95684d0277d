"""Training of the actor.

requests, weights drawn --> teacher --> slates --> likelihood --------------------------------------.
                       '--> actor ----> a slate a request, K tried a slot --> rewards --> exchange --+--> AdamW
                                  '---> S slates a request ---------> rewards --> REINFORCE --------'
                                                     frozen evaluator ---'

Weights are drawn anew for every request, as in Chen et al. 2023, and so is the size of the slates for every batch.
By default choices are compared with others in their place (`ranker.training.exchange`); REINFORCE with its baselines
(`ranker.training.reinforce`) and a warm start by a teacher are beside it.

B batch, N slate, K utilities, V weight vectors.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from ranker.actor import Actor, Slates
from ranker.config import ActorConfig, InputShape
from ranker.errors import LogInvalid, ModelInvalid, TrainingFailed
from ranker.objective import Objective
from ranker.requests import Requests
from ranker.training.config import ActorTraining
from ranker.training.exchange import Trial, exchange_loss, tried_slates
from ranker.training.health import Health, Signs, distinct_share
from ranker.training.journal import Journal, OnProgress, TrainingProgress, unseen
from ranker.training.lessons import ActorReport, Lessons
from ranker.training.optimizer import Optimizer
from ranker.training.reinforce import Lesson, Reinforce
from ranker.training.run import Run
from ranker.training.teacher import improved, marginal_greedy_in_parts
from ranker.training.weights import corners, draw_weights

PROBE_SEED: Final = 7_919
"""Added to the seed of a run for the weights of its probes, which don't change."""


def train_actor(
    lessons: Lessons,
    shape: InputShape,
    config: ActorConfig,
    training: ActorTraining,
    objective: Objective,
    folder: Path,
    on_progress: OnProgress = unseen,
) -> tuple[Actor, ActorReport]:
    """Train an actor; a run that was broken off goes on from its folder.

    Raises:
        LogInvalid: If there are too few requests to hold some back, or no logged lists where the baseline needs them.
        ModelInvalid: If the folder holds a run of another config, or the objective is over more or fewer utilities.
        TrainingFailed: If the run collapses or diverges; its log and last state stay in the folder.
    """
    held = max(1, round(lessons.requests.B * training.hold_back))
    _check(lessons, shape, training, objective, held)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(training.schedule.seed)
        actor = Actor(shape, config)
    course = _Course(actor, lessons.select(slice(0, -held)), lessons.select(slice(-held, None)), training, objective)
    course.go(Run(folder=folder, config=(shape, config, training)), on_progress)
    return actor.eval(), course.report()


class _Course:
    """The state of a run and its loop."""

    def __init__(
        self, actor: Actor, lessons: Lessons, held: Lessons, training: ActorTraining, objective: Objective
    ) -> None:
        self._actor, self._lessons, self._training, self._objective = actor, lessons, training, objective
        self._held = held
        self._probes = held.select(slice(0, training.probes))
        self._generator = torch.Generator().manual_seed(training.schedule.seed)
        self._optimizer = Optimizer(actor, training.schedule)
        self._health = Health(limits=training.health)
        self._taught: tuple[Requests, Tensor, Tensor] | None = None

    def go(self, run: Run, on_progress: OnProgress) -> None:
        """Train to the end, from where the run stands."""
        schedule = self._training.schedule
        parts: dict[str, Any] = {"actor": self._actor, "optimizer": self._optimizer.adamw}
        place = run.load(parts, self._generator) or {"step": 0, "best_reward": -torch.inf, "bad": {}}
        self._health.best_reward, self._health.bad = place["best_reward"], dict(place["bad"])
        journal = Journal(run.folder / "log.csv", after_step=place["step"])
        for step in range(place["step"], schedule.steps):
            figures = self._step(step)
            done = step + 1
            is_report = done % schedule.report_every == 0 or done == schedule.steps
            verdict = self._look(done, figures) if is_report else None
            if is_report:
                journal.write(done, figures)
                place = {"step": done, "best_reward": self._health.best_reward, "bad": self._health.bad}
                run.save(parts, self._generator, place)
            shown = figures if is_report else {}
            on_progress(TrainingProgress(name="actor", step=done, steps=schedule.steps, figures=shown))
            if verdict:
                raise TrainingFailed(f"the actor has collapsed at step {done}: {verdict}", hint=_HINT)

    def report(self) -> ActorReport:
        """How good the actor is on the requests held back."""
        requests, weights_BK = self._held.requests, self._fixed_weights(self._held.requests.B)
        size = self._training.size
        own_BN = self._actor.greedy(requests, weights_BK, size)
        greedy_BN = marginal_greedy_in_parts(self._objective, requests, weights_BK, size)
        own_B = self._reward(requests, weights_BK, own_BN)
        greedy_B = self._reward(requests, weights_BK, greedy_BN)
        logged_B = None
        if self._held.shown_BN is not None:
            logged_B = self._reward(requests, weights_BK, self._held.shown_BN[:, :size])
        return ActorReport(
            reward=own_B.mean().item(),
            greedy_reward=greedy_B.mean().item(),
            beats_greedy=(own_B >= greedy_B).float().mean().item(),
            beats_logged=None if logged_B is None else (own_B >= logged_B).float().mean().item(),
            distinct=self._distinct(),
        )

    def _step(self, step: int) -> dict[str, float]:
        if step < self._training.warm_start_steps:
            return self._imitate(step)
        lesson = self._lesson()
        drawn, loss, reward = self._explored(lesson) if self._training.baseline == "exchange" else self._drawn(lesson)
        left = 1 - step / self._training.schedule.steps
        bonus = self._training.entropy * left * drawn.entropy_BSN.sum(-1).mean()
        norm = self._optimizer.step(loss - bonus, step)
        return {"sampled_reward": reward, "entropy": entropy_share(drawn), "gradient": norm}

    def _lesson(self) -> Lesson:
        training, batch = self._training, self._training.schedule.batch
        rows_B = torch.randint(self._lessons.requests.B, (batch,), generator=self._generator)
        weights_BK = draw_weights(training.weights, batch, self._actor.shape.utilities, self._generator)
        fewest = max(1, round(training.shortest * training.size))
        size = int(torch.randint(fewest, training.size + 1, (), generator=self._generator))
        return Lesson(lessons=self._lessons.select(rows_B), weights_BK=weights_BK, size=size)

    def _explored(self, lesson: Lesson) -> tuple[Slates, Tensor, float]:
        """A slate drawn, the loss by others tried in each slot, the slate's mean reward."""
        requests, weights_BK, size = lesson.requests, lesson.weights_BK, lesson.size
        trial = Trial(count=self._training.tried, generator=self._generator)
        drawn = self._actor.chosen(requests, weights_BK, size, trial.choose)
        slate_BVN = tried_slates(requests, drawn.slate_BSN[:, 0], trial.item_BNK)
        reward_BNK = self._objective.reward(requests, weights_BK, slate_BVN).reshape(requests.B, size, -1)
        return drawn, exchange_loss(trial.log_prob_BNK, reward_BNK), reward_BNK[..., 0].mean().item()

    def _drawn(self, lesson: Lesson) -> tuple[Slates, Tensor, float]:
        """Slates drawn, the loss against the baseline, their mean reward."""
        drawn = self._actor.sample(
            *(lesson.requests, lesson.weights_BK, lesson.size),
            generator=self._generator,
            samples=self._training.samples,
        )
        reward_BS = self._objective.reward(lesson.requests, lesson.weights_BK, drawn.slate_BSN)
        reinforce = Reinforce(actor=self._actor, training=self._training, objective=self._objective)
        return drawn, reinforce.loss(lesson, drawn, reward_BS), reward_BS.mean().item()

    def _imitate(self, step: int) -> dict[str, float]:
        """One step of likelihood of the teacher's slates."""
        requests, weights_BK, slate_BN = self._teachings()
        rows_B = torch.randint(requests.B, (self._training.schedule.batch,), generator=self._generator)
        drawn = self._actor.log_prob(requests.select(rows_B), weights_BK[rows_B], slate_BN[rows_B].unsqueeze(1))
        norm = self._optimizer.step(-drawn.log_prob_BSN.sum(-1).mean(), step)
        reward_B = self._reward(requests.select(rows_B), weights_BK[rows_B], slate_BN[rows_B])
        return {"sampled_reward": reward_B.mean().item(), "entropy": entropy_share(drawn), "gradient": norm}

    def _teachings(self) -> tuple[Requests, Tensor, Tensor]:
        """Requests, weights and the teacher's slates: the same whenever the run is resumed."""
        if self._taught is None:
            generator = torch.Generator().manual_seed(self._training.schedule.seed)
            count = self._training.teacher_lists
            rows_B = torch.randint(self._lessons.requests.B, (count,), generator=generator)
            requests = self._lessons.requests.select(rows_B)
            weights_BK = draw_weights(self._training.weights, count, self._actor.shape.utilities, generator)
            size, rounds = self._training.size, self._training.teacher_rounds
            slate_BN = marginal_greedy_in_parts(self._objective, requests, weights_BK, size)
            slate_BN = improved(self._objective, requests, weights_BK, slate_BN, rounds)
            self._taught = (requests, weights_BK, slate_BN)
        return self._taught

    def _look(self, done: int, figures: dict[str, float]) -> str | None:
        """Add what greedy slates of the probes are worth to the figures; why the run has collapsed, if it has."""
        weights_BK = self._fixed_weights(self._probes.requests.B)
        slate_BN = self._actor.greedy(self._probes.requests, weights_BK, self._training.size)
        figures["reward"] = self._reward(self._probes.requests, weights_BK, slate_BN).mean().item()
        figures["distinct"] = self._distinct()
        share = done / self._training.schedule.steps
        signs = Signs(share=share, entropy=figures["entropy"], distinct=figures["distinct"], reward=figures["reward"])
        return self._health.look(signs)

    def _distinct(self) -> float:
        corner_VK = corners(self._actor.shape.utilities)
        requests = self._probes.requests
        slates = [
            self._actor.greedy(requests, corner_K.expand(requests.B, -1), self._training.size)
            for corner_K in corner_VK
        ]
        return distinct_share(torch.stack(slates, dim=1))

    def _fixed_weights(self, batch: int) -> Tensor:
        generator = torch.Generator().manual_seed(self._training.schedule.seed + PROBE_SEED)
        return draw_weights(self._training.weights, batch, self._actor.shape.utilities, generator)

    def _reward(self, requests: Requests, weights_BK: Tensor, slate_BN: Tensor) -> Tensor:
        return self._objective.reward(requests, weights_BK, slate_BN.unsqueeze(1)).squeeze(1)


_HINT: Final = "raise the entropy bonus or the samples, lower the learning rate, or look at the utilities' spread"


def entropy_share(drawn: Slates) -> float:
    """Mean entropy of choices between two or more, as a share of that of a uniform choice."""
    most_BSN = drawn.choices_BSN.clamp(min=1).log()
    return (drawn.entropy_BSN.sum() / most_BSN.sum().clamp(min=1e-9)).item()


def _check(lessons: Lessons, shape: InputShape, training: ActorTraining, objective: Objective, held: int) -> None:
    if held >= lessons.requests.B:
        raise LogInvalid(f"of {lessons.requests.B} requests, {held} can't be held back", hint="log more lists")
    if training.baseline == "logged" and lessons.shown_BN is None:
        raise LogInvalid("the baseline is the logged list, and there are none", hint="use leave_one_out")
    if shape.utilities != len(objective.utilities):
        raise ModelInvalid(
            f"the actor is for {shape.utilities} utilities, the objective has {len(objective.utilities)}"
        )
