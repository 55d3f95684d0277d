"""Whether the arms have the shares of units that they should (Fabijan et al. 2019)."""

from __future__ import annotations

from math import exp, lgamma, log
from typing import Final

CONCENTRATION: Final = 1_000.0
"""How close to the planned share the alternative lies: about 1.6 points to either side of one half."""
MISMATCH: Final = 0.0005
"""The p-value under which nothing is decided."""


def ratio_p(control: int, treatment: int, share: float, concentration: float = CONCENTRATION) -> float:
    """The p-value of the arms' sizes, valid at all looks at once: 1 / the Bayes factor of Lindon and Malek (2022).

    Their test of a multinomial with a Dirichlet prior about the planned shares, for two arms.

    Args:
        control: Units of the control so far.
        treatment: Units of the treatment so far.
        share: The treatment's planned share, between 0 and 1.
        concentration: The prior's, in units.
    """
    prior = (concentration * share, concentration * (1 - share))
    mixed = _log_beta(prior[0] + treatment, prior[1] + control) - _log_beta(*prior)
    planned = treatment * log(share) + control * log(1 - share)
    return exp(min(0.0, planned - mixed))


def _log_beta(a: float, b: float) -> float:
    return lgamma(a) + lgamma(b) - lgamma(a + b)
