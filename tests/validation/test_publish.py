from __future__ import annotations

import json

import jsonschema
import pytest
import yaml

from reward_llm.domain.policy import default_policy
from reward_llm.resources import scenarios_dir, schemas_dir
from reward_llm.validation.publish import policy_schema, published
from reward_llm.validation.scenarios import load_scenarios
from tests.domain.test_policy import NOON

SCENARIOS = load_scenarios([scenarios_dir()])
SCHEMAS = published(SCENARIOS)


def test_the_schemas_that_ship_are_those_that_the_domain_generates():
    on_disk = {p.name: json.loads(p.read_text("utf-8")) for p in schemas_dir().glob("*.json")}
    assert on_disk == SCHEMAS, "run: python -m reward_llm.validation.publish"


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_schema_is_valid_against_its_meta_schema(name):
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("path", sorted(scenarios_dir().glob("*.yaml")), ids=lambda p: p.stem)
def test_the_scenarios_that_ship_keep_to_the_schema(path):
    jsonschema.validate(yaml.safe_load(path.read_text("utf-8")), SCHEMAS["scenario.json"])


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_policys_document_keeps_to_its_schema(name):
    policy = default_policy(SCENARIOS[name], "new_user", NOON)
    jsonschema.validate(policy.document, policy_schema(SCENARIOS[name]))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(policy.document | {"weights": {}}, policy_schema(SCENARIOS[name]))
