"""Whose weights a request asks for: those of the scenarios that it names, else of all that its caller may read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

from fastapi import Query

from reward_llm.api.access.permissions import Caller
from reward_llm.errors import ScenarioUnknown

Named = Annotated[
    list[Annotated[str, Query(max_length=100)]] | None,
    Query(alias="scenario", max_length=1_000, description="Only this scenario; may be given several times."),
]


def visible(caller: Caller, known: Collection[str], named: Collection[str] | None) -> frozenset[str] | None:
    """The scenarios that are shown; None for all.

    Raises:
        Forbidden: If one is named that the caller may not read.
        ScenarioUnknown: If one is named that there isn't.
    """
    if not named:
        return caller.scenarios()
    for scenario in named:
        caller.require(scenario)
        if scenario not in known:
            raise ScenarioUnknown(f"no scenario {scenario!r}")
    return frozenset(named)
