"""JSON Schemas generated from the domain.

The answer schema keeps to the keywords that xgrammar and llguidance both enforce exactly (`ANSWER_KEYWORDS`);
lengths, sums and uniqueness are checked after decoding.
"""

from __future__ import annotations

from typing import Any, Final

from reward_llm.domain.completion import Vocabulary
from reward_llm.domain.interpretation import MAX_INTENTS, Decision, Direction, Emphasis
from reward_llm.domain.points import MAX_POINTS
from reward_llm.domain.scenario import Scenario

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ANSWER_KEYWORDS: Final = frozenset(
    {"type", "properties", "items", "required", "additionalProperties", "enum", "const", "minItems", "maxItems",
     "minimum", "maximum"}
)  # fmt: skip
"""All that a structured-output backend is asked to enforce."""


def answer_names(scenario: Scenario, vocabulary: Vocabulary) -> dict[str, str]:
    """The name that a model's answer uses for a utility → the utility's own name."""
    if vocabulary is Vocabulary.CONCEPTS:
        return {c.value: u.name for c, u in scenario.utility_of_concept.items()}
    return {name: name for name in scenario.utility_names}


def intents_schema(scenario: Scenario, vocabulary: Vocabulary) -> dict[str, Any]:
    """The schema of an answer of the `goal_to_intents` bundle for that scenario."""
    return _object(**_reading(scenario, vocabulary), rationale={"type": "string"})


def points_schema(scenario: Scenario) -> dict[str, Any]:
    """The schema of an answer of the `goal_to_points` bundle for that scenario.

    Points are shared out over all utilities, so only models that speak the scenario's own names can give them.
    """
    point = {"type": "integer", "minimum": 0, "maximum": MAX_POINTS}
    return _object(
        **_reading(scenario, Vocabulary.UTILITIES),
        weights=_object(**dict.fromkeys(scenario.utility_names, point)),
        rationale={"type": "string"},
    )


def _reading(scenario: Scenario, vocabulary: Vocabulary) -> dict[str, dict[str, Any]]:
    """The properties that every answer begins with."""
    intent = _object(
        utility={"type": "string", "enum": list(answer_names(scenario, vocabulary))},
        direction={"type": "string", "enum": [d.value for d in Direction]},
        emphasis={"type": "string", "enum": [e.value for e in Emphasis]},
    )
    return {
        "decision": {"type": "string", "enum": [d.value for d in Decision]},
        "intents": {"type": "array", "items": intent, "minItems": 0, "maxItems": MAX_INTENTS},
    }


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
