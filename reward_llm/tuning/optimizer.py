"""How weights are moved: AdamW, and its learning rate over a run."""

from __future__ import annotations

import math

import torch
from torch import nn


def learning_rate(highest: float, warmup_steps: int, step: int, share: float) -> float:
    """Linear warmup, then a cosine down to a fiftieth; `share` of the run, in [0, 1], is behind it."""
    warmup = min(1.0, (step + 1) / warmup_steps)
    return highest * warmup * (0.02 + 0.98 * (1 + math.cos(math.pi * share)) / 2)


def adamw(model: nn.Module, highest_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW that decays matrices and leaves vectors."""
    matrices = [p for p in model.parameters() if p.requires_grad and p.ndim > 1]
    vectors = [p for p in model.parameters() if p.requires_grad and p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=highest_rate, betas=(0.9, 0.98), fused=True)
