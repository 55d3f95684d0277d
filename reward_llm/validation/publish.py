"""Writes the JSON Schemas that ship: `python -m reward_llm.validation.publish`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reward_llm.domain.completion import Vocabulary
from reward_llm.domain.policy import Source
from reward_llm.domain.scenario import NAME_PATTERN, Scenario
from reward_llm.resources import scenarios_dir, schemas_dir
from reward_llm.validation.scenarios import load_scenarios, scenario_schema
from reward_llm.validation.schemas import DIALECT, intents_schema, points_schema


def policy_schema(scenario: Scenario) -> dict[str, Any]:
    """The schema of the document that a policy's content hash is taken over, for one scenario."""
    weight = {
        u.name: {"type": "number", "minimum": u.bounds.min, "maximum": u.bounds.max, "description": u.description.en}
        for u in scenario.utilities
    }
    properties: dict[str, Any] = {
        "kind": {"const": "reward_policy/1"},
        "scenario": {"const": scenario.name},
        "segment": {"type": ["string", "null"], "pattern": f"^{NAME_PATTERN.pattern}$"},
        "version": {"type": "integer", "minimum": 0},
        "weights": {
            "type": "object",
            "properties": weight,
            "required": list(weight),
            "additionalProperties": False,
        },
        "source": {"enum": [s.value for s in Source]},
        "origin": {"type": "string", "description": "The goal or the edit that the weights came from."},
    }
    return {
        "$schema": DIALECT,
        "title": f"RewardPolicy of {scenario.name}",
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def published(scenarios: Mapping[str, Scenario]) -> dict[str, dict[str, Any]]:
    """Every schema that ships, by file name."""
    schemas = {"scenario.json": scenario_schema()}
    for name, scenario in scenarios.items():
        schemas[f"reward_policy.{name}.json"] = policy_schema(scenario)
        for vocabulary in Vocabulary:
            schema = intents_schema(scenario, vocabulary)
            schemas[f"goal_to_intents.{name}.{vocabulary.value}.json"] = {"$schema": DIALECT, **schema}
        schemas[f"goal_to_points.{name}.json"] = {"$schema": DIALECT, **points_schema(scenario)}
    return schemas


def write(folder: Path) -> None:
    """Write them into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in published(load_scenarios([scenarios_dir()])).items():
        (folder / name).write_text(json.dumps(schema, ensure_ascii=False, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    write(schemas_dir())
