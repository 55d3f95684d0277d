"""What a re-ranker learns each click to be worth.

B batch, N positions, L positions known.
"""

from __future__ import annotations

from torch import Tensor

from ranker.estimators import inverse_examination
from ranker.requests import LoggedLists


def click_gains(
    lists: LoggedLists, examination_L: Tensor | None = None, *, least_examination: float = 0.05
) -> Tensor:
    """Give `gain_BN`, with a mean of 1 over the clicks.

    Args:
        lists: What was clicked.
        examination_L: Of each position. With it, clicks weigh by its inverse (Joachims et al. 2017), so that what is
            learned isn't where the log had put things; without it they all weigh the same, as in the papers.
        least_examination: Weights are clipped at its inverse.

    Raises:
        ShapeMismatch: If the lists have more positions than the examination.
        ValueOutOfRange: If an examination or the least one isn't in (0, 1].
    """
    click_BN = lists.click_BN.float()
    if examination_L is None:
        return click_BN
    gain_BN = click_BN * inverse_examination(examination_L, lists.N, least_examination)
    return gain_BN * (click_BN.sum() / gain_BN.sum().clamp(min=1e-9))
