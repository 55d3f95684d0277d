"""Who decides for the agents: nobody yet, trained actors, or actors that try things."""

# B agents, O observation, S facts of the agents' states, A parts of an action

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import numpy as np
import torch

from reward_llm.agents.allocation import FloatArray, IntArray
from reward_llm.agents.learning.networks import Actor

Kind = Literal["user", "content", "orchestrator"]
KINDS: Final[tuple[Kind, ...]] = ("user", "content", "orchestrator")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Agents of one kind, and what each sees."""

    kind: Kind
    agents_B: IntArray
    """Numbers of the users or the items; 0 for the orchestrator."""
    observation_BO: FloatArray
    state_BS: FloatArray
    """What a central critic reads of the agents, beside what it reads of the market."""
    actions: int
    """A, the parts of the answer."""


class Minds(Protocol):
    """Answers with raw actions (`learning.choices`)."""

    def decide(self, question: Question) -> FloatArray:
        """A raw action for each agent, of shape B by A."""


class UntrainedMinds:
    """Every agent keeps to the centre of its choices."""

    def decide(self, question: Question) -> FloatArray:
        """Nothing but zeros."""
        return np.zeros((len(question.agents_B), question.actions), dtype=np.float32)


class TrainedMinds:
    """Each kind follows its actor, without trying anything."""

    def __init__(self, actors: Mapping[Kind, Actor]) -> None:
        self._actors = actors

    def decide(self, question: Question) -> FloatArray:
        """The mean of the actor's distribution."""
        with torch.inference_mode():
            raw_BA = self._actors[question.kind](torch.from_numpy(question.observation_BO))
        answer: FloatArray = raw_BA.numpy()
        return answer
