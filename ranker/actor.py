"""The actor: (user, candidates, weights) to a slate.

weights_BK --> simplex --> hypernet --> parameters --.
requests ----> augment --> encoder  --> candidates --+--> decoder --> slot by slot --> slate_BN

B batch, M candidates, S samples, N slate, K utilities.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ranker.config import MAX_CANDIDATES, MAX_SLATE, ActorConfig, InputShape
from ranker.decoder import Decoder, Memory
from ranker.encoder import Encoder
from ranker.errors import ShapeMismatch, ValueOutOfRange, WeightsInvalid
from ranker.hypernet import Hypernet, on_simplex
from ranker.masks import REFUSED, closed_slots, filled_slots
from ranker.relations import relations
from ranker.requests import EMPTY, Requests

Choose = Callable[[int, Tensor], Tensor]
"""Gives an item for every row, from the slot and the log-probabilities of the candidates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slates:
    """Slates and how likely the actor was to write them."""

    slate_BSN: Tensor
    """int64 index into the candidates, -1 in slots that stay empty (only at the end)."""
    log_prob_BSN: Tensor
    """Of each choice given those before it, in nats; 0 where there was none."""
    entropy_BSN: Tensor
    """Of the distribution that each choice was drawn from, in nats; 0 where nothing was open."""
    choices_BSN: Tensor
    """float32: how many candidates each slot was open to."""


class Actor(nn.Module):
    """One model for all weights."""

    def __init__(self, shape: InputShape, config: ActorConfig) -> None:
        super().__init__()
        self.shape, self.config = shape, config
        self.encoder = Encoder(shape, config)
        self.hypernet = Hypernet(shape.utilities, Decoder.sensitive(config), config.hypernet)
        self.decoder = Decoder(config)

    def forward(self, requests: Requests, weights_BK: Tensor, size: int) -> Tensor:
        """The greedy slates as `slate_BN`, unchecked: what is exported."""
        return self.write(requests, self.condition(weights_BK), size)

    def condition(self, weights_BK: Tensor) -> dict[str, Tensor]:
        """The parameters that the weights make: the same for every request, for as long as the weights are."""
        generated: dict[str, Tensor] = self.hypernet(on_simplex(weights_BK))
        return generated

    def write(self, requests: Requests, sensitive: dict[str, Tensor], size: int) -> Tensor:
        """The greedy slates as `slate_BN`, unchecked, for parameters of `condition`, one set a request."""
        memory = self.memory(requests, sensitive, size)
        state = self.decoder.begin(memory)
        chosen = [self.decoder.score(memory, state, 0).argmax(-1)]
        for slot in range(1, size):
            state = self.decoder.take(memory, state, chosen[-1])
            chosen.append(self.decoder.score(memory, state, slot).argmax(-1))
        return torch.where(filled_slots(requests, size), torch.stack(chosen, dim=1), EMPTY)

    def greedy(self, requests: Requests, weights_BK: Tensor, size: int) -> Tensor:
        """The slates of the likeliest choices, as `slate_BN`.

        Raises:
            WeightsInvalid: If weights are negative, not finite, all zero, or not one for every utility.
            ShapeMismatch: If the requests aren't of the actor's shape.
            ValueOutOfRange: If there are too many candidates or slots.
        """
        self.check(requests, weights_BK, size)
        with torch.inference_mode():
            slate_BN: Tensor = self.forward(requests, weights_BK, size)
            return slate_BN

    def sample(
        self, requests: Requests, weights_BK: Tensor, size: int, *, generator: torch.Generator, samples: int = 1
    ) -> Slates:
        """Slates drawn from the actor, with gradients.

        Raises:
            WeightsInvalid, ShapeMismatch, ValueOutOfRange: As `greedy`.
        """
        self.check(requests, weights_BK, size)

        def draw(_: int, log_prob_BM: Tensor) -> Tensor:
            return torch.multinomial(log_prob_BM.detach().exp(), 1, generator=generator).squeeze(-1)

        return self._rollout(requests, weights_BK, size, samples, draw)

    def chosen(
        self, requests: Requests, weights_BK: Tensor, size: int, choose: Choose, *, samples: int = 1
    ) -> Slates:
        """Slates that someone else chooses by the actor's log-probabilities, with gradients.

        Raises:
            WeightsInvalid, ShapeMismatch, ValueOutOfRange: As `greedy`.
        """
        self.check(requests, weights_BK, size)
        return self._rollout(requests, weights_BK, size, samples, choose)

    def log_prob(self, requests: Requests, weights_BK: Tensor, slate_BSN: Tensor) -> Slates:
        """How likely the actor is to write given slates, with gradients.

        A slate that breaks a mask gets a log-probability of about -1e9 at the slot that does.

        Raises:
            WeightsInvalid, ShapeMismatch, ValueOutOfRange: As `greedy`.
        """
        samples, size = slate_BSN.shape[1:]
        self.check(requests, weights_BK, size)
        flat_RN = slate_BSN.flatten(0, 1).clamp(min=0)
        return self._rollout(requests, weights_BK, size, samples, lambda slot, _: flat_RN[:, slot])

    def memory(self, requests: Requests, sensitive: dict[str, Tensor], size: int) -> Memory:
        """What stays the same through the slates of some requests, for parameters of `condition`."""
        relation_BMMR = relations(requests)
        encoded = self.encoder(requests, relation_BMMR)
        return self.decoder.remember(encoded, relation_BMMR, closed_slots(requests, size), sensitive)

    def _rollout(self, requests: Requests, weights_BK: Tensor, size: int, samples: int, choose: Choose) -> Slates:
        memory = self.memory(requests, self.condition(weights_BK), size).repeated(samples)
        state = self.decoder.begin(memory)
        columns: list[tuple[Tensor, ...]] = []
        for slot in range(size):
            score_BM = self.decoder.score(memory, state, slot)
            log_prob_BM = score_BM.log_softmax(-1)
            item_B = choose(slot, log_prob_BM)
            taken_B = log_prob_BM.gather(1, item_B.unsqueeze(-1)).squeeze(-1)
            entropy_B = -(log_prob_BM.exp() * log_prob_BM).sum(-1)
            columns.append((item_B, taken_B, entropy_B, (score_BM > REFUSED / 2).sum(-1).float()))
            state = self.decoder.take(memory, state, item_B)
        item, log_prob, entropy, choices = (
            torch.stack(column, dim=1).reshape(-1, samples, size) for column in zip(*columns, strict=True)
        )
        filled_B1N = filled_slots(requests, size).unsqueeze(1)
        return Slates(
            slate_BSN=torch.where(filled_B1N, item, EMPTY),
            log_prob_BSN=torch.where(filled_B1N, log_prob, 0),
            entropy_BSN=torch.where(filled_B1N, entropy, 0),
            choices_BSN=choices,
        )

    def check(self, requests: Requests, weights_BK: Tensor, size: int) -> None:
        """Make sure that the actor can rank the requests by the weights.

        Raises:
            WeightsInvalid, ShapeMismatch, ValueOutOfRange: As `greedy`.
        """
        _check_weights(weights_BK, requests.B, self.shape.utilities)
        widths = (requests.user_BF.shape[-1], requests.item_BMF.shape[-1], requests.item_id_BMC.shape[-1])
        wanted = (self.shape.user, self.shape.item, len(self.shape.vocabularies))
        if widths != wanted:
            raise ShapeMismatch(f"the actor reads {wanted} user, item and categorical features, not {widths}")
        if not (1 <= requests.M <= MAX_CANDIDATES and 1 <= size <= MAX_SLATE):
            message = f"{requests.M} candidates and {size} slots; there may be 1 to {MAX_CANDIDATES} and {MAX_SLATE}"
            raise ValueOutOfRange(message, hint="rank the best candidates of the stage before")


def _check_weights(weights_BK: Tensor, batch: int, utilities: int) -> None:
    if weights_BK.shape != (batch, utilities):
        raise WeightsInvalid(f"weights are of ({batch}, {utilities}), not {tuple(weights_BK.shape)}")
    # A sum in float64 can't overflow, and is NaN or infinite if a weight is.
    sum_B = weights_BK.sum(-1, dtype=torch.float64)
    if not bool((torch.isfinite(sum_B) & (sum_B > 0) & (weights_BK >= 0).all(-1)).all()):
        raise WeightsInvalid(
            "weights are finite, at least 0 and not all 0", hint="only their proportions matter, not their sum"
        )
