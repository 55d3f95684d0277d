"""Weights of which a person names some."""

from __future__ import annotations

from collections.abc import Mapping

from reward_llm.domain.weights import Weights


def filled(named: Mapping[str, float], active: Mapping[str, float]) -> dict[str, float]:
    """The named weights, and the others scaled so that all add up to 1.

    Raises:
        WeightsInvalid: If there is no such scaling.
    """
    others = {u: w for u, w in active.items() if u not in named}
    total = sum(others.values())
    share = max(1 - sum(named.values()), 0.0) / total if total else 0.0
    return dict(Weights.rounded({**{u: w * share for u, w in others.items()}, **named}))
