"""The slate is written slot by slot: a pointer decoder.

    h_0     = tanh(W_s set + b_w)                                       the state, before any item
    s_tj    = v_w . tanh(K_w e_j + W_h h_t + p_t + C_w c_tj) + u_w . c_tj + a_w . e_j
    pi_tj   = softmax over the candidates that slot t is open to        (pointer: Vinyals et al. 2015)
    h_{t+1} = GRU(e_chosen, h_t)                                        (Cho et al. 2014)

c_tj is the local context of candidate j in the slate begun so far: how many of those shown have its seller, its
category, a later or an earlier group, are new or not where j is new; whether any had, and whether the last had, its
seller or category. p_t says how far the slate is. Parameters with index w come from the hypernetwork. This is the
decoder with context-enhanced attention of Chen et al. 2023; u_w and a_w, which pass by the tanh, are added here: a
marginal gain that is linear in the context is then exact. What doesn't change from slot to slot is computed once.

B batch, M candidates, N slate, D hidden, A attention, R relations, X context features.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from ranker.config import ActorConfig
from ranker.encoder import Encoded
from ranker.masks import REFUSED
from ranker.relations import RELATIONS, REPEATS

CONTEXT: Final = RELATIONS + 2 * REPEATS
"""X: shares of the slots, by relation; whether seller and category were shown; whether the last slot had them."""
PROGRESS: Final = 3
"""Features of a slot: share of the slots before it, share from it on, one over the slate's size."""


class Memory(NamedTuple):
    """All of a request that doesn't change from slot to slot, at the weights it is ranked for.

    The attention's columns have one more, A + 1: the part that passes by the tanh.
    """

    row_B: Tensor
    """Rows of `share` and `item`, which samples of a request have in common."""
    share_BMMR: Tensor
    """The relations over the size of the slate."""
    item_BMD: Tensor
    closed_BNM: Tensor
    key_BMA: Tensor
    start_BD: Tensor
    progress_NA: Tensor
    context_BXA: Tensor
    value_BA1: Tensor

    def repeated(self, times: int) -> Memory:
        """Every request that many times, one after the other."""
        if times == 1:
            return self
        names = ("row_B", "closed_BNM", "key_BMA", "start_BD", "context_BXA", "value_BA1")
        return self._replace(**{name: getattr(self, name).repeat_interleave(times, dim=0) for name in names})


class State(NamedTuple):
    """A slate begun."""

    hidden_BD: Tensor
    share_BMR: Tensor
    """Of the slots, filled so far with items so related to the candidate."""
    last_BMR: Tensor
    taken_BM: Tensor


class Decoder(nn.Module):
    """Scores the candidates for a slot and takes in what was chosen."""

    def __init__(self, config: ActorConfig) -> None:
        super().__init__()
        hidden, attention = config.hidden, config.attention
        self.start = nn.Linear(hidden, hidden)
        self.recurrence = nn.GRUCell(hidden, hidden)
        self.query = nn.Linear(hidden, attention + 1, bias=False)
        self.progress = nn.Linear(PROGRESS, attention + 1)

    @staticmethod
    def sensitive(config: ActorConfig) -> dict[str, tuple[int, ...]]:
        """Names and shapes of the parameters that depend on the weights; sums run over the first dimension."""
        hidden, attention = config.hidden, config.attention
        return {
            "key": (hidden, attention + 1),
            "start": (hidden,),
            "context": (CONTEXT, attention + 1),
            "value": (attention, 1),
        }

    def remember(
        self, encoded: Encoded, relation_BMMR: Tensor, closed_BNM: Tensor, sensitive: dict[str, Tensor]
    ) -> Memory:
        """What stays the same through a slate; the parameters are those of each request."""
        size = closed_BNM.shape[1]
        before_N = torch.arange(size, device=closed_BNM.device) / size
        slot_NP = torch.stack([before_N, 1 - before_N, torch.full_like(before_N, 1 / size)], dim=-1)
        return Memory(
            row_B=torch.arange(closed_BNM.shape[0], device=closed_BNM.device),
            share_BMMR=relation_BMMR / size,
            item_BMD=encoded.item_BMD,
            closed_BNM=closed_BNM,
            key_BMA=encoded.item_BMD @ sensitive["key"],
            start_BD=torch.tanh(self.start(encoded.set_BD) + sensitive["start"]),
            progress_NA=self.progress(slot_NP),
            context_BXA=sensitive["context"],
            value_BA1=sensitive["value"],
        )

    def begin(self, memory: Memory) -> State:
        """The state before the first slot."""
        none_BMR = memory.key_BMA.new_zeros(*memory.key_BMA.shape[:2], RELATIONS)
        return State(memory.start_BD, none_BMR, none_BMR, torch.zeros_like(memory.closed_BNM[:, 0]))

    def score(self, memory: Memory, state: State, slot: int) -> Tensor:
        """The scores of the candidates for a slot as `score_BM`, `REFUSED` where one may not stand."""
        shared_BM2 = state.share_BMR[..., :REPEATS]
        context_BMX = torch.cat([state.share_BMR, shared_BM2.sign(), state.last_BMR[..., :REPEATS].sign()], dim=-1)
        query_BA = self.query(state.hidden_BD) + memory.progress_NA[slot]
        met_BMA = torch.baddbmm(memory.key_BMA + query_BA.unsqueeze(1), context_BMX, memory.context_BXA)
        score_BM1 = torch.baddbmm(met_BMA[..., -1:], torch.tanh(met_BMA[..., :-1]), memory.value_BA1)
        return score_BM1.squeeze(-1).masked_fill(memory.closed_BNM[:, slot] | state.taken_BM, REFUSED)

    def take(self, memory: Memory, state: State, item_B: Tensor) -> State:
        """The state after a slot was filled with the item.

        A slot that is open to none is followed by none that is, so what is taken for it doesn't matter.
        """
        share_BMR = memory.share_BMMR[memory.row_B, item_B]
        return State(
            self.recurrence(memory.item_BMD[memory.row_B, item_B], state.hidden_BD),
            state.share_BMR + share_BMR,
            share_BMR,
            state.taken_BM.scatter(1, item_B.unsqueeze(-1), True),
        )
