"""`reward-llm prompts render`, `try` and `evaluate`: prompts at work before anything depends on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from reward_llm.cli.options import JsonOption, LangOption, SegmentOption
from reward_llm.cli.output import console, print_json
from reward_llm.cli.policy_display import Document
from reward_llm.cli.prompt_display import show_evaluation, show_try, version_line
from reward_llm.cli.prompt_references import PromptArgument, find_version
from reward_llm.cli.wording import say
from reward_llm.domain.completion import Vocabulary

if TYPE_CHECKING:
    from reward_llm.cli.client import Client

GoalArgument = Annotated[str, typer.Argument(metavar="GOAL", help="The goal's text.")]
ScenarioOption = Annotated[str, typer.Option("--scenario", help="The scenario that the goal is for.")]
BackendOption = Annotated[
    str | None, typer.Option("--backend", help="Who reads: embedded, vllm or rules; who reads goals if left out.")
]


def add_to(app: typer.Typer) -> None:
    """Give the group these commands."""
    app.command()(render)
    app.command("try")(try_out)
    app.command()(evaluate)


def render(
    prompt: PromptArgument,
    goal: GoalArgument,
    *,
    scenario: ScenarioOption = "home_feed",
    vocabulary: Annotated[
        Vocabulary, typer.Option("--vocabulary", help="The names that the model is to answer with.")
    ] = Vocabulary.UTILITIES,
    as_json: JsonOption = False,
) -> None:
    """Show what a model would be sent for a goal."""
    from reward_llm.cli.client import connect

    client = connect()
    sent = {"scenario": scenario, "goal": goal, "vocabulary": vocabulary.value}
    rendered = client.post(*_path(find_version(client, prompt)), "render", document=sent)
    if as_json:
        print_json(rendered)
        return
    out = console()
    for message in rendered["messages"]:
        out.print(Text(f"# {message['role']}", "bold"))
        out.print(Text(message["content"]), soft_wrap=True)


def try_out(
    prompt: PromptArgument,
    goal: GoalArgument,
    *,
    scenario: ScenarioOption = "home_feed",
    segment: SegmentOption = None,
    backend: BackendOption = None,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Read a goal with a version; nothing of it is kept."""
    from reward_llm.cli.client import connect

    client = connect()
    sent = {"scenario": scenario, "segment": segment, "text": goal, "backend": backend}
    tried = client.post(*_path(find_version(client, prompt)), "try", document=sent)
    if as_json:
        print_json(tried)
    else:
        show_try(console(), tried, goal, client.get("scenarios", scenario), lang)


def evaluate(
    prompt: PromptArgument,
    *,
    backend: BackendOption = None,
    failures: Annotated[int, typer.Option("--failures", min=0, help="How many failed goals to show.")] = 20,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Read a version's golden set and say how much of it was read right."""
    from reward_llm.cli.client import connect

    client = connect()
    version = find_version(client, prompt)
    evaluation = _evaluated(client, version, backend, say("measuring", lang, prompt=version["id"]))
    if as_json:
        print_json(evaluation)
        return
    out = console()
    out.print(version_line(version, lang))
    show_evaluation(out, evaluation, version["content"]["golden"]["threshold"], failures, lang)


def _evaluated(client: Client, version: Document, backend: str | None, title: str) -> Any:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None)
        return client.follow(
            *_path(version),
            "evaluate",
            document={"backend": backend},
            on_progress=lambda done, of: progress.update(task, completed=done, total=of),
        )


def _path(version: Document) -> tuple[str, ...]:
    return ("prompts", version["name"], "versions", str(version["version"]))
