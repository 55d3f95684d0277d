"""How parameters are moved: AdamW, warmup, a cosine down."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ranker.errors import TrainingFailed
from ranker.training.config import Schedule


class Optimizer:
    """AdamW that decays matrices and leaves vectors, its learning rate set by how far the run is."""

    def __init__(self, model: nn.Module, schedule: Schedule) -> None:
        self._schedule = schedule
        self._parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        matrices = [parameter for parameter in self._parameters if parameter.ndim > 1]
        vectors = [parameter for parameter in self._parameters if parameter.ndim <= 1]
        groups = [{"params": matrices, "weight_decay": schedule.weight_decay}, {"params": vectors, "weight_decay": 0}]
        self.adamw = torch.optim.AdamW(groups, lr=schedule.learning_rate)

    def step(self, loss: Tensor, done: int) -> float:
        """One step down the loss; gives the norm of the gradient before it was clipped.

        Raises:
            TrainingFailed: If the gradient isn't finite.
        """
        for group in self.adamw.param_groups:
            group["lr"] = self._rate(done)
        self.adamw.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        norm = nn.utils.clip_grad_norm_(self._parameters, self._schedule.clip).item()
        if not math.isfinite(norm):
            raise TrainingFailed(f"the gradient of step {done} isn't finite", hint="lower the learning rate")
        self.adamw.step()
        return norm

    def _rate(self, done: int) -> float:
        warmup = min(1.0, (done + 1) / max(1, self._schedule.warmup_steps))
        share = min(1.0, done / max(1, self._schedule.steps))
        return self._schedule.learning_rate * warmup * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)
