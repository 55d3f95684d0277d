"""Hypothesis strategies over the domain, and the scenarios that ship."""

from __future__ import annotations

from hypothesis import strategies as st

from reward_llm.domain.interpretation import Direction, Emphasis, Intent
from reward_llm.domain.points import MAX_POINTS
from reward_llm.domain.scenario import Bilingual, Bounds, Concept, Guardrails, Scenario, Utility
from reward_llm.domain.weights import Weights
from reward_llm.resources import scenarios_dir
from reward_llm.validation.scenarios import load_scenario

HOME_FEED = load_scenario(scenarios_dir() / "home_feed.yaml")
VIDEO_FEED = load_scenario(scenarios_dir() / "video_feed.yaml")


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Scenarios of two to seven utilities, with any bounds around any defaults."""
    concepts = draw(st.lists(st.sampled_from(Concept), min_size=2, max_size=7, unique=True))
    parts = draw(st.lists(st.integers(1, 100), min_size=len(concepts), max_size=len(concepts)))
    defaults = Weights.rounded({c.value: p / sum(parts) for c, p in zip(concepts, parts, strict=True)})
    utilities = tuple(
        Utility(
            name=c.value,
            concept=c,
            default=defaults[c.value],
            bounds=Bounds(
                min=round(defaults[c.value] * draw(st.floats(0, 1)), 4),
                max=min(1.0, round(defaults[c.value] + (1 - defaults[c.value]) * draw(st.floats(0, 1)), 4)),
            ),
            description=Bilingual(en=c.value, zh=c.value),
        )
        for c in concepts
    )
    return Scenario(
        name="drawn",
        title=Bilingual(en="Drawn", zh="随机"),
        utilities=utilities,
        guardrails=Guardrails(
            max_step=draw(st.floats(0.05, 2)),
            held=tuple(draw(st.lists(st.sampled_from([u.name for u in utilities]), unique=True, max_size=2))),
        ),
        base=draw(st.sampled_from(["defaults", "active"])),
    )


@st.composite
def intents_for(draw: st.DrawFn, scenario: Scenario) -> tuple[Intent, ...]:
    """At most one intent for each utility."""
    names = draw(st.lists(st.sampled_from(scenario.utility_names), unique=True, max_size=6))
    return tuple(
        Intent(utility=n, direction=draw(st.sampled_from(Direction)), emphasis=draw(st.sampled_from(Emphasis)))
        for n in names
    )


@st.composite
def weights_within(draw: st.DrawFn, scenario: Scenario) -> Weights:
    """Weights that keep to the scenario's bounds, some way from the defaults."""
    low = {u.name: u.held_floor if u.name in scenario.guardrails.held else u.bounds.min for u in scenario.utilities}
    high = {u.name: u.bounds.max for u in scenario.utilities}
    weights = dict(scenario.defaults)
    for _ in range(draw(st.integers(0, 4))):
        giver, taker = draw(st.permutations(scenario.utility_names))[:2]
        room = max(0.0, min(weights[giver] - low[giver], high[taker] - weights[taker]))
        moved = room * draw(st.floats(0, 1))
        weights[giver] -= moved
        weights[taker] += moved
    return Weights.rounded({k: max(v, 0.0) for k, v in weights.items()})


def points_for(scenario: Scenario) -> st.SearchStrategy[dict[str, int]]:
    """Points for each utility, at least one in all."""
    point = st.integers(0, MAX_POINTS)
    return st.fixed_dictionaries(dict.fromkeys(scenario.utility_names, point)).filter(lambda p: any(p.values()))
