"""What follows a click in a generated log: purchases, dwell and the return on the next day.

SARDINE ends at the click. What comes after it here depends on the whole list, so that a list isn't worth the sum of
its items: a cheaper offer of the same category beside it takes purchases from an item, a seller's repetition takes
attention, and a user comes back for variety and time well spent, and not when bored.
"""

# N slate

from __future__ import annotations

from typing import Final

import numpy as np

from ranker.data.catalogue import Catalogue

_DISCOUNT_PULL: Final = 2.0
_RIVAL_PULL: Final = 1.5
_DWELL_LOG_S: Final = (2.6, 3.2, 3.6, 3.3)
"""Mean of the log of the seconds spent on an item of each supply type."""
_REPEAT_FATIGUE: Final = 0.75
"""What is left of the attention for every item of the same seller above."""
_WELL_SPENT_S: Final = 90.0


def purchases(
    catalogue: Catalogue, slate_N: np.ndarray, click_N: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Draw which clicks end in a purchase; free items are never bought."""
    price_N = catalogue.price_I[slate_N]
    discount_N = np.nan_to_num(catalogue.features["discount"][slate_N])
    logit_N = (
        -1.2
        + 3 * (catalogue.quality_I[slate_N] - 0.5)
        + _DISCOUNT_PULL * discount_N
        - 0.8 * (np.log1p(price_N) - 3.5)
        - _RIVAL_PULL * _undercut(catalogue.category_I[slate_N], price_N)
    )
    bought_N = generator.uniform(size=len(slate_N)) < _sigmoid(logit_N)
    result: np.ndarray = bought_N & click_N & (price_N > 0)
    return result


def dwell_times(
    catalogue: Catalogue,
    slate_N: np.ndarray,
    click_N: np.ndarray,
    relevance_N: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw the seconds spent on what was clicked."""
    log_s_N = np.array(_DWELL_LOG_S)[catalogue.supply_type_I[slate_N]]
    log_s_N = log_s_N + 1.5 * (catalogue.quality_I[slate_N] - 0.5) + 0.5 * relevance_N
    log_s_N = log_s_N + repeats(catalogue.seller_I[slate_N]) * np.log(_REPEAT_FATIGUE)
    dwell_N: np.ndarray = np.exp(generator.normal(log_s_N, 0.5)) * click_N
    return dwell_N.round(1)


def returns(
    dwell_s: float, *, variety: float, bored_share: float, new_share: float, generator: np.random.Generator
) -> bool:
    """Draw whether the user returns after a day of `dwell_s` and lists of this variety (shares in [0, 1])."""
    well_spent = 1 - np.exp(-dwell_s / _WELL_SPENT_S)
    logit = -1.6 + 2.2 * well_spent + 1.4 * variety + 0.6 * new_share - 2.5 * bored_share
    return bool(generator.uniform() < _sigmoid(np.array(logit)))


def repeats(group_N: np.ndarray) -> np.ndarray:
    """Give how often each item's group occurs above it."""
    same_NN = group_N[:, None] == group_N[None, :]
    counted: np.ndarray = np.tril(same_NN, -1).sum(1)
    return counted


def _undercut(category_N: np.ndarray, price_N: np.ndarray) -> np.ndarray:
    """Tell which items have a cheaper one, not free, of their category beside them."""
    same_NN = category_N[:, None] == category_N[None, :]
    cheaper_NN = (price_N[None, :] < price_N[:, None]) & (price_N[None, :] > 0)
    undercut_N: np.ndarray = (same_NN & cheaper_NN).any(1)
    return undercut_N


def _sigmoid(value: np.ndarray) -> np.ndarray:
    result: np.ndarray = 1 / (1 + np.exp(-value))
    return result
