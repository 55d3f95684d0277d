"""The actors and critics of the three kinds, made for a marketplace and a number of topics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import torch
from torch import Tensor

from reward_llm.agents.content.agent import STATE as CONTENT_STATE
from reward_llm.agents.content.agent import content_choices
from reward_llm.agents.learning.config import MADDPGConfig, PPOConfig
from reward_llm.agents.learning.maddpg import MADDPG
from reward_llm.agents.learning.minds import KINDS, Kind
from reward_llm.agents.learning.networks import Actor, Critic, Perceptron
from reward_llm.agents.learning.ppo import PPO
from reward_llm.agents.learning.rollout import Rollout
from reward_llm.agents.orchestrator.agent import STATE as MARKET_STATE
from reward_llm.agents.orchestrator.agent import orchestrator_choices
from reward_llm.agents.orchestrator.marketplace import MarketplaceConfig
from reward_llm.agents.users.agent import user_choices
from reward_llm.agents.users.network import BehaviourBody
from reward_llm.agents.users.observation import STATE as USER_STATE
from reward_llm.agents.users.observation import click_width

CRITIC_HIDDEN: Final = (64, 64)
STATES: Final[Mapping[Kind, int]] = {"user": USER_STATE, "content": CONTENT_STATE, "orchestrator": MARKET_STATE}
"""Facts of an agent's own state; the central critic reads the market's beside them."""


class Teacher(Protocol):
    """Teaches the actor of one kind: `PPO` or `MADDPG`."""

    actor: Actor

    def learn(self, rollout: Rollout, generator: torch.Generator) -> dict[str, float]:
        """Learn from a rollout; gives what it came to."""

    def state_dict(self) -> dict[str, object]:
        """All that it takes to go on."""

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Go on from a state."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamShape:
    """What a team is made for."""

    marketplace: MarketplaceConfig
    topics: int


def actions(shape: TeamShape) -> dict[Kind, int]:
    """Parts of the action of every kind."""
    config = shape.marketplace
    return {
        "user": user_choices(config.users).count,
        "content": content_choices(config.content).count,
        "orchestrator": orchestrator_choices(config.orchestrator.allotment).count,
    }


def new_actors(shape: TeamShape, seed: int) -> dict[Kind, Actor]:
    """Untrained actors; a seed fixes them."""
    config, parts = shape.marketplace, actions(shape)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed)
        behaviour = BehaviourBody(USER_STATE, click_width(shape.topics), config.users)
        content = Perceptron(CONTENT_STATE, config.content.hidden)
        orchestrator = Perceptron(MARKET_STATE, config.orchestrator.hidden)
        return {
            "user": Actor(behaviour, behaviour.width, parts["user"]),
            "content": Actor(content, content.width, parts["content"]),
            "orchestrator": Actor(orchestrator, orchestrator.width, parts["orchestrator"]),
        }


def new_teachers(shape: TeamShape, config: PPOConfig | MADDPGConfig, seed: int) -> dict[Kind, Teacher]:
    """A teacher for every kind, by one algorithm, each with an actor and a central critic of its own."""
    actors, parts = new_actors(shape, seed), actions(shape)
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(seed + 1)
        teachers: dict[Kind, Teacher] = {}
        for kind in KINDS:
            state = STATES[kind] + MARKET_STATE
            if isinstance(config, PPOConfig):
                teachers[kind] = PPO(actors[kind], Critic(state, CRITIC_HIDDEN), config)
            else:
                width = state + parts[kind] + sum(parts.values())
                teachers[kind] = MADDPG(actors[kind], Critic(width, CRITIC_HIDDEN), config)
    return teachers


def parameters(actor: Actor) -> dict[str, Tensor]:
    """An actor's parameters, for a checkpoint."""
    return {name: tensor.detach().clone() for name, tensor in actor.state_dict().items()}
