"""Weights as the value of a feature flag, in OpenFeature's words."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from reward_llm.domain.schedule import EVERYBODY

MAX_UNIT_CHARS: Final = 200
"""The longest name of whom weights are for."""
_FROZEN: Final = "frozen"
_SEGMENT: Final = "segment"
"""A `Rule` as clients read it: they do without the module that has it, which loads more than lookups need."""


class Reason(StrEnum):
    """Why a flag has its value."""

    STALE = "STALE"
    """The database confirmed it too long ago, whatever the rule."""
    DISABLED = "DISABLED"
    """The scope or its scenario is frozen, so the defaults serve."""
    DEFAULT = "DEFAULT"
    """Nothing is active, so the defaults serve."""
    SPLIT = "SPLIT"
    """The activation that serves is for a share of the units."""
    TARGETING_MATCH = "TARGETING_MATCH"
    """The segment's own activation serves."""
    STATIC = "STATIC"
    """The whole scenario's activation serves."""


def reason_of(*, stale: bool, rule: str, percent: float | None) -> Reason:
    """The first reason that holds.

    Args:
        stale: Whether the weights may be outdated.
        rule: Whose activation won, as `reward_llm.domain.serving.Rule` names it.
        percent: The share of units that the activation is for; None if none serves.

    >>> reason_of(stale=False, rule="scenario", percent=30.0).value
    'SPLIT'
    """
    if stale:
        return Reason.STALE
    if rule == _FROZEN:
        return Reason.DISABLED
    if percent is None:
        return Reason.DEFAULT
    if percent < EVERYBODY:
        return Reason.SPLIT
    return Reason.TARGETING_MATCH if rule == _SEGMENT else Reason.STATIC
