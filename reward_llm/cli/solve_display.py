"""Solved goals and surfaces as people see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from rich.console import Console
from rich.text import Text

from reward_llm.cli.output import table
from reward_llm.cli.policy_display import labelled, show_weights
from reward_llm.cli.wording import Lang, say
from reward_llm.domain.simulation import OUTCOME_FACTS, OutcomeUnit

if TYPE_CHECKING:
    from reward_llm.loop.surface.surface import Surface

Document = Mapping[str, Any]

_SHARES: Final = frozenset(o.value for o, facts in OUTCOME_FACTS.items() if facts.unit is OutcomeUnit.SHARE)
_STYLES: Final = {"feasible": "bold green", "infeasible": "bold red", "uncertain": "bold yellow"}
_SHOWN_DIGITS: Final = 8


def show_solution(to: Console, document: Document, scenario: Document, lang: Lang) -> None:
    """Both answers side by side, or that there is nothing to solve."""
    solved = document["solved"]
    if solved is None:
        to.print(say("nothing_solved", lang))
        return
    feasibility = solved["feasibility"]
    to.print(labelled("feasibility", "", lang).append(say(feasibility, lang), _STYLES[feasibility]))
    for one in solved["in_the_way"]:
        level = {name: shown_level(one[name], one["metric"]) for name in ("bound", "nearest")}
        to.print(Text(f"  ! {say('in_the_way', lang)}: {say('blocker', lang, metric=_name(one, lang), **level)}"))
    for one in solved["not_comparable"]:
        to.print(Text(f"  ! {one['utility']}: {one['message']}", "yellow"), soft_wrap=True)
    to.print()
    numbers = [say(k, lang) for k in ("proposed_weights", "solved_weights")]
    rows = table(say("demand", lang), *numbers, right=numbers)
    for demand in solved["demands"]:
        key = "demand_at_most" if demand["at_most"] else "demand_at_least"
        bound = shown_level(demand["bound"], demand["metric"])
        answers = (_standing(demand[k], demand["metric"]) for k in ("proposed", "solved"))
        rows.add_row(say(key, lang, metric=_name(demand, lang), bound=bound), *answers)
    to.print(rows)
    to.print()
    show_weights(to, document["proposed"], solved["weights"], scenario["utilities"], lang)
    to.print()
    _show_metrics(to, solved, lang)
    facts = {"what_if": solved["what_if"], "surface": solved["surface"][:_SHOWN_DIGITS]}
    to.print(Text(say("solved_basis", lang, **facts, confidence=solved["confidence"]), "dim"))


def show_surface(to: Console, surface: Surface, file: str, lang: Lang) -> None:
    """How well each kind told what was left out, metric by metric."""
    numbers = [say(k, lang) for k in ("surface_spread", "left_out")]
    rows = table(say("outcome", lang), *numbers, say("surface_kind", lang), right=numbers)
    for name, observed in surface.observations.items():
        errors = " · ".join(f"{one.error:.4g}" for one in observed.left_out)
        rows.add_row(name, f"{surface.spread(name):.4g}", errors, observed.kernel.kind)
    to.print(rows)
    to.print(
        say("surface_written", lang, file=file, points=len(surface.points), metrics=len(surface.metrics)),
        soft_wrap=True,
    )


def shown_level(value: float, metric: str) -> str:
    """A metric's value in its unit.

    >>> shown_level(0.65, "next_day_retention"), shown_level(284.2, "gmv")
    ('65.0%', '284')
    """
    if metric in _SHARES:
        return f"{value:.1%}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _show_metrics(to: Console, solved: Document, lang: Lang) -> None:
    numbers = [say(k, lang) for k in ("expected_now", "proposed_weights", "solved_weights")]
    rows = table(say("outcome", lang), *numbers, right=numbers)
    for one in solved["metrics"]:
        found = (_expected(one[k], one["metric"]) for k in ("now", "proposed", "solved"))
        rows.add_row(_name(one, lang), *found)
    to.print(rows)


def _standing(standing: Document, metric: str) -> Text:
    level = shown_level(standing["expected"]["mean"], metric)
    return Text(f"{level} ({standing['chance']:.0%})", "green" if standing["met"] else "red")


def _expected(one: Document, metric: str) -> str:
    low, mean, high = (shown_level(one[k], metric) for k in ("low", "mean", "high"))
    return f"{mean} ({low} – {high})"


def _name(one: Document, lang: Lang) -> str:
    key = f"outcome_{one['metric']}"
    name = say(key, lang)
    return one["metric"] if name == key else name
