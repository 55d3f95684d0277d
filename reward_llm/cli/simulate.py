"""`reward-llm simulate`: a month of a market under goals, policies, weights or recommenders."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from reward_llm import bootstrap
from reward_llm.cli.filling import filled
from reward_llm.cli.options import JsonOption, LangOption
from reward_llm.cli.output import console, print_json
from reward_llm.cli.simulation_display import show_simulation
from reward_llm.cli.submit import named_numbers
from reward_llm.cli.wording import Lang, say
from reward_llm.domain.simulation import (
    FULL_SEEDS,
    FULL_USERS,
    MAX_ARMS,
    MAX_DAYS,
    MAX_SEEDS,
    MIN_SEEDS,
    QUICK_SEEDS,
    QUICK_USERS,
    RecommenderName,
    SimulationArm,
    SimulationPlan,
    SimulationReport,
    market_concepts,
)
from reward_llm.domain.source import Source
from reward_llm.errors import InvalidInput, ScenarioUnknown, SimulationInvalid, WeightsInvalid

if TYPE_CHECKING:
    from collections.abc import Callable

    from reward_llm.domain.policy import Proposal
    from reward_llm.domain.scenario import Scenario

    Read = Callable[[Scenario, str], Proposal]

_WEIGHTS: Final = re.compile(r"[a-z][a-z0-9_]*=[^=,\s]+(,[a-z][a-z0-9_]*=[^=,\s]+)*")
_POLICY: Final = re.compile(r"pol_[0-9a-z]+")
_QUICK_RECOMMENDERS: Final = (RecommenderName.ITEM_CF, RecommenderName.MARKETPLACE)
"""What a platform has before it learns to do better, and the agents."""
_SHOWN_GOAL: Final = 30
"""Characters of a goal that stand in an arm's name."""


def simulate(
    subjects: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[GOAL|POLICY|UTILITY=WEIGHT,...]...",
            help="What to try against the scenario's defaults: a goal in words, a policy's id, or weights.",
        ),
    ] = None,
    *,
    scenario: Annotated[str, typer.Option("--scenario", help="Whose utilities and defaults.")] = "home_feed",
    recommender: Annotated[
        list[RecommenderName] | None,
        typer.Option("--recommender", help="Who fills the slates; repeatable. Without subjects, all do in turn."),
    ] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", min=MIN_SEEDS, max=MAX_SEEDS, help="How often.", show_default=False)
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="A small market: an answer in 45 seconds.")] = False,
    html: Annotated[Path | None, typer.Option("--html", help="Write a page with tables and plots, too.")] = None,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Let a market live for 30 days under each, on the same seeds, and compare what became of it."""
    settings = bootstrap.load_settings()
    known = bootstrap.load_all_scenarios(settings)
    if scenario not in known:
        raise ScenarioUnknown(f"no scenario {scenario!r}", hint=f"There are: {', '.join(known)}.")
    with Console(stderr=True).status(say("reading_goals", lang)):
        alone = _QUICK_RECOMMENDERS if quick else RecommenderName
        arms = _arms(
            partial(bootstrap.read_goal, settings), known[scenario], subjects or [], recommender or [], alone
        )
    plan = SimulationPlan(
        scenario=scenario,
        segment=None,
        arms=arms,
        concepts=market_concepts(known[scenario]),
        seeds=seeds or (QUICK_SEEDS if quick else FULL_SEEDS),
        days=MAX_DAYS,
        users=QUICK_USERS if quick else FULL_USERS,
    )
    report = _run(plan, lang)
    if html is not None:
        _write_page(html, plan, report)
    if as_json:
        print_json(_document(plan, report))
    else:
        show_simulation(console(), plan, report, lang)


def _arms(
    read: Read,
    scenario: Scenario,
    subjects: Sequence[str],
    recommenders: Sequence[RecommenderName],
    alone: Iterable[RecommenderName],
) -> tuple[SimulationArm, ...]:
    """The scenario's defaults and every subject, each with every recommender; `alone` are those without subjects.

    Raises:
        SimulationInvalid: If these are too many, or two are the same.
    """
    chosen = recommenders or ([RecommenderName.MARKETPLACE] if subjects else list(alone))
    count = len(chosen) * (1 + len(subjects))
    if count > MAX_ARMS:
        hint = "Name fewer subjects, or fewer with --recommender."
        raise SimulationInvalid(f"{count} recommenders and weights; at most {MAX_ARMS} are compared", hint=hint)
    tried = [_defaults(scenario, chosen[0]), *(_subject(read, scenario, s, chosen[0]) for s in subjects)]
    arms = tuple(_filled_by(arm, name, chosen, subjects) for arm in tried for name in chosen)
    names = [arm.name for arm in arms]
    if twice := {name for name in names if names.count(name) > 1}:
        raise SimulationInvalid(f"there twice: {', '.join(sorted(twice))}", hint="Name each once.")
    return arms


def _filled_by(
    arm: SimulationArm, recommender: RecommenderName, chosen: Sequence[RecommenderName], subjects: Sequence[str]
) -> SimulationArm:
    """The arm with this recommender, called by what tells it from the others."""
    name = arm.name
    if len(chosen) > 1:
        name = f"{recommender.value}: {arm.name}" if subjects else recommender.value
    return replace(arm, name=name, recommender=recommender)


def _defaults(scenario: Scenario, recommender: RecommenderName) -> SimulationArm:
    return SimulationArm(
        name="defaults",
        recommender=recommender,
        weights=dict(scenario.defaults),
        origin="default",
        source=Source.DEFAULT.value,
    )


def _subject(read: Read, scenario: Scenario, subject: str, recommender: RecommenderName) -> SimulationArm:
    """A policy from the service, weights beside the defaults, or else a goal, read here."""
    if _POLICY.fullmatch(subject):
        return _policy(scenario, subject, recommender)
    if _WEIGHTS.fullmatch(subject):
        weights = _weights(scenario, subject)
        return SimulationArm(
            name=subject, recommender=recommender, weights=weights, origin="weights", source=Source.HUMAN.value
        )
    proposal = read(scenario, subject)
    return SimulationArm(
        name=subject if len(subject) <= _SHOWN_GOAL else f"{subject[:_SHOWN_GOAL]}…",
        recommender=recommender,
        weights=dict(proposal.weights),
        origin="goal",
        source=proposal.source.value,
        goal=subject,
    )


def _weights(scenario: Scenario, subject: str) -> dict[str, float]:
    named = named_numbers(subject.split(","), "UTILITY=WEIGHT")
    unknown = [name for name in named if name not in scenario.utility_names]
    if unknown:
        raise WeightsInvalid(
            f"{scenario.name} has no utility {', '.join(unknown)}",
            hint=f"It has: {', '.join(scenario.utility_names)}.",
        )
    return filled(named, scenario.defaults)


def _policy(scenario: Scenario, policy_id: str, recommender: RecommenderName) -> SimulationArm:
    from reward_llm.cli.client import connect

    policy = connect().get("policies", policy_id)
    if policy["scenario"] != scenario.name:
        hint = f"Try it with --scenario {policy['scenario']}."
        raise SimulationInvalid(f"{policy_id} isn't a policy of {scenario.name}", hint=hint)
    return SimulationArm(
        name=policy_id,
        recommender=recommender,
        weights=policy["weights"],
        origin="policy",
        source=policy["source"],
        policy_id=policy_id,
    )


def _run(plan: SimulationPlan, lang: Lang) -> SimulationReport:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(say("simulating", lang), total=plan.steps)
        return bootstrap.simulate(
            plan, os.cpu_count() or 1, on_progress=lambda done: progress.update(task, completed=done)
        )


def _write_page(path: Path, plan: SimulationPlan, report: SimulationReport) -> None:
    from reward_llm.agents.simulation.page import report_page

    try:
        path.write_text(report_page(plan, report), "utf-8")
    except OSError as exc:
        raise InvalidInput(f"{path} can't be written: {exc}", hint="Name a file in a folder that is there.") from exc


def _document(plan: SimulationPlan, report: SimulationReport) -> dict[str, Any]:
    """The plan and its result, as the HTTP interface has them."""
    from reward_llm.api.wire.simulations import ArmWire, SimulationResult

    return {
        "scenario": plan.scenario,
        "seeds": plan.seeds,
        "days": plan.days,
        "users": plan.users,
        "arms": [ArmWire.of(arm).model_dump(mode="json") for arm in plan.arms],
        "result": SimulationResult.of(report).model_dump(mode="json"),
    }
