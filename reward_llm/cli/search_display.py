"""Searches as people see them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from reward_llm.cli.output import table
from reward_llm.cli.policy_display import labelled, scope_name
from reward_llm.cli.wording import Lang, say
from reward_llm.domain.metrics import Metric

Document = Mapping[str, Any]
_STYLES: Final = {"done": "green", "proposed": "green", "failed": "red", "running": "cyan"}
_HALTED: Final = {"interrupted", "cancelled", "failed"}


def show_searches(to: Console, searches: list[Document], lang: Lang) -> None:
    """A line each."""
    if not searches:
        to.print(say("search_none", lang))
        return
    headings = ("search_column", "scope", "search_method", "search_objectives", "search_evaluations", "state")
    names = [say(key, lang) for key in headings]
    rows = table(*names, right=[names[4]])
    for search in searches:
        progress = search["progress"]
        rows.add_row(
            search["id"],
            scope_name(search),
            search["method"],
            ", ".join(search["objectives"]),
            f"{progress['done']}/{progress['of']}",
            state_text(search["state"], lang),
        )
    to.print(rows)


def show_search(to: Console, search: Document, scenario: Document, lang: Lang) -> None:
    """What was searched for, the finalists beside what is in force, and what to do next."""
    progress = search["progress"]
    facts = {"id": search["id"], "scope": scope_name(search), "method": search["method"], **progress}
    state = say(f"search_state_{search['state']}", lang)
    to.print(labelled("search_study", say("search_about", lang, state=state, **facts), lang), soft_wrap=True)
    if search["problem"]:
        to.print(Text(search["problem"]["detail"], "red"), soft_wrap=True)
    result = search["result"]
    if result is not None:
        to.print()
        _show_finalists(to, search, result, lang)
        _show_chosen(to, search, result, scenario, lang)
    show_next_of_search(to, search, lang)


def show_next_of_search(to: Console, search: Document, lang: Lang) -> None:
    """The command for whoever goes on."""
    if search["state"] in _HALTED:
        step = f"{say('to_resume', lang)} reward-llm search resume {search['id']}"
        to.print(labelled("next", step, lang), soft_wrap=True)
    elif search["state"] == "done" and search["result"]["chosen"] is not None:
        step = f"{say('to_propose', lang)} reward-llm search propose {search['id']}"
        to.print(labelled("next", step, lang), soft_wrap=True)
    elif search["policy_id"]:
        to.print(labelled("next", experiment_step(search, lang), lang), soft_wrap=True)


def experiment_step(search: Document, lang: Lang) -> str:
    """The command that plans an experiment of what was proposed against what is in force."""
    online = {metric.value for metric in Metric}
    primary = next((name for name in search["objectives"] if name in online), Metric.CTR.value)
    guardrails = [c["metric"] for c in search["constraints"] if c["metric"] in online]
    options = [f"--name {search['id']}", f"--primary {primary}", *(f"--guardrail {name}" for name in guardrails)]
    command = f"reward-llm experiments create {search['policy_id']} {' '.join(options)}"
    return f"{say('to_experiment', lang)} {command}"


def state_text(state: str, lang: Lang) -> Text:
    """The state, in its colour."""
    return Text(say(f"search_state_{state}", lang), _STYLES.get(state, ""))


def _show_finalists(to: Console, search: Document, result: Document, lang: Lang) -> None:
    metrics = list(dict.fromkeys([*search["objectives"], *(c["metric"] for c in search["constraints"])]))
    shown = [metric_name(name, lang) for name in metrics]
    seeds = say("search_seeds", lang)
    rows = table(say("search_trial", lang), *shown, say("search_kept", lang), seeds, right=[*shown, seeds])
    for place, one in enumerate([result["in_force"], *result["finalists"]]):
        mark = " ★" if place and one["trial"] == result["chosen"] else ""
        name = f"{one['trial']}{mark}" if place else say("search_now", lang)
        kept = say("search_is_kept" if one["violation"] <= 0 else "search_is_broken", lang)
        cells = [_number(one["metrics"][name], is_finalist=bool(place)) for name in metrics]
        rows.add_row(name, *cells, kept, str(one["evaluations"]))
    to.print(rows)
    to.print(Text(say("search_basis", lang), "dim"), soft_wrap=True)


def _show_chosen(to: Console, search: Document, result: Document, scenario: Document, lang: Lang) -> None:
    from reward_llm.cli.policy_display import show_weights

    if result["chosen"] is None:
        to.print(Text(say("search_nothing", lang), "yellow"))
        return
    chosen = next(one for one in result["finalists"] if one["trial"] == result["chosen"])
    to.print()
    to.print(Text(say("search_weights", lang, trial=result["chosen"]), "bold"))
    show_weights(to, search["in_force"], chosen["weights"], scenario["utilities"], lang)


def metric_name(metric: str, lang: Lang) -> str:
    """What a simulated outcome is called; another metric by its own name."""
    key = f"outcome_{metric}"
    called = say(key, lang)
    return metric if called == key else called


def _number(found: Document, *, is_finalist: bool) -> str:
    mean, error = found["mean"], found["error"]
    digits = 0 if abs(mean) >= 1_000 else 1 if abs(mean) >= 100 else 4
    return f"{mean:.{digits}f} ±{error:.{digits}f}" if is_finalist else f"{mean:.{digits}f}"
