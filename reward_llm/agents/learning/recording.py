"""Actors that try things, and the record of what came of it.

decide --> one row for every agent: what it saw, did, and how likely that was
reward --> added to the agent's last row
rollout -> the rows of each agent in their order
"""

# B agents, A parts of an action, R rows, K decisions of an agent, N agents recorded

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from reward_llm.agents.allocation import FloatArray, IntArray
from reward_llm.agents.learning.minds import KINDS, Kind, Question
from reward_llm.agents.learning.networks import Actor
from reward_llm.agents.learning.rollout import Rollout

NOBODY = -1
"""In the place of a row."""


@dataclass(slots=True, kw_only=True)
class _Tape:
    """The rows of one kind."""

    agent_R: list[int] = field(default_factory=list)
    day_R: list[int] = field(default_factory=list)
    reward_R: list[float] = field(default_factory=list)
    observation: list[Tensor] = field(default_factory=list)
    state: list[Tensor] = field(default_factory=list)
    joint: list[Tensor] = field(default_factory=list)
    raw: list[Tensor] = field(default_factory=list)
    log_prob: list[Tensor] = field(default_factory=list)
    last: dict[int, int] = field(default_factory=dict)
    """The row of an agent's last decision."""


class RecordingMinds:
    """Minds that sample actions and write them down.

    Args:
        bound: Raw actions are held within it.
        every: Only users whose number it divides are written down; all of them try things.
        noise: Standard deviation of the actions, in place of the actors' own.
    """

    def __init__(
        self,
        actors: Mapping[Kind, Actor],
        generator: torch.Generator,
        *,
        bound: float = np.inf,
        every: int = 1,
        noise: float | None = None,
    ) -> None:
        self._actors, self._generator, self._bound, self._every = actors, generator, bound, every
        self._noise = noise
        self._tapes: dict[Kind, _Tape] = {kind: _Tape() for kind in KINDS}
        self._mean: dict[Kind, Tensor] = {
            kind: torch.zeros(len(actor.log_deviation_A)) for kind, actor in actors.items()
        }
        self._market_G: Tensor | None = None
        self.day = 0

    def decide(self, question: Question) -> FloatArray:
        """A sample of the actor's distribution."""
        kind = question.kind
        observation_BO, state_BS = torch.from_numpy(question.observation_BO), torch.from_numpy(question.state_BS)
        with torch.no_grad():
            raw_BA, log_prob_B = self._sampled(self._actors[kind], observation_BO)
        raw_BA = raw_BA.clamp(-self._bound, self._bound)
        self._mean[kind] = raw_BA.mean(0)
        if kind == "orchestrator":
            self._market_G = state_BS[0]
        if self._market_G is not None:
            self._write(question, observation_BO, state_BS, raw_BA, log_prob_B)
        answer: FloatArray = raw_BA.numpy()
        return answer

    def reward(self, kind: Kind, agents_B: IntArray, reward_B: FloatArray) -> None:
        """Add to what came of these agents' last decisions; agents without any are left out."""
        tape = self._tapes[kind]
        for agent, reward in zip(agents_B.tolist(), reward_B.tolist(), strict=True):
            row = tape.last.get(agent, NOBODY)
            if row != NOBODY:
                tape.reward_R[row] += reward

    def reward_return(self, worth: float) -> None:
        """Pay the last decision of a user's day for a visit on the next day."""
        tape = self._tapes["user"]
        before: dict[int, tuple[int, int]] = {}
        for row, (agent, day) in enumerate(zip(tape.agent_R, tape.day_R, strict=True)):
            if agent in before and day == before[agent][1] + 1:
                tape.reward_R[before[agent][0]] += worth
            before[agent] = (row, day)

    def rollout(self, kind: Kind) -> Rollout | None:
        """All decisions of a kind; None if there are none."""
        tape = self._tapes[kind]
        if not tape.agent_R:
            return None
        agents, agent_R = np.unique(np.array(tape.agent_R), return_inverse=True)
        order_R = np.argsort(agent_R, kind="stable")
        count_N = np.bincount(agent_R)
        nth_R = np.empty(len(agent_R), dtype=np.int64)
        nth_R[order_R] = np.arange(len(agent_R)) - np.repeat(np.cumsum(count_N) - count_N, count_N)
        place = (torch.from_numpy(nth_R), torch.from_numpy(agent_R.astype(np.int64)))
        shape = (int(count_N.max()), len(agents))

        def scattered(rows: Tensor) -> Tensor:
            whole = rows.new_zeros(*shape, *rows.shape[1:])
            whole[place] = rows
            return whole

        return Rollout(
            observation_TNO=scattered(torch.cat(tape.observation)),
            state_TNG=scattered(torch.cat(tape.state)),
            joint_TNJ=scattered(torch.cat(tape.joint)),
            raw_TNA=scattered(torch.cat(tape.raw)),
            log_prob_TN=scattered(torch.cat(tape.log_prob)),
            reward_TN=scattered(torch.tensor(tape.reward_R)),
            terminated_TN=torch.zeros(shape, dtype=torch.bool),
            present_TN=scattered(torch.ones(len(agent_R), dtype=torch.bool)),
        )

    def _sampled(self, actor: Actor, observation_BO: Tensor) -> tuple[Tensor, Tensor]:
        if self._noise is None:
            return actor.sample(observation_BO, self._generator)
        mean_BA = actor(observation_BO)
        noise_BA = self._noise * torch.randn(mean_BA.shape, generator=self._generator)
        return mean_BA + noise_BA, torch.zeros(len(mean_BA))

    def _write(
        self, question: Question, observation_BO: Tensor, state_BS: Tensor, raw_BA: Tensor, log_prob_B: Tensor
    ) -> None:
        tape, market_G = self._tapes[question.kind], self._market_G
        assert market_G is not None  # noqa: S101 - asked for above
        is_kept_B = torch.ones(len(state_BS), dtype=torch.bool)
        if question.kind == "user":
            is_kept_B = torch.from_numpy(question.agents_B % self._every == 0)
        kept = int(is_kept_B.sum())
        tape.observation.append(observation_BO[is_kept_B])
        tape.state.append(torch.cat([state_BS[is_kept_B], market_G.expand(kept, -1)], dim=1))
        tape.joint.append(torch.cat([self._mean[name] for name in KINDS]).expand(kept, -1))
        tape.raw.append(raw_BA[is_kept_B])
        tape.log_prob.append(log_prob_B[is_kept_B])
        for agent in question.agents_B[is_kept_B.numpy()].tolist():
            tape.last[agent] = len(tape.agent_R)
            tape.agent_R.append(agent)
            tape.day_R.append(self.day)
            tape.reward_R.append(0.0)
