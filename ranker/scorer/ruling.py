"""Which of the competing lists may be shown."""

# B batch, R rows of it, L lists, M candidates, N slate, K utilities

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ranker.requests import UNPINNED, Requests
from ranker.rules import Breach, Rules
from ranker.scorer.lists import Lists


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """The slates to show; the utilities of baselines are still to be computed."""

    slate_BN: Tensor
    utility_BK: Tensor
    chosen: tuple[str, ...]
    baseline_rows: tuple[int, ...]
    breaches: tuple[Breach, ...]
    unmet: tuple[Breach, ...]


def ruled(rules: Rules, requests: Requests, lists: Lists, names: tuple[str, ...]) -> Shown:
    """Choose the most valued list of every request; where it breaks a rule, the next that breaks none.

    Where all break one, the baseline is shown: the candidates in the order that they came in.
    """
    rows_B = torch.arange(requests.B)
    best_B = lists.reward_BL.argmax(-1)
    slate_BN, utility_BK = lists.slate_BLN[rows_B, best_B], lists.utility_BLK[rows_B, best_B]
    chosen = [names[best] for best in best_B.tolist()]
    breaches = rules.breaches(slate_BN, requests)
    broken = sorted({breach.row for breach in breaches})
    baseline_rows = []
    for row, kept in zip(broken, _keeping(rules, requests, lists, broken), strict=True):
        if kept is None:
            slate_BN[row] = baseline(requests.select([row]), slate_BN.shape[1])[0]
            chosen[row] = "baseline"
            baseline_rows.append(row)
        else:
            slate_BN[row], utility_BK[row] = lists.slate_BLN[row, kept], lists.utility_BLK[row, kept]
            chosen[row] = names[kept]
    unmet = rules.breaches(slate_BN, requests) if baseline_rows else ()
    return Shown(
        slate_BN=slate_BN,
        utility_BK=utility_BK,
        chosen=tuple(chosen),
        baseline_rows=tuple(baseline_rows),
        breaches=breaches,
        unmet=unmet,
    )


def baseline(requests: Requests, size: int) -> Tensor:
    """The first candidates that may be shown, in the order that they came in, around the pinned ones."""
    slates = []
    for allowed_M, pinned_M in zip(requests.allowed_BM, requests.pinned_BM, strict=True):
        rest = iter((allowed_M & (pinned_M == UNPINNED)).nonzero()[:, 0].tolist())
        pins = {int(pinned_M[item]): item for item in (pinned_M != UNPINNED).nonzero()[:, 0].tolist()}
        slates.append([pins[slot] if slot in pins else next(rest) for slot in range(size)])
    return torch.tensor(slates)


def _keeping(rules: Rules, requests: Requests, lists: Lists, rows: list[int]) -> list[int | None]:
    """The most valued list that breaks no rule, of each of some rows."""
    if not rows:
        return []
    count = lists.reward_BL.shape[1]
    # Every list is checked as if it were of a request of its own: one pass over all rules.
    requests_R = requests.select([row for row in rows for _ in range(count)])
    breaches = rules.breaches(lists.slate_BLN[rows].flatten(0, 1), requests_R)
    reward_RL = lists.reward_BL[rows].clone()
    for breach in breaches:
        reward_RL[breach.row // count, breach.row % count] = -torch.inf
    best_R = reward_RL.max(-1)
    return [
        int(place) if value > -torch.inf else None
        for value, place in zip(best_R.values.tolist(), best_R.indices.tolist(), strict=True)
    ]
