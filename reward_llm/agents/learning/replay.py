"""Decisions kept to learn from more than once."""

# R kept decisions, B decisions

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from reward_llm.agents.learning.rollout import Rollout, Taught, shifted


class Replay:
    """A ring of decisions, each with what the agent saw at its next one."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._columns: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return len(self._columns["reward"]) if self._columns else 0

    def add(self, rollout: Rollout) -> None:
        """Keep a rollout's decisions whose next one is known, or that terminated; the oldest make room."""
        fresh = _transitions(rollout)
        count = len(fresh["reward"])
        if not count:
            return
        if not self._columns:
            self._columns = {name: values[:0] for name, values in fresh.items()}
        grown = {name: torch.cat([self._columns[name], values]) for name, values in fresh.items()}
        self._columns = {name: values[-self._capacity :].clone() for name, values in grown.items()}

    def draw(self, count: int, generator: torch.Generator) -> dict[str, Tensor]:
        """Decisions at random, with repetition, by column."""
        rows_B = torch.randint(len(self), (count,), generator=generator)
        return {name: values[rows_B] for name, values in self._columns.items()}

    def state_dict(self) -> dict[str, Any]:
        """All that is kept."""
        return dict(self._columns)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self._columns = dict(state)


def _transitions(rollout: Rollout) -> dict[str, Tensor]:
    packed = rollout.packed()
    kept_TN = Taught.of(packed).taught_TN
    columns = {
        "observation": packed.observation_TNO,
        "state": packed.state_TNG,
        "joint": packed.joint_TNJ,
    }
    after = {f"next_{name}": shifted(values) for name, values in columns.items()}
    whole = {
        **columns,
        **after,
        "raw": packed.raw_TNA,
        "reward": packed.reward_TN,
        "terminated": packed.terminated_TN,
    }
    return {name: values[kept_TN] for name, values in whole.items()}
