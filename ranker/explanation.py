"""Why a slate is as it is: what each item brings to each term of the score, and which weight moved which item.

Two questions, two answers:

- *What is an item worth here?* Its marginal contribution to each term, with the slate as it is and the item taken out
  of it, so that those below move up (leave one out):

      c_ik = w_k (U_k(slate) - U_k(slate without i))

  U_k is a mean over what is shown, or worth the list as a whole, so contributions don't add up to R_w.

- *Which weight moved it?* For every utility k with a weight, the request is ranked with w_k = 0 and the others in
  the same proportions; an item that stands elsewhere then, or isn't shown, was moved by k.
"""

# B requests, S slates a request, N slate, K utilities, I items shown

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ranker.errors import ShapeMismatch, WeightsInvalid
from ranker.hypernet import on_simplex
from ranker.influence import influence_shares, nearby_slates
from ranker.objective import Objective
from ranker.requests import EMPTY, Requests
from ranker.utilities import normalised
from ranker.whatif import Rank


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedItem:
    """One item of a slate."""

    item: int
    """Its place among the candidates."""
    contribution_K: tuple[float, ...]
    """To every term w_k U_k."""
    slot_without_K: tuple[int | None, ...]
    """Where it stands if the utility weighs nothing; None if it isn't shown, or nothing else has a weight."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why one request's slate is as it is; all by utility, in the order of the objective's."""

    utilities: tuple[str, ...]
    weight_K: tuple[float, ...]
    value_K: tuple[float, ...]
    influence_K: tuple[float, ...]
    """Over the lists near the one that was shown, of this request alone."""
    items: tuple[ExplainedItem, ...]


def explain(
    requests: Requests,
    shown_BN: Tensor,
    objective: Objective,
    rank: Rank,
    weights_K: Tensor,
    *,
    nearby: int,
    generator: torch.Generator,
) -> Explanation:
    """Explain the slate of a batch of one request.

    Args:
        requests: The request.
        shown_BN: What was shown, which `nearby_slates` goes by; a slate of as many slots is ranked.
        objective: What slates are worth.
        rank: What ranks.
        weights_K: One for each utility.
        nearby: Slates that the influence shares are taken over.
        generator: Draws them.

    Raises:
        ShapeMismatch: If it isn't one request.
        WeightsInvalid: If there isn't one finite weight of at least 0 for each utility, or all are 0.
    """
    names = objective.utilities.names
    if requests.B != 1:
        raise ShapeMismatch(f"{requests.B} requests; one is explained at a time")
    if weights_K.shape != (len(names),):
        raise WeightsInvalid(f"there are {len(names)} utilities, and weights of {tuple(weights_K.shape)}")
    simplex_K = on_simplex(normalised(weights_K.unsqueeze(0)))[0]
    size = shown_BN.shape[1]
    slate_N = rank(requests, simplex_K.unsqueeze(0), size)[0]
    filled = int((slate_N != EMPTY).sum())
    value_SK = objective.values(requests, torch.stack([slate_N, *_left_out(slate_N, filled)]).unsqueeze(0))[0]
    contribution_IK = (value_SK[0] - value_SK[1:]) * simplex_K
    without = [_without(rank, requests, simplex_K, utility, size) for utility in range(len(names))]
    nearby_BSN = nearby_slates(requests, shown_BN, nearby, generator=generator)
    influence_K = influence_shares(simplex_K, objective.values(requests, nearby_BSN))
    return Explanation(
        utilities=names,
        weight_K=tuple(simplex_K.tolist()),
        value_K=tuple(value_SK[0].tolist()),
        influence_K=tuple(influence_K.tolist()),
        items=tuple(
            ExplainedItem(
                item=item,
                contribution_K=tuple(contribution_IK[slot].tolist()),
                slot_without_K=tuple(slots.get(item) for slots in without),
            )
            for slot, item in enumerate(slate_N[:filled].tolist())
        ),
    )


def _left_out(slate_N: Tensor, filled: int) -> list[Tensor]:
    """The slate without each of its items, those below moved up."""
    end_1 = slate_N.new_full((1,), EMPTY)
    return [torch.cat([slate_N[:slot], slate_N[slot + 1 :], end_1]) for slot in range(filled)]


def _without(rank: Rank, requests: Requests, simplex_K: Tensor, utility: int, size: int) -> dict[int, int]:
    """Where items stand if a utility weighs nothing; as they do now if it has no weight, nowhere if it alone has."""
    others_K = simplex_K.clone()
    others_K[utility] = 0
    if not bool((others_K > 0).any()):
        return {}
    slate_N = rank(requests, others_K.unsqueeze(0), size)[0]
    return {item: slot for slot, item in enumerate(slate_N.tolist()) if item != EMPTY}
