from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.domain.prompts import Example, ExampleIntent, Golden, PromptContent, Sampling
from reward_llm.domain.scenario import Concept
from reward_llm.errors import PromptInvalid
from reward_llm.generation.prompt_contract import (
    MAX_DESCRIPTION_CHARS,
    MAX_EXAMPLES,
    MAX_TEMPLATE_CHARS,
    check_prompt,
)
from reward_llm.generation.prompt_files import packaged_prompts
from tests.strategies import HOME_FEED, VIDEO_FEED

SCENARIOS = (HOME_FEED, VIDEO_FEED)
PACKAGED = {name: version.content for name, version in packaged_prompts().items()}
CONTENT = PACKAGED["goal_to_intents"]
GMV_UP = ExampleIntent(concept=Concept.GMV, direction=Direction.RAISE, emphasis=Emphasis.CLEAR)


def violations(content: PromptContent, **asked: Any) -> list[tuple[str, str]]:
    with pytest.raises(PromptInvalid) as caught:
        check_prompt(content, SCENARIOS, **asked)
    return [(v.path, v.code) for v in caught.value.violations]


@pytest.mark.parametrize("content", PACKAGED.values(), ids=PACKAGED)
def test_the_prompts_that_ship_keep_the_contract_for_every_scenario(content: PromptContent) -> None:
    check_prompt(content, SCENARIOS, golden_sets=PACKAGED)


def with_example(**facts: Any) -> Callable[[PromptContent], PromptContent]:
    example = replace(Example(goal="Sell more", intents=(GMV_UP,)), **facts)
    return lambda c: replace(c, examples=(example,))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda c: replace(c, system=c.system + "\n{{ secret }}"), ("system:22", "variable_undeclared")),
        (lambda c: replace(c, variables=(*c.variables, "secret")), ("variables", "variable_unknown")),
        (lambda c: replace(c, system="Read.", variables=c.variables), ("variables", "variable_unused")),
        (lambda c: replace(c, user="Read it."), ("user:1", "variable_missing")),
        (lambda c: replace(c, system=c.system + "{{ goal }}"), ("system:1", "variable_misplaced")),
        (lambda c: replace(c, user="{{ goal | upper }}"), ("user", "goal_changed")),
        (lambda c: replace(c, system=c.system + "{{ scenario.nothing }}"), ("home_feed", "render")),
        (lambda c: replace(c, system="x" * (MAX_TEMPLATE_CHARS + 1)), ("system", "too_long")),
        (lambda c: replace(c, system=" \n"), ("system", "empty")),
        (lambda c: replace(c, system=c.system + "\u202e"), ("system", "control_characters")),
        (lambda c: replace(c, description="x" * (MAX_DESCRIPTION_CHARS + 1)), ("description", "too_long")),
        (
            lambda c: replace(c, parameters=Sampling(max_tokens=5, temperature=0.0)),
            ("parameters/max_tokens", "out_of_range"),
        ),
        (
            lambda c: replace(c, parameters=Sampling(max_tokens=600, temperature=-0.1)),
            ("parameters/temperature", "out_of_range"),
        ),
        (lambda c: replace(c, golden=Golden(set="small", threshold=1.1)), ("golden/threshold", "out_of_range")),
        (lambda c: replace(c, examples=c.examples[:1] * (MAX_EXAMPLES + 1)), ("examples", "too_long")),
        (with_example(intents=(GMV_UP, GMV_UP)), ("examples/0/intents", "repeated")),
        (with_example(goal=""), ("examples/0/goal", "empty")),
        (with_example(goal="x" * 4_001), ("examples/0/goal", "too_long")),
        (with_example(lexicon={Concept.GMV: "raise " * 9}), ("examples/0/lexicon", "too_long")),
    ],
)
def test_a_broken_prompt_is_refused_with_what_is_wrong_and_where(
    change: Callable[[PromptContent], PromptContent], expected: tuple[str, str]
) -> None:
    assert expected in violations(change(CONTENT))


def test_a_golden_set_that_isnt_there_is_named() -> None:
    with pytest.raises(PromptInvalid, match="no golden set 'goal_to_intents'; there are: small"):
        check_prompt(CONTENT, SCENARIOS, golden_sets={"small"})


def test_everything_that_is_wrong_is_told_at_once() -> None:
    broken = replace(CONTENT, user="{{ gaol }}", golden=Golden(set="small", threshold=2), description="")
    assert {path for path, _ in violations(broken)} >= {"user:1", "golden/threshold", "description"}
