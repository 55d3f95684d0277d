"""What is to be expected of each action in each context, for the doubly robust estimate.

N decisions, C contexts, A actions, F folds.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from reward_llm.errors import LogUnusable
from reward_llm.feedback.offpolicy.decisions import Floats, Indices

FOLDS: Final = 5
STRENGTH: Final = 20.0
"""How many decisions the mean of all is worth beside those of a context and action."""


def cross_fitted(
    context_N: Indices,
    action_N: Indices,
    reward_N: Floats,
    target_CA: Floats,
    generator: np.random.Generator,
    folds: int = FOLDS,
) -> tuple[Floats, Floats]:
    """q(x_i, a_i) and sum_a pi(a | x_i) q(x_i, a) of every decision, by a model of the other folds' decisions.

    The model is the mean reward of the context and action, shrunk to that of the whole by `STRENGTH` decisions.
    Cross-fitting is that of Chernozhukov et al. 2018.

    Args:
        context_N: The context of each decision, 0 to C - 1.
        action_N: What was chosen, 0 to A - 1.
        reward_N: What came of it.
        target_CA: The other policy's probability of each action in each context.
        generator: Which decision is in which fold.
        folds: How many there are, at least 2.

    Raises:
        LogUnusable: If there are fewer decisions than folds, or contexts or actions that the target doesn't have.
    """
    count = len(reward_N)
    if count < folds:
        raise LogUnusable(f"{count} decisions are too few for {folds} folds")
    contexts, actions = target_CA.shape
    if context_N.max() >= contexts or action_N.max() >= actions or min(context_N.min(), action_N.min()) < 0:
        raise LogUnusable(f"there are contexts or actions outside of the target's {contexts} and {actions}")
    fold_N = generator.permutation(count) % folds
    predicted_N, expected_N = np.empty(count), np.empty(count)
    for fold in range(folds):
        others_N, own_N = fold_N != fold, fold_N == fold
        mean_CA = _means(context_N[others_N], action_N[others_N], reward_N[others_N], target_CA.shape)
        predicted_N[own_N] = mean_CA[context_N[own_N], action_N[own_N]]
        expected_N[own_N] = (target_CA * mean_CA).sum(1)[context_N[own_N]]
    return predicted_N, expected_N


def _means(context_N: Indices, action_N: Indices, reward_N: Floats, shape: tuple[int, ...]) -> Floats:
    sum_CA, count_CA = np.zeros(shape), np.zeros(shape)
    np.add.at(sum_CA, (context_N, action_N), reward_N)
    np.add.at(count_CA, (context_N, action_N), 1)
    mean_CA: Floats = (sum_CA + STRENGTH * reward_N.mean()) / (count_CA + STRENGTH)
    return mean_CA
