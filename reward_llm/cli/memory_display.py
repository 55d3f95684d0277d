"""What came of goals, as people see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from reward_llm.cli.metrics import measured_text
from reward_llm.cli.output import table
from reward_llm.cli.policy_display import labelled
from reward_llm.cli.solve_display import shown_level
from reward_llm.cli.wording import Lang, say
from reward_llm.domain.metrics import Metric

Document = Mapping[str, Any]
_HOUR_S = 3_600
_ONLINE: Final = frozenset(metric.value for metric in Metric)


def show_outcomes(to: Console, answer: Document, lang: Lang) -> None:
    """Every policy of the goal that got into force, metric by metric."""
    if not answer["tried"]:
        to.print(Text(say("remembered_nothing", lang), "dim"))
    for tried in answer["tried"]:
        made_by = tried["predicted"]["made_by"] if tried["predicted"] else say("predicted_by_nobody", lang)
        to.print(labelled("policy", tried["policy_id"], lang))
        to.print(labelled("predicted_by", made_by, lang))
        _show_metrics(to, tried, lang)


def _show_metrics(to: Console, tried: Document, lang: Lang) -> None:
    looks = tried["observations"]
    predicted = tried["predicted"]["metrics"] if tried["predicted"] else {}
    before = looks[-1]["before"] if looks else {}
    headings = [say("predicted", lang), say("before_it", lang), *(_after(look, lang) for look in looks)]
    rows = table(say("metric", lang), *headings, right=headings)
    for metric in dict.fromkeys([*predicted, *(m for look in looks for m in look["metrics"])]):
        found = [predicted.get(metric), before.get(metric), *(look["metrics"].get(metric) for look in looks)]
        rows.add_row(_name(metric, lang), *(_figure(metric, one) for one in found))
    to.print(rows)


def _after(look: Document, lang: Lang) -> str:
    length = datetime.fromisoformat(look["until"]) - datetime.fromisoformat(look["since"])
    hours = round(length.total_seconds() / _HOUR_S)
    return say("after_days", lang, n=hours // 24) if hours and hours % 24 == 0 else say("after_hours", lang, n=hours)


def _figure(metric: str, found: Document | None) -> str:
    if found is None or found["value"] is None:
        return "–"
    shown = measured_text if metric in _ONLINE else _level
    value, low, high = (shown(metric, found[end]) for end in ("value", "low", "high"))
    return f"{value} ({low}–{high})"


def _name(metric: str, lang: Lang) -> str:
    """What a metric is called; one that is predicted and never observed has its name among simulated outcomes."""
    for key in (f"metric_{metric}", f"outcome_{metric}"):
        if (name := say(key, lang)) != key:
            return name
    return metric


def _level(metric: str, value: float) -> str:
    return shown_level(value, metric)
