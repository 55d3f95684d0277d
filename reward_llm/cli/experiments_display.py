"""Experiments in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from reward_llm.cli.output import shortened, table
from reward_llm.cli.policy_display import labelled, scope_name
from reward_llm.cli.wording import Lang, say

Document = Mapping[str, Any]
_MISMATCH = "sample_ratio_mismatch"
_GUARDRAIL = "guardrail_"
_STYLES = {"better": "green", "safe": "green", "worse": "red", "violated": "red"}


def show_list(to: Console, experiments: Sequence[Document], lang: Lang) -> None:
    """A table, or that there are none."""
    if not experiments:
        to.print(Text(say("experiment_none", lang)))
        return
    keys = ("experiment_column", "experiment_name", "experiment_primary", "experiment_state", "experiment_days")
    rows = table(*(say(key, lang) for key in keys), right=(say("experiment_days", lang),))
    for one in experiments:
        day = str(one["last_look"]["day"]) if one["last_look"] else "–"
        rows.add_row(one["id"], shortened(one["name"], 30), _metric(one["primary"], lang), _state(one, lang), day)
    to.print(rows)


def show_experiment(to: Console, one: Document, lang: Lang) -> None:
    """What it is, and what the last look saw."""
    to.print(labelled("experiment", f"{one['id']} · {one['name']} · {scope_name(one)}", lang), soft_wrap=True)
    arms = {"treatment": one["treatment"], "percent": one["percent"]}
    control = one["control"] or say("experiment_in_force", lang)
    to.print(Text(say("experiment_arms", lang, **arms, control=control)), soft_wrap=True)
    to.print(labelled("experiment_state", _state(one, lang), lang))
    if one["state"] == "concluded" and one["outcome"] == "better":
        to.print(Text(say("experiment_promote", lang, activation=one["activation"]), "green"), soft_wrap=True)
    if one["last_look"]:
        to.print()
        _show_look(to, one["last_look"], lang)


def show_size(to: Console, size: Document, lang: Lang) -> None:
    """How many users and days it takes."""
    told = {name: size[name] for name in ("effect", "value", "power")}
    to.print(
        labelled("experiment_size", say("experiment_sized", lang, metric=_metric(size["metric"], lang), **told), lang)
    )
    to.print()
    names = [say(key, lang) for key in ("experiment_design", "experiment_units", "experiment_days")]
    rows = table(*names, right=names[1:])
    for kind in ("fixed", "sequential"):
        days = size[f"{kind}_days"]
        units = f"{size[f'{kind}_units']:,}"
        rows.add_row(say(f"experiment_{kind}", lang), units, "–" if days is None else f"{days:,.1f}")
    to.print(rows)


def _show_look(to: Console, look: Document, lang: Lang) -> None:
    units = {"control": look["control_units"], "treatment": look["treatment_units"]}
    to.print(Text(say("experiment_looked", lang, day=look["day"], **units), "dim"))
    if look["reason"] == _MISMATCH:
        to.print(Text(say("experiment_mismatch", lang, p=look["ratio_p"]), "red"), soft_wrap=True)
    keys = ("metric", "control", "treatment", "difference", "interval", "standing")
    names = [say(f"experiment_{key}", lang) for key in keys]
    rows = table(*names, right=names[1:5])
    for found in look["measurements"]:
        span = say(f"experiment_span_{found['span']}", lang)
        numbers = [_number(found[key]) for key in ("control", "treatment", "difference")]
        between = "–" if found["low"] is None else f"{_number(found['low'])} … {_number(found['high'])}"
        standing = Text(say(f"experiment_{found['standing']}", lang), _STYLES.get(found["standing"], ""))
        rows.add_row(f"{_metric(found['metric'], lang)}, {span}", *numbers, between, standing)
    to.print(rows)


def _state(one: Document, lang: Lang) -> str:
    state = say(f"experiment_state_{one['state']}", lang)
    return f"{state}: {outcome_text(one['outcome'], lang)}" if one["outcome"] else state


def outcome_text(outcome: str, lang: Lang) -> str:
    """What an experiment came to, in words; of a guardrail which one it was, and over which days."""
    if outcome.startswith(_GUARDRAIL):
        metric, _, span = outcome.removeprefix(_GUARDRAIL).rpartition("_")
        over = say(f"experiment_span_{span}", lang)
        return say("experiment_guardrail_lost", lang, metric=_metric(metric, lang), span=over)
    key = f"experiment_outcome_{outcome}"
    return outcome if (shown := say(key, lang)) == key else shown


def _metric(name: str, lang: Lang) -> str:
    return say(f"metric_{name}", lang)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
