from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given

from reward_llm.domain.completion import Vocabulary
from reward_llm.validation.schemas import ANSWER_KEYWORDS, intents_schema, points_schema
from tests.strategies import HOME_FEED, VIDEO_FEED, scenarios


def subschemas(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield schema
    for inner in schema.get("properties", {}).values():
        yield from subschemas(inner)
    if "items" in schema:
        yield from subschemas(schema["items"])


def lint(schema: Mapping[str, Any]) -> list[str]:
    return [
        problem
        for part in subschemas(schema)
        for problem in (
            *(f"keyword {k!r}" for k in part if k not in ANSWER_KEYWORDS),
            *(
                ["an open object"]
                if part["type"] == "object" and part.get("additionalProperties") is not False
                else []
            ),
            *(["an optional property"] if set(part.get("properties", ())) != set(part.get("required", ())) else []),
        )
    ]


@given(scenarios())
def test_answer_schemas_keep_to_what_every_backend_enforces(scenario):
    for vocabulary in Vocabulary:
        assert lint(intents_schema(scenario, vocabulary)) == []
    assert lint(points_schema(scenario)) == []


@pytest.mark.parametrize("change", [{"maxLength": 9}, {"pattern": "a"}, {"oneOf": []}])
def test_the_linter_finds_a_keyword_that_a_backend_may_drop(change):
    schema = intents_schema(HOME_FEED, Vocabulary.UTILITIES)
    schema["properties"]["rationale"] |= change
    assert lint(schema) == [f"keyword {k!r}" for k in change]


@given(scenarios())
def test_points_are_asked_for_every_utility_between_the_reading_and_the_rationale(scenario):
    schema = points_schema(scenario)
    assert list(schema["properties"]) == ["decision", "intents", "weights", "rationale"]
    weights = schema["properties"]["weights"]
    assert weights["required"] == list(scenario.utility_names)
    assert all(w == {"type": "integer", "minimum": 0, "maximum": 100} for w in weights["properties"].values())


def test_a_model_that_knows_concepts_is_offered_only_those_that_the_scenario_uses():
    enum = intents_schema(VIDEO_FEED, Vocabulary.CONCEPTS)["properties"]["intents"]["items"]["properties"]["utility"]
    assert enum["enum"] == ["satisfaction", "retention", "cold_start"]
