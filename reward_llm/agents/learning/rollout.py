"""What agents of one kind did and got."""

# T steps, N agents, O observation, G state, J joint action, A parts of an action, B decisions

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """The decisions of N agents over T steps; an agent needn't decide at every step."""

    observation_TNO: Tensor
    state_TNG: Tensor
    """What the central critic reads."""
    joint_TNJ: Tensor
    """Mean raw actions of every kind at the step, own kind included."""
    raw_TNA: Tensor
    log_prob_TN: Tensor
    reward_TN: Tensor
    """What came from the decision until the agent's next one."""
    terminated_TN: Tensor
    """Whether nothing comes after, as opposed to the record's ending."""
    present_TN: Tensor
    """Whether the agent decided; elsewhere the others hold anything."""

    def packed(self) -> Rollout:
        """The same with every agent's decisions moved together to the front."""
        order_TN = torch.argsort(~self.present_TN, dim=0, stable=True).long()
        return Rollout(**{field.name: _gathered(getattr(self, field.name), order_TN) for field in fields(self)})

    @classmethod
    def joined(cls, rollouts: Sequence[Rollout]) -> Rollout:
        """Agents of several markets side by side; shorter records are filled up with absence."""
        steps = max(len(rollout.reward_TN) for rollout in rollouts)
        return cls(
            **{
                field.name: torch.cat([_padded(getattr(rollout, field.name), steps) for rollout in rollouts], dim=1)
                for field in fields(cls)
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Taught:
    """Which decisions of a packed rollout teach, and how the record goes on after them.

    An agent's last decision teaches only if it terminated: of what else came of it the record knows nothing. Its
    value is what the decision before looks ahead to.
    """

    taught_TN: Tensor
    truncated_TN: Tensor
    """Whether the next decision, though known, doesn't teach."""

    @classmethod
    def of(cls, packed: Rollout) -> Taught:
        """Read from a packed rollout."""
        is_followed_TN = torch.zeros_like(packed.present_TN)
        is_followed_TN[:-1] = packed.present_TN[1:]
        taught_TN = packed.present_TN & (is_followed_TN | packed.terminated_TN)
        truncated_TN = torch.ones_like(taught_TN)
        truncated_TN[:-1] = ~taught_TN[1:]
        return cls(taught_TN=taught_TN, truncated_TN=truncated_TN & ~packed.terminated_TN)


def shifted(values: Tensor) -> Tensor:
    """The values of the next step; the last step's is its own."""
    return torch.cat([values[1:], values[-1:]])


def _gathered(values: Tensor, order_TN: Tensor) -> Tensor:
    index = order_TN if values.ndim == 2 else order_TN.unsqueeze(-1).expand_as(values)
    return values.gather(0, index)


def _padded(values: Tensor, steps: int) -> Tensor:
    return torch.cat([values, values.new_zeros(steps - len(values), *values.shape[1:])])
