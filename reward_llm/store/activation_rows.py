"""Activations as they are written; every change of one is counted, so that boards learn of it."""

from __future__ import annotations

from dataclasses import replace

from reward_llm.domain.activation import Activation
from reward_llm.domain.goal import GoalState
from reward_llm.domain.policy import RewardPolicy
from reward_llm.store import codec
from reward_llm.store.feed import count_change
from reward_llm.store.tables import activations, goals
from reward_llm.store.writing import Writing


async def insert_activation(writing: Writing, planned: Activation) -> Activation:
    """Write a new activation, and mark the goal that its policy came from."""
    row = await writing.insert(activations, await _values(writing, planned))
    await _mark_activated(writing, planned.policy)
    return replace(planned, sequence=row[activations.c.sequence])


async def update_activation(writing: Writing, activation: Activation) -> None:
    """Write what an activation has become."""
    await writing.update(activations, activation.sequence, await _values(writing, activation))


async def _values(writing: Writing, activation: Activation) -> dict[str, object]:
    changed = await count_change(writing.connection)
    return codec.activation_values(activation) | {"changed": changed}


async def _mark_activated(writing: Writing, policy: RewardPolicy) -> None:
    if policy.source.is_reading:
        await writing.update(goals, policy.origin, {"state": GoalState.ACTIVATED.value})
