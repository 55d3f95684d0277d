"""`reward-llm policies request-review`, `approve`, `reject`, `withdraw`: decisions on policies."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from reward_llm.cli.options import JsonOption, LangOption, PolicyArgument, ReasonOption
from reward_llm.cli.output import console, print_json
from reward_llm.cli.policy_display import show_next, show_state
from reward_llm.cli.wording import Lang

CommentOption = Annotated[str, typer.Option("--comment", help="What is to be said with it; the audit log keeps it.")]


def request_review(
    policy: PolicyArgument, *, comment: CommentOption = "", as_json: JsonOption = False, lang: LangOption
) -> None:
    """Ask for decisions on a policy."""
    from reward_llm.cli.client import connect

    _show(connect().post("policies", policy, "review-request", document={"comment": comment}), as_json, lang)


def approve(
    policy: PolicyArgument, *, comment: CommentOption = "", as_json: JsonOption = False, lang: LangOption
) -> None:
    """Approve exactly the weights that the policy has."""
    _show(_decide(policy, "approve", comment), as_json, lang)


def reject(
    policy: PolicyArgument,
    *,
    comment: Annotated[str, typer.Option("--comment", help="Why; the audit log keeps it.")],
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Reject a policy for good; another version needs a review of its own."""
    _show(_decide(policy, "reject", comment), as_json, lang)


def withdraw(policy: PolicyArgument, *, reason: ReasonOption, as_json: JsonOption = False, lang: LangOption) -> None:
    """Take back a policy of one's own that isn't in force, for good."""
    from reward_llm.cli.client import connect

    _show(connect().post("policies", policy, "withdrawal", document={"reason": reason}), as_json, lang)


def _decide(policy: str, decision: str, comment: str) -> Any:
    """A policy's id is the beginning of its content hash, so who names it means these weights."""
    from reward_llm.cli.client import connect

    client = connect()
    content_hash = client.get("policies", policy)["content_hash"]
    document = {"decision": decision, "content_hash": content_hash, "comment": comment}
    return client.post("policies", policy, "review", document=document)


def _show(answer: Any, as_json: bool, lang: Lang) -> None:
    if as_json:
        print_json(answer)
        return
    show_state(console(), answer, lang)
    show_next(console(), answer, lang)
