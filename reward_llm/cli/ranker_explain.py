"""`reward-llm ranker explain`: why the slate of a logged request is as it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from reward_llm.cli.filling import filled
from reward_llm.cli.options import JsonOption, LangOption, SegmentOption
from reward_llm.cli.output import console, print_json
from reward_llm.cli.ranking_display import show_explanation
from reward_llm.cli.submit import named_numbers
from reward_llm.cli.wording import say
from reward_llm.errors import ScenarioUnknown, WeightsInvalid

if TYPE_CHECKING:
    from reward_llm.domain.scenario import Scenario


def explain(
    request: Annotated[
        str, typer.Argument(metavar="REQUEST", help="A request of the log: its id, or its number from 0.")
    ],
    weights: Annotated[
        list[str] | None,
        typer.Argument(metavar="[UTILITY=WEIGHT...]", help="Weights to rank by; those in force if none are named."),
    ] = None,
    *,
    scenario: Annotated[str, typer.Option("--scenario", help="The scenario whose weights these are.")] = "home_feed",
    segment: SegmentOption = None,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", help="A folder that training wrote; the one of the settings.")
    ] = None,
    log: Annotated[
        Path | None, typer.Option("--log", help="Logged lists in Parquet; the sample in the checkpoint's folder.")
    ] = None,
    as_json: JsonOption = False,
    lang: LangOption,
) -> None:
    """Say what each item of a slate is worth to which utility, and which utilities moved it.

    Utilities that aren't named share what is left, in proportion to the scenario's defaults. Without any, the service
    is asked for those in force.
    """
    from reward_llm.bootstrap import explain_logged, load_all_scenarios, load_settings

    settings = load_settings(ranker_checkpoint=checkpoint, ranker_log=log)
    scenarios = load_all_scenarios(settings)
    if scenario not in scenarios:
        raise ScenarioUnknown(f"no scenario {scenario!r}", hint=f"There are: {', '.join(scenarios)}.")
    wanted = _wanted(scenarios[scenario], segment, named_numbers(weights or [], "UTILITY=WEIGHT"))
    with Console(stderr=True).status(say("explaining", lang)):
        explanation = asdict(explain_logged(settings, scenarios[scenario], wanted, request))
    if as_json:
        print_json({"scenario": scenario, "segment": segment, **explanation})
    else:
        show_explanation(console(), explanation, lang)


def _wanted(scenario: Scenario, segment: str | None, named: Mapping[str, float]) -> Mapping[str, float]:
    """The weights to rank by.

    Raises:
        WeightsInvalid: If they name what the scenario doesn't have, or can't add up to 1.
        ServiceUnavailable: If none are named and the service can't be reached.
    """
    from reward_llm.cli.client import connect

    scenario.check_segment(segment)
    if not named:
        active: dict[str, float] = connect().get("weights", scenario.name, segment=segment)["weights"]
        return active
    unknown = [name for name in named if name not in scenario.utility_names]
    if unknown:
        hint = f"It has: {', '.join(scenario.utility_names)}."
        raise WeightsInvalid(f"{scenario.name} has no utility {', '.join(unknown)}", hint=hint)
    return filled(named, scenario.defaults)
