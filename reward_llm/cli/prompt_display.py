"""Prompts as people see them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from reward_llm.cli.output import bar, shortened, table
from reward_llm.cli.policy_display import Document, labelled, show_weights
from reward_llm.cli.reading import highlighted
from reward_llm.cli.wording import Lang, say

_HASH_DIGITS: Final = 12
_BAR: Final = 24
_LINE_STYLES: Final = (("+++", "bold"), ("---", "bold"), ("@@", "cyan"), ("+", "green"), ("-", "red"))
_ARROWS: Final = {"raise": "▲", "lower": "▼", "hold": "■"}


def prompt_table(prompts: Iterable[Document], lang: Lang) -> Table:
    """Every prompt with its labels."""
    rows = table(*(say(k, lang) for k in ("prompt", "versions", "labels", "description")))
    for prompt in prompts:
        labels = ", ".join(f"{label['label']} → {label['version']}" for label in prompt["labels"])
        rows.add_row(Text(prompt["name"], "bold"), str(prompt["versions"]), labels, Text(prompt["description"]))
    return rows


def version_table(versions: Iterable[Document], lang: Lang) -> Table:
    """A prompt's versions."""
    rows = table(*(say(k, lang) for k in ("version_number", "labels", "hash", "author", "created", "reason")))
    for version in versions:
        rows.add_row(
            str(version["version"]),
            Text(", ".join(version["labels"]), "bold green"),
            version["content_hash"][:_HASH_DIGITS],
            Text(version["author"]),
            (version["created_at"] or "–")[:16],
            shortened(version["reason"], 40),
        )
    return rows


def version_line(version: Document, lang: Lang) -> Text:
    """A version's name, labels, author and the start of its content hash."""
    made = [version["author"], *([version["created_at"][:16]] if version["created_at"] else [])]
    facts = [version["id"], *version["labels"], *made, f"sha256:{version['content_hash'][:_HASH_DIGITS]}"]
    return labelled("prompt", " · ".join(facts), lang)


def show_diff(to: Console, diff: Document, lang: Lang) -> None:
    """In what two versions differ, in the colours of a diff."""
    if diff["same"]:
        to.print(say("same_prompts", lang))
        return
    for template in filter(None, (diff["system"], diff["user"])):
        for line in template.split("\n"):
            to.print(diff_line(line), soft_wrap=True)
    if diff["fields"]:
        rows = table(*(say(k, lang) for k in ("field", "before", "after")))
        for field in diff["fields"]:
            before, after = (Text("–" if field[k] is None else str(field[k])) for k in ("before", "after"))
            rows.add_row(Text(field["path"]), before, after)
        to.print(Padding(rows, (1, 0, 0, 0)))


def diff_line(line: str) -> Text:
    """A line of a unified diff in its colour.

    >>> diff_line("-gone").style
    'red'
    """
    return Text(line, next((style for start, style in _LINE_STYLES if line.startswith(start)), ""))


def show_evaluation(to: Console, evaluation: Document, threshold: float, failures: int, lang: Lang) -> None:
    """How well a golden set was read.

    Args:
        to: Where it is printed.
        evaluation: What the service says of it.
        threshold: What production asks for.
        failures: How many goals that were read wrong are shown.
        lang: The language of the words around them.
    """
    reader = " · ".join(filter(None, (evaluation["backend"], evaluation["model"])))
    to.print(labelled("golden_set", f"{evaluation['golden_set']} · {evaluation['scenario']} · {reader}", lang))
    style = "green" if evaluation["score"] >= threshold else "bold red"
    needed = say("of_threshold", lang, threshold=f"{threshold:.1%}")
    to.print(Text.assemble((f"{say('score', lang)}  ", "bold"), (f"{evaluation['score']:.1%}", style), f"  {needed}"))
    if evaluation["prompt_use"] != "whole":
        to.print(Text(say(f"prompt_use_{evaluation['prompt_use']}", lang), "yellow"))
    groups = {
        "directional": {"": evaluation["directional"]},
        "kind": evaluation["by_kind"],
        "lang": evaluation["by_lang"],
    }
    to.print(Padding(_tallies(groups, lang), (1, 0)))
    _show_failures(to, evaluation["failures"], failures, lang)


def show_try(to: Console, tried: Document, text: str, scenario: Document, lang: Lang) -> None:
    """What a goal would be read as with a version."""
    intents = tried["interpretation"]["intents"]
    to.print(highlighted(text, intents))
    to.print()
    for n, intent in enumerate(intents, 1):
        direction = f"{_ARROWS[intent['direction']]} {say(intent['direction'], lang)}"
        to.print(Text(f"[{n}] {intent['utility']} {direction} ({say(intent['emphasis'], lang)})"))
    if not intents:
        to.print(say("nothing_asked", lang))
    to.print()
    show_weights(to, tried["defaults"], tried["weights"], scenario["utilities"], lang)
    read_with = [tried[k] for k in ("model", "prompt") if tried[k]]
    to.print(labelled("source", " · ".join([say(tried["source"], lang), *read_with]), lang))
    if tried["reason"]:
        to.print(Text(say("fallback", lang, reason=tried["reason"]), "yellow"))


def move_table(moves: Iterable[Document], lang: Lang) -> Table:
    """A label's moves."""
    columns = ("revision", "from_to", "who", "when", "score", "overridden_by", "reason")
    rows = table(*(say(k, lang) for k in columns), right=[say("revision", lang)])
    for move in moves:
        rows.add_row(
            str(move["revision"]),
            f"{move['from'] or '–'} → {move['to']}",
            Text(move["moved_by"]),
            move["moved_at"][:16],
            _scores(move["evidence"]),
            Text(", ".join(move["overridden_by"]), "yellow"),
            shortened(move["reason"], 40),
        )
    return rows


def _scores(evidence: Mapping[str, Any] | None) -> str:
    if evidence is None:
        return "–"
    replaced = f"{evidence['replaced']['score']:.1%} → " if evidence["replaced"] else ""
    return f"{replaced}{evidence['candidate']['score']:.1%}"


def _tallies(groups: Mapping[str, Mapping[str, Document]], lang: Lang) -> Table:
    rows = table("", "", say("right", lang), "", right=[say("right", lang)])
    for group, tallies in groups.items():
        for name, tally in tallies.items():
            share = tally["right"] / tally["of"] if tally["of"] else 0.0
            right = f"{tally['right']} / {tally['of']}"
            rows.add_row(say(group, lang), Text(name), right, bar(share, _BAR, "green" if share == 1 else "yellow"))
    return rows


def _show_failures(to: Console, failed: list[Document], most: int, lang: Lang) -> None:
    if not failed or not most:
        return
    rows = table(*(say(k, lang) for k in ("golden_goal", "text", "expected", "read_as")))
    for failure in failed[:most]:
        read = failure["read"] if failure["reason"] is None else f"{failure['read']} ({failure['source']})"
        rows.add_row(Text(failure["id"]), shortened(failure["goal"], 36), Text(failure["expected"]), Text(read))
    to.print(rows)
    if len(failed) > most:
        to.print(Text(say("more_failures", lang, count=len(failed) - most), "dim"))
