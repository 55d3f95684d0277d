"""Behaviour and state become one vector: a GRU over the clicks, one transformer layer over what it has read."""

# B users, L clicks, E facts of a click, S facts of the state, H hidden

from __future__ import annotations

import torch
from torch import Tensor, nn

from reward_llm.agents.learning.networks import HIDDEN_GAIN, orthogonal
from reward_llm.agents.users.config import UserAgentConfig


class BehaviourBody(nn.Module):
    """Reads an observation as `users.observation` lays it out: the state, then the clicks, oldest first.

    A place without a click is all zeros; the transformer doesn't look at it.
    """

    def __init__(self, state: int, click: int, config: UserAgentConfig) -> None:
        super().__init__()
        self._state, self._clicks, self._click = state, config.sequence, click
        self.recurrent = nn.GRU(click, config.recurrent, batch_first=True)
        self.attention = nn.MultiheadAttention(config.recurrent, config.heads, batch_first=True)
        self.before, self.after = nn.LayerNorm(config.recurrent), nn.LayerNorm(config.recurrent)
        self.forth = orthogonal(nn.Linear(config.recurrent, 2 * config.recurrent), HIDDEN_GAIN)
        self.back = orthogonal(nn.Linear(2 * config.recurrent, config.recurrent), HIDDEN_GAIN)
        self.join = orthogonal(nn.Linear(config.recurrent + state, config.hidden), HIDDEN_GAIN)
        self.width = config.hidden

    def forward(self, observation_BO: Tensor) -> Tensor:
        """A vector a user."""
        state_BS = observation_BO[:, : self._state]
        click_BLE = observation_BO[:, self._state :].reshape(-1, self._clicks, self._click)
        joined_BX = torch.cat([self._behaviour(click_BLE), state_BS], dim=-1)
        return torch.tanh(self.join(joined_BX))

    def _behaviour(self, click_BLE: Tensor) -> Tensor:
        """The last place's view of all places with a click; pre-norm, as Xiong et al. 2020."""
        is_click_BL = click_BLE.abs().sum(-1) > 0
        read_BLH, _ = self.recurrent(click_BLE)
        normed_BLH = self.before(read_BLH)
        # The last place stays open even without any click, since attention to nothing isn't a number.
        closed_BL = ~is_click_BL
        closed_BL = torch.cat([closed_BL[:, :-1], torch.zeros_like(closed_BL[:, -1:])], dim=1)
        seen_B1H, _ = self.attention(
            normed_BLH[:, -1:], normed_BLH, normed_BLH, key_padding_mask=closed_BL, need_weights=False
        )
        mixed_BH = (read_BLH[:, -1:] + seen_B1H).squeeze(1)
        lifted_BH: Tensor = mixed_BH + self.back(torch.relu(self.forth(self.after(mixed_BH))))
        return lifted_BH
