from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import pytest
from starlette.requests import Request
from starlette.responses import Response

from reward_llm.bootstrap import build_backends, build_model, build_proposer, check_bundle, load_settings
from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.domain.policy import default_policy
from reward_llm.domain.scenario import Scope
from reward_llm.errors import ConfigurationInvalid
from reward_llm.resources import checkpoint_dir
from reward_llm.validation.calibrations import dump_calibration
from tests.choices import unscaled
from tests.generation.servers import completion, model_server
from tests.strategies import HOME_FEED

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)


async def test_the_model_behind_vllm_is_calibrated_by_the_file_that_the_settings_name(tmp_path):
    file = tmp_path / "calibration.json"
    file.write_text(dump_calibration(unscaled(0.8), "ab", {}), "utf-8")
    for chosen, calibration in ({"calibration": file}, unscaled(0.8)), ({}, None):
        model = build_model(load_settings(backend="vllm", **chosen))
        assert model.calibration == calibration
        await model.aclose()
    with pytest.raises(ConfigurationInvalid, match="holds no calibration"):
        build_model(load_settings(backend="vllm", calibration=tmp_path / "none.json"))


@pytest.mark.parametrize(
    ("chosen", "label"), [({}, "goal_to_intents@1"), ({"bundle": "goal_to_points"}, "goal_to_points@1")]
)
async def test_the_settings_choose_what_the_model_is_asked_for(chosen, label):
    asked = []

    async def answer(request: Request) -> Response:
        schema = (await request.json())["response_format"]["json_schema"]["schema"]
        asked.append(list(schema["properties"]))
        points = dict.fromkeys(HOME_FEED.utility_names, 4) | {"click": 20} if "weights" in asked[-1] else None
        return completion(canonical_answer([("click", Direction.RAISE, Emphasis.CLEAR)], points))

    with model_server(answer) as url:
        settings = load_settings(backend="vllm", vllm_url=url, **chosen)
        model = build_model(settings)
        goal = Goal(id="g", scope=Scope("home_feed"), text="raise CTR", submitted_at=NOON)
        proposer = build_proposer(settings, model)
        proposal = await proposer.propose(goal, HOME_FEED, default_policy(HOME_FEED, None, NOON))
        await model.aclose()
    assert (proposal.source, proposal.provenance.prompt) == (model.source, label)
    assert ["weights" in properties for properties in asked] == [bool(chosen)]


def test_the_model_that_ships_is_not_asked_for_points():
    settings = load_settings(bundle="goal_to_points", vocabulary="utilities")
    with pytest.raises(ConfigurationInvalid, match="trained to answer with intents") as caught:
        build_model(settings)
    assert "REWARD_LLM_BUNDLE=goal_to_intents" in caught.value.hint


def test_a_checkpoint_that_was_trained_elsewhere_may_be_asked_for_points(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "qwen2"}), "utf-8")
    check_bundle(load_settings(bundle="goal_to_points", checkpoint=tmp_path))
    shutil.copy(checkpoint_dir() / "training.json", tmp_path)
    with pytest.raises(ConfigurationInvalid):
        check_bundle(load_settings(bundle="goal_to_points", checkpoint=tmp_path))


@pytest.mark.parametrize("backend", ["vllm", "rules"])
def test_the_checkpoint_that_ships_is_in_nobodys_way_where_it_is_not_asked(backend):
    check_bundle(load_settings(bundle="goal_to_points", backend=backend))


def test_points_are_not_asked_of_a_model_that_speaks_concepts():
    settings = load_settings(bundle="goal_to_points", backend="vllm", vocabulary="concepts")
    with pytest.raises(ConfigurationInvalid, match="goal_to_points can't be answered in concepts"):
        build_proposer(settings)


def test_an_unknown_bundle_names_the_setting():
    with pytest.raises(ConfigurationInvalid, match="bundle"):
        load_settings(bundle="goal_to_poems")


@pytest.mark.parametrize(
    ("chosen", "named"),
    [
        ({"backend": "embedded"}, ["embedded", "rules"]),
        ({"backend": "rules"}, ["rules"]),
        ({"backend": "rules", "vllm_url": "http://127.0.0.1:1/v1"}, ["rules", "vllm"]),
        ({"backend": "vllm", "checkpoint": checkpoint_dir()}, ["vllm", "embedded", "rules"]),
    ],
)
async def test_prompts_can_be_tried_on_every_backend_that_the_settings_name(chosen, named):
    settings = load_settings(**chosen)
    model = build_model(settings)
    backends = build_backends(settings, model)
    for backend in backends:
        if backend.model is not None:
            await backend.model.aclose()
    assert [b.name for b in backends] == named
    assert {b.name: b.prompt_use for b in backends}.get("embedded", "user_turn") == "user_turn"
