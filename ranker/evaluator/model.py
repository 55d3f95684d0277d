"""The evaluator: what comes of a slate.

requests --> items --.                       .--> click, purchase   at every position
                      +--> five channels --> +
slates --------------'                       '--> satisfaction, retention   of the slate

The click is the examination of the position times the attraction of the item among the others; the purchase is the
click times the probability to buy after it, learned over all that was shown (ESMM, Ma et al. 2018).

What the log says about positions is confounded: better items were put higher, and repeats come lower. So the
examination is learned beside a head that sees an item, how often its seller and category came before it, and no
position (`pointwise_logits`); the heads that see the slate take it as given: what they learn of positions is what the
examination doesn't explain. Predictions use the examination of each position,
since a position is looked at less wherever the slate comes from; `averaged_position` spreads it evenly instead.

B batch, M candidates, S slates a request, N positions, R = B S, D width of an item, H heads.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from ranker.config import EvaluatorConfig, InputShape
from ranker.errors import ValueOutOfRange
from ranker.evaluator.channels import PER_ITEM, PER_SLATE, Channels
from ranker.evaluator.examination import Examination
from ranker.item_input import ItemInput
from ranker.relations import REPEATS
from ranker.requests import EMPTY, Requests, SlatePredictions


class Head(IntEnum):
    """What is predicted, and its place among the calibrations."""

    ATTRACTION = 0
    BUYING = 1
    SATISFACTION = 2
    RETENTION = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SlateLogits:
    """Log-odds as learned, before calibration."""

    attraction_BSN: Tensor
    """Of a click where the position is examined."""
    buying_BSN: Tensor
    """Of a purchase after a click."""
    satisfaction_BS: Tensor
    retention_BS: Tensor


class Evaluator(nn.Module):
    """Predicts what comes of slates; trained first, then frozen."""

    scale_H: Tensor
    shift_H: Tensor

    def __init__(self, shape: InputShape, config: EvaluatorConfig) -> None:
        super().__init__()
        self.shape, self.config = shape, config
        width, channel = config.input.hidden, config.channel
        self.read = ItemInput(shape, config.input)
        self.examination = Examination(config.slate)
        self.channels = Channels(config)
        self.pointwise = nn.Sequential(nn.Linear(width, channel), nn.ReLU(), nn.Linear(channel, 2))
        self.repeated = nn.Linear(REPEATS, 2, bias=False)
        self.of_item = nn.Linear(width + PER_ITEM * channel, channel)
        self.of_slate = nn.Linear(PER_SLATE * channel, channel)
        self.item_out = nn.Linear(channel, 2)
        self.slate_in = nn.Linear((PER_ITEM + PER_SLATE) * channel, channel)
        self.slate_out = nn.Linear(channel, 2)
        self.register_buffer("scale_H", torch.ones(len(Head)))
        self.register_buffer("shift_H", torch.zeros(len(Head)))

    def logits(self, requests: Requests, slate_BSN: Tensor) -> SlateLogits:
        """What was learned of S slates a request.

        Raises:
            ValueOutOfRange: If a slate has more positions than the evaluator knows.
        """
        if slate_BSN.shape[-1] > self.config.slate:
            message = f"a slate of {slate_BSN.shape[-1]}; the evaluator knows {self.config.slate} positions"
            raise ValueOutOfRange(message, hint="rank shorter slates, or train an evaluator for longer ones")
        item_RND, filled_RN = self._shown(requests, slate_BSN)
        views = self.channels(item_RND, filled_RN)
        own_RNC = self.of_item(torch.cat([item_RND, views.item_RNC], dim=-1))
        item_RN2 = self.item_out(torch.relu(own_RNC + self.of_slate(views.slate_RC).unsqueeze(1)))
        whole_RC = torch.relu(self.slate_in(torch.cat([views.end_RC, views.slate_RC], dim=-1)))
        attraction, buying = item_RN2.reshape(*slate_BSN.shape, 2).unbind(-1)
        satisfaction, retention = self.slate_out(whole_RC).reshape(*slate_BSN.shape[:2], 2).unbind(-1)
        return SlateLogits(
            attraction_BSN=attraction, buying_BSN=buying, satisfaction_BS=satisfaction, retention_BS=retention
        )

    def pointwise_logits(self, requests: Requests, slate_BSN: Tensor) -> Tensor:
        """Log-odds of attraction and buying as `logit_BSN2`, from the item, the user and repeats above it alone.

        Unknown sellers and categories repeat nothing: their count would only say how far down the item stands.
        """
        at_BSN = slate_BSN.clamp(min=0)
        row_B11 = torch.arange(requests.B, device=slate_BSN.device)[:, None, None]
        trait_BM2 = torch.stack([requests.seller_BM, requests.category_BM], dim=-1)
        trait_BSN2 = trait_BM2[row_B11, at_BSN]
        known_BSN12 = (trait_BSN2 != 0).unsqueeze(-2)
        same_BSNN2 = ((trait_BSN2.unsqueeze(-2) == trait_BSN2.unsqueeze(-3)) & known_BSN12).float()
        above_NN1 = (
            torch.ones(slate_BSN.shape[-1], slate_BSN.shape[-1], device=slate_BSN.device).tril(-1).unsqueeze(-1)
        )
        own_BSN2: Tensor = self.pointwise(self.read(requests))[row_B11, at_BSN]
        repeats_BSN2: Tensor = self.repeated((same_BSNN2 * above_NN1).sum(-2))
        return own_BSN2 + repeats_BSN2

    @torch.no_grad()
    def predict(self, requests: Requests, slate_BSN: Tensor) -> SlatePredictions:
        """What to expect of S slates a request, calibrated.

        Raises:
            ValueOutOfRange: If a slate has more positions than the evaluator knows.
        """
        logits = self.logits(requests, slate_BSN)
        click_BSN = (
            self.log_examination(slate_BSN) + logsigmoid(self.calibrated(logits.attraction_BSN, Head.ATTRACTION))
        ).exp()
        return SlatePredictions(
            click_BSN=click_BSN,
            purchase_BSN=click_BSN * self.calibrated(logits.buying_BSN, Head.BUYING).sigmoid(),
            satisfaction_BS=self.calibrated(logits.satisfaction_BS, Head.SATISFACTION).sigmoid(),
            retention_BS=self.calibrated(logits.retention_BS, Head.RETENTION).sigmoid(),
        )

    def log_examination(self, slate_BSN: Tensor) -> Tensor:
        """The log of the examination of the slates' positions, as predictions use it."""
        log_N = self.examination.log_prob(slate_BSN.shape[-1])
        if not self.config.averaged_position:
            return log_N.expand_as(slate_BSN)
        filled_BSN = (slate_BSN != EMPTY).float()
        mean_BS1 = (log_N.exp() * filled_BSN).sum(-1, keepdim=True) / filled_BSN.sum(-1, keepdim=True).clamp(min=1)
        return mean_BS1.clamp(min=1e-9).log().expand_as(slate_BSN)

    def calibrated(self, logit: Tensor, head: Head) -> Tensor:
        """The log-odds after calibration (Platt 1999): scale times logit plus shift."""
        return logit * self.scale_H[head] + self.shift_H[head]

    def frozen(self) -> Evaluator:
        """Itself, for predictions only."""
        return self.eval().requires_grad_(False)

    def _shown(self, requests: Requests, slate_BSN: Tensor) -> tuple[Tensor, Tensor]:
        item_BMD = self.read(requests)
        filled_BSN = slate_BSN != EMPTY
        row_B11 = torch.arange(requests.B, device=slate_BSN.device)[:, None, None]
        item_BSND = item_BMD[row_B11, slate_BSN.clamp(min=0)]
        return (item_BSND * filled_BSN.unsqueeze(-1)).flatten(0, 1), filled_BSN.flatten(0, 1)
