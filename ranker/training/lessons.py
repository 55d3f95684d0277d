"""What an actor is trained on, and what came of it.

B batch, N slate.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from ranker.requests import Requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """What an actor is trained on."""

    requests: Requests
    shown_BN: Tensor | None = None
    """The lists that were logged, for the baseline `logged` and to be compared with."""

    def select(self, rows: Tensor | slice) -> Lessons:
        """Some of them."""
        shown_BN = None if self.shown_BN is None else self.shown_BN[rows]
        return Lessons(requests=self.requests.select(rows), shown_BN=shown_BN)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorReport:
    """How good greedy slates are on requests that nothing was fitted to, at weights drawn as in training."""

    reward: float
    greedy_reward: float
    """Of the marginal-gain greedy lists of the same requests and weights."""
    beats_greedy: float
    """Share of requests whose reward is at least that of marginal-gain greedy."""
    beats_logged: float | None
    """The same against the logged lists."""
    distinct: float
    """Share of distinct slates among the corners of the simplex."""
