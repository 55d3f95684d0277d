"""The methods, by name."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Final

from reward_llm.domain.searching import SearchMethod
from reward_llm.errors import SearchUnavailable
from reward_llm.loop.search.searcher import Searcher, Task

HOMES: Final[Mapping[SearchMethod, str]] = MappingProxyType(
    {
        SearchMethod.RANDOM: "plain:Random",
        SearchMethod.GRID: "plain:Grid",
        SearchMethod.TPE: "by_optuna:tpe",
        SearchMethod.GP: "by_optuna:gp",
        SearchMethod.NSGA2: "by_optuna:nsga2",
        SearchMethod.EVOLUTION: "evolution:Evolution",
        SearchMethod.POLICY_GRADIENT: "policy_gradient:PolicyGradient",
    }
)
"""Module and name of what makes each."""


def searcher(method: SearchMethod, task: Task) -> Searcher:
    """A searcher that knows nothing yet; what it stands on is loaded now.

    Raises:
        SearchUnavailable: If that isn't installed.
    """
    module, _, attribute = HOMES[method].partition(":")
    try:
        made: Searcher = getattr(import_module(f"{__name__}.{module}"), attribute)(task)
    except ModuleNotFoundError as exc:
        hint = "Install the loop extra: pip install 'reward-llm[loop]'; gp needs torch as well."
        raise SearchUnavailable(f"{method.value} needs {exc.name}", hint=hint) from exc
    return made
