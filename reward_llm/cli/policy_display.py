"""Weights and policies as people see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from rich.console import Console
from rich.text import Text

from reward_llm.cli.output import bar, table
from reward_llm.cli.wording import Lang, say

Document = Mapping[str, Any]

EVERYBODY_PERCENT: Final = 100
_UNDECIDED: Final = {"draft", "in_review", "approved"}
_HASH_DIGITS: Final = 12
_SERVED_BAR: Final = 40


def show_policy(to: Console, policy: Document, before: Mapping[str, float], scenario: Document, lang: Lang) -> None:
    """A policy and its weights beside others."""
    to.print(labelled("policy", policy_line(policy, lang), lang))
    to.print(labelled("source", f"{say(policy['source'], lang)} · {policy['origin']} · {scope_name(policy)}", lang))
    show_state(to, policy, lang)
    to.print()
    show_weights(to, before, policy["weights"], scenario["utilities"], lang)


def show_state(to: Console, policy: Document, lang: Lang) -> None:
    """How far a policy has come, and what was decided on it; a scenario's defaults have nothing to decide."""
    if policy["state"] is None:
        return
    required = policy["requirement"]
    facts = [say(policy["state"], lang), *([approvals_text(required, lang)] if required else [])]
    to.print(labelled("state", " · ".join(facts), lang))
    for decision in policy["decisions"]:
        said = f": {decision['comment']}" if decision["comment"] else ""
        to.print(Text(f"  {say(decision['decision'], lang, by=decision['by'])}{said}"))


def show_next(to: Console, policy: Document, lang: Lang) -> None:
    """What is to be done for the policy to be in force."""
    if policy["state"] in _UNDECIDED:
        step = next_step(policy["policy_id"], policy["requirement"], lang)
        to.print(labelled("next", step, lang), soft_wrap=True)


def next_step(policy_id: str, requirement: Document | None, lang: Lang) -> str:
    """The command for whoever is next: a reviewer while approvals are missing, else who activates."""
    if missing_approvals(requirement):
        return f"{say('next_approve', lang)} reward-llm policies approve {policy_id}"
    return f"{say('to_activate', lang)} reward-llm policies activate {policy_id}"


def missing_approvals(requirement: Document | None) -> int:
    """How many more people must approve."""
    return max(0, int(requirement["approvals"]) - int(requirement["given"])) if requirement else 0


def approvals_text(requirement: Document, lang: Lang) -> str:
    """The approvals that there are of those that it takes, and why it takes them."""
    if not requirement["approvals"]:
        return say("no_approvals", lang)
    counted = say("approvals", lang, given=requirement["given"], approvals=requirement["approvals"])
    own = [say("self_approval", lang)] if requirement["self_approval"] else []
    return f"{counted} ({'; '.join([*requirement['reasons'], *own])})"


def show_served(to: Console, served: Document, lang: Lang) -> None:
    """The weights that hold for a scope now."""
    facts = [scope_name(served), served["policy_id"], say("version", lang, version=served["version"])]
    rollout = served["rollout"]
    partial = [f"{rollout['percent']:g}%"] if rollout and rollout["percent"] < EVERYBODY_PERCENT else []
    to.print(labelled("weights", " · ".join([*facts, say(served["source"], lang), *partial]), lang))
    if served["rule"] == "frozen":
        to.print(Text(say("rule_frozen", lang), "bold yellow"))
    if served["valid_until"]:
        to.print(say("until", lang, moment=served["valid_until"]))
    if served["stale"]:
        to.print(Text(say("stale", lang, age=f"{served['age_s']:.0f}"), "yellow"))
    to.print()
    rows = table(say("utility", lang), say("weight", lang), "", right=[say("weight", lang)])
    top = max(served["vector"])
    for name, weight in zip(served["utilities"], served["vector"], strict=True):
        rows.add_row(Text(name), f"{weight:.3f}", bar(weight / top, _SERVED_BAR))
    to.print(rows)


def show_weights(
    to: Console, before: Mapping[str, float], after: Mapping[str, float], utilities: Sequence[Document], lang: Lang
) -> None:
    """Weights before and after as bars, each within the utility's bounds."""
    numbers = [say(k, lang) for k in ("before_after", "change", "bounds")]
    rows = table(say("utility", lang), say("weights", lang), *numbers, right=numbers)
    top = max(u["max"] for u in utilities)
    width = min(max(to.width - 54, 12), 40)
    for utility in utilities:
        name, bounds = utility["name"], (utility["min"], utility["max"])
        old, new = before[name], after[name]
        rows.add_row(
            Text(name),
            _moved_bar(old, new, bounds, top, width),
            f"{old:.3f} → {new:.3f}",
            _change(new - old),
            "{:.2f}–{:.2f}".format(*bounds),
        )
    to.print(rows)
    to.print(Text(say("bar_legend", lang), "dim"))


def curl_line(url: str, scenario: str, segment: str | None) -> str:
    """The command that looks a scope's weights up."""
    query = f"?segment={quote(segment)}" if segment else ""
    return f"curl -s '{url}/v1/weights/{quote(scenario)}{query}'"


def scope_name(document: Document) -> str:
    """`home_feed`, or `home_feed/new_user`."""
    return "/".join(filter(None, (document["scenario"], document.get("segment"))))


def policy_line(policy: Document, lang: Lang) -> str:
    """A policy's name, version and the start of its content hash."""
    version = say("version", lang, version=policy["version"])
    return f"{policy['policy_id']} · {version} · sha256:{policy['content_hash'][:_HASH_DIGITS]}"


def labelled(key: str, text: str, lang: Lang) -> Text:
    """A line that begins with what it is about."""
    return Text.assemble((f"{say(key, lang)}  ", "bold"), text)


def _moved_bar(old: float, new: float, bounds: tuple[float, float], top: float, width: int) -> Text:
    """What is kept, then what was gained or given up, on the track that the bounds allow."""
    kept, reach = sorted(round(w / top * width) for w in (old, new))
    low, high = (round(b / top * width) for b in bounds)
    moved = ("▓", "green") if new > old else ("░", "red")
    bar = Text()
    for cell in range(width):
        if cell < kept:
            bar.append("█", "cyan")
        elif cell < reach:
            bar.append(*moved)
        else:
            bar.append("·" if low <= cell < high else " ", "dim")
    return bar


def _change(delta: float) -> Text:
    if abs(delta) < 5e-5:
        return Text("=", "dim")
    return Text(f"{delta:+.3f}", "green" if delta > 0 else "red")
