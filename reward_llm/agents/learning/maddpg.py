"""Multi-agent deep deterministic policy gradient (Lowe et al. 2017), which PPO is compared with.

Agents of a kind share actor and critic, as under PPO. There are thousands of agents, so the critic reads, beside the
agent's own action, the mean action of every kind (the mean field of Yang et al. 2018) in place of each agent's.
"""

# B decisions

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn

from reward_llm.agents.learning.config import MADDPGConfig
from reward_llm.agents.learning.networks import Actor, Critic
from reward_llm.agents.learning.replay import Replay
from reward_llm.agents.learning.rollout import Rollout


class MADDPG:
    """Teaches one kind of agents.

    Args:
        critic: Reads the state, the agent's own raw action and the mean ones, in that order.
    """

    def __init__(self, actor: Actor, critic: Critic, config: MADDPGConfig) -> None:
        self.actor, self.critic, self._config = actor, critic, config
        self._target_actor, self._target_critic = copy.deepcopy(actor), copy.deepcopy(critic)
        self._actor_adam = torch.optim.Adam(actor.parameters(), lr=config.actor_rate)
        self._critic_adam = torch.optim.Adam(critic.parameters(), lr=config.critic_rate)
        self._replay = Replay(config.capacity)

    def learn(self, rollout: Rollout, generator: torch.Generator) -> dict[str, float]:
        """Remember a rollout, and take steps on what is remembered; gives what they came to."""
        self._replay.add(rollout)
        if not len(self._replay):
            return {}
        seen = [self._step(self._replay.draw(self._config.batch, generator)) for _ in range(self._config.updates)]
        return {name: sum(one[name] for one in seen) / len(seen) for name in seen[0]}

    def critic_loss(self, batch: dict[str, Tensor]) -> Tensor:
        """The squared error against what the targets foresee (Lowe et al. 2017, equation 6)."""
        with torch.no_grad():
            next_raw_BA = self._bounded(self._target_actor(batch["next_observation"]))
            next_value_B = self._value(self._target_critic, batch["next_state"], next_raw_BA, batch["next_joint"])
            goal_B = batch["reward"] + self._config.discount * torch.where(batch["terminated"], 0.0, next_value_B)
        value_B = self._value(self.critic, batch["state"], batch["raw"], batch["joint"])
        return (value_B - goal_B).square().mean()

    def actor_loss(self, batch: dict[str, Tensor]) -> Tensor:
        """What the critic makes of the actor's own actions, with the sign turned (Lowe et al. 2017, equation 5)."""
        raw_BA = self._bounded(self.actor(batch["observation"]))
        return -self._value(self.critic, batch["state"], raw_BA, batch["joint"]).mean()

    def state_dict(self) -> dict[str, Any]:
        """Networks, targets, optimizers and what is remembered."""
        return {name: part.state_dict() for name, part in self._parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for name, part in self._parts().items():
            part.load_state_dict(state[name])

    def _parts(self) -> dict[str, Any]:
        return {
            "actor": self.actor,
            "critic": self.critic,
            "target_actor": self._target_actor,
            "target_critic": self._target_critic,
            "actor_adam": self._actor_adam,
            "critic_adam": self._critic_adam,
            "replay": self._replay,
        }

    def _step(self, batch: dict[str, Tensor]) -> dict[str, float]:
        critic_loss = self.critic_loss(batch)
        self._descend(self._critic_adam, self.critic, critic_loss)
        actor_loss = self.actor_loss(batch)
        self._descend(self._actor_adam, self.actor, actor_loss)
        with torch.no_grad():
            for target, followed in ((self._target_actor, self.actor), (self._target_critic, self.critic)):
                for kept, fresh in zip(target.parameters(), followed.parameters(), strict=True):
                    kept.lerp_(fresh, self._config.follow)
        return {"critic_loss": critic_loss.item(), "actor_loss": actor_loss.item()}

    def _descend(self, adam: torch.optim.Adam, network: nn.Module, loss: Tensor) -> None:
        adam.zero_grad(set_to_none=True)
        torch.autograd.backward(loss, inputs=[p for p in network.parameters() if p.requires_grad])
        nn.utils.clip_grad_norm_(network.parameters(), self._config.gradient_clip)
        adam.step()

    def _bounded(self, raw_BA: Tensor) -> Tensor:
        return raw_BA.clamp(-self._config.bound, self._config.bound)

    @staticmethod
    def _value(critic: nn.Module, state_BG: Tensor, raw_BA: Tensor, joint_BJ: Tensor) -> Tensor:
        value_B: Tensor = critic(torch.cat([state_BG, raw_BA, joint_BJ], dim=-1))
        return value_B
