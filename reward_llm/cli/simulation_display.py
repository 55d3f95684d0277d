"""Simulations as people see them: two arms side by side with their difference, or many in columns."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from reward_llm.cli.output import table
from reward_llm.cli.policy_display import labelled
from reward_llm.cli.ranking_display import interval_bar
from reward_llm.cli.wording import Lang, say
from reward_llm.domain.preview import Interval
from reward_llm.domain.simulation import (
    OUTCOME_FACTS,
    ArmOutcome,
    OutcomeRow,
    OutcomeUnit,
    SimulationPlan,
    SimulationReport,
)

_PAIR: Final = 2
_STYLES: Final = {"better": "green", "worse": "red", "unclear": ""}


def show_simulation(to: Console, plan: SimulationPlan, report: SimulationReport, lang: Lang) -> None:
    """What became of each arm."""
    facts = {"scenario": plan.scenario, "days": plan.days, "users": plan.users, "seeds": plan.seeds}
    to.print(labelled("simulation", say("simulated", lang, **facts, seconds=report.duration_s), lang))
    to.print()
    pair = len(plan.arms) == _PAIR
    to.print(_pair(report, lang) if pair else _columns(plan, report, lang))
    basis = "simulation_pair_basis" if pair else "simulation_basis"
    to.print(Text(say(basis, lang, confidence=report.confidence, first=plan.arms[0].name), "dim"))


def _pair(report: SimulationReport, lang: Lang) -> Table:
    """Both arms, their ratio, and their difference as a bar."""
    first, second = (arm.arm for arm in report.rows[0].arms)
    heading = say("difference", lang, confidence=report.confidence)
    numbers = [first, second, "×"]
    rows = table(say("outcome", lang), *numbers, heading, right=numbers)
    for row in report.rows:
        before, after = row.arms
        style = _STYLES.get(row.verdict(after) or "", "")
        bar = Text()
        if after.difference is not None:
            low, mean, high = after.difference.low, after.difference.mean, after.difference.high
            bar = interval_bar(low, mean, high, max(abs(low), abs(high)))
            bar.style = style or "dim"
        ratio = "–" if after.ratio is None else f"{after.ratio:.2f}"
        rows.add_row(
            say(f"outcome_{row.outcome}", lang), _mean(row, before), Text(_mean(row, after), style), ratio, bar
        )
    return rows


def _columns(plan: SimulationPlan, report: SimulationReport, lang: Lang) -> Table:
    """A row an outcome, a column an arm."""
    names = [arm.name for arm in plan.arms]
    rows = table(say("outcome", lang), *names, right=names)
    for row in report.rows:
        cells = (Text(_mean(row, arm), _STYLES.get(row.verdict(arm) or "", "")) for arm in row.arms)
        rows.add_row(say(f"outcome_{row.outcome}", lang), *cells)
    return rows


def _mean(row: OutcomeRow, arm: ArmOutcome) -> str:
    return "–" if arm.interval is None else spread(arm.interval, OUTCOME_FACTS[row.outcome].unit)


def spread(interval: Interval, unit: OutcomeUnit) -> str:
    """A mean with half of its interval.

    >>> spread(Interval(mean=0.0312, low=0.0302, high=0.0322), OutcomeUnit.SHARE)
    '3.12 ±0.10%'
    >>> spread(Interval(mean=349.2, low=340.2, high=358.2), OutcomeUnit.MONEY)
    '349 ±9'
    """
    half = (interval.high - interval.low) / 2
    if unit is OutcomeUnit.SHARE:
        return f"{interval.mean * 100:.2f} ±{half * 100:.2f}%"
    digits = 0 if abs(interval.mean) >= 100 else 3 if abs(interval.mean) < 1 else 1
    return f"{interval.mean:.{digits}f} ±{half:.{digits}f}"
