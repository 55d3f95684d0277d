from __future__ import annotations

import asyncio
import json

import jsonschema
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from reward_llm.domain.completion import RUNNERS_UP, CompletionRequest, Message, Vocabulary
from reward_llm.errors import AnswerTruncated, CheckpointInvalid, ModelError, ModelTimeout
from reward_llm.generation.clients.constrained import FREE_TEXT_CHARS
from reward_llm.generation.clients.embedded import EmbeddedConfig, EmbeddedModel
from reward_llm.generation.prompts import load_bundle
from reward_llm.reading.rules import RuleReader
from reward_llm.validation.alternatives import alternatives
from reward_llm.validation.answers import read_answer
from reward_llm.validation.calibrations import CALIBRATION, dump_calibration
from reward_llm.validation.checkpoints import CHECKSUMS, REQUIRED_FILES, verify_checkpoint
from reward_llm.validation.schemas import answer_names, points_schema
from tests.checkpoints import uncalibrated_copy
from tests.choices import unscaled
from tests.strategies import HOME_FEED, VIDEO_FEED

BUNDLE = load_bundle("goal_to_intents")
READERS = {s.name: RuleReader(s) for s in (HOME_FEED, VIDEO_FEED)}
GOALS = [
    "今天是618大促，GMV目标1亿，用户留存目标是65%",
    "Give new creators noticeably more exposure, but day-1 retention must not drop below 40%.",
    "别再追求点击率，把投诉降下来",
    "今天中午吃什么？",
]


@pytest.fixture(scope="module")
def model():
    built = EmbeddedModel(EmbeddedConfig())
    yield built
    asyncio.run(built.aclose())


@pytest.fixture
def checkpoint(tmp_path):
    return uncalibrated_copy(tmp_path)


def request(text, scenario=HOME_FEED, **changes):
    facts = {
        "messages": BUNDLE.render(scenario, Vocabulary.CONCEPTS, text, READERS[scenario.name].hints(text)),
        "schema": BUNDLE.schema(scenario, Vocabulary.CONCEPTS),
    }
    return CompletionRequest(**(facts | changes))


@pytest.mark.parametrize("text", GOALS)
async def test_the_constrained_answer_is_what_free_greedy_decoding_gives(model, text):
    completion = await model.complete(request(text))
    tokenizer, network = model._tokenizer, model._model
    chat = [{"role": m.role, "content": m.content} for m in request(text).messages]
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    with torch.inference_mode():
        tokens = network.generate(**prompt, do_sample=False, max_new_tokens=200)[0, prompt["input_ids"].shape[1] :]
    assert completion.text == tokenizer.decode(tokens, skip_special_tokens=True)


async def test_an_answer_tells_the_probability_of_every_choice(model):
    completion = await model.complete(request(GOALS[0]))
    assert completion.choices
    assert all(0 < c.probability <= 1 for c in completion.choices)
    chosen = {completion.text[c.start : c.end] for c in completion.choices}
    assert any(piece.startswith("gmv") for piece in chosen)


async def test_an_ambiguous_goal_shows_what_else_it_may_mean(model):
    text = "Make the feed better for sellers"
    wanted, names = request(text), answer_names(HOME_FEED, Vocabulary.CONCEPTS)
    completion = await model.complete(wanted)
    for choice in completion.choices:
        others = [r.probability for r in choice.runners_up]
        assert len(others) <= RUNNERS_UP
        assert others == sorted(others, reverse=True)
        assert choice.probability + sum(others) <= 1 + 1e-5
    reading = read_answer(completion, wanted.schema, names, text).reading
    others = alternatives(completion, reading, READERS["home_feed"].read(text), names)
    assert reading.confidence < 0.99
    assert others
    assert reading.intents not in [a.reading.intents for a in others]


async def test_a_checkpoint_brings_its_calibration_along_and_no_other_ones(checkpoint):
    digest = verify_checkpoint(checkpoint)
    (checkpoint / CALIBRATION).write_text(dump_calibration(unscaled(0.8), digest, {}), "utf-8")
    fitted = EmbeddedModel(EmbeddedConfig(checkpoint=checkpoint))
    assert fitted.calibration == unscaled(0.8)
    await fitted.aclose()
    (checkpoint / CALIBRATION).write_text(dump_calibration(unscaled(0.8), "0" * 64, {}), "utf-8")
    with pytest.raises(CheckpointInvalid, match="other weights"):
        EmbeddedModel(EmbeddedConfig(checkpoint=checkpoint))
    unfitted = EmbeddedModel(EmbeddedConfig(checkpoint=checkpoint, calibrated=False))
    assert unfitted.calibration is None
    await unfitted.aclose()


async def test_an_answer_with_points_is_held_to_its_schema_too(model):
    schema = points_schema(HOME_FEED)
    completion = await model.complete(request(GOALS[0], schema=schema, max_tokens=900))
    jsonschema.validate(json.loads(completion.text), schema)


async def test_free_text_comes_to_an_end(model):
    schema = {
        "type": "object",
        "properties": {"said": {"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}},
        "required": ["said"],
        "additionalProperties": False,
    }
    completion = await model.complete(request(GOALS[0], schema=schema, max_tokens=900, temperature=5.0))
    assert all(len(text) <= FREE_TEXT_CHARS for text in json.loads(completion.text)["said"])


async def test_what_the_schema_forces_costs_no_forward_pass(model):
    passes = []
    hook = model._model.register_forward_hook(lambda *_: passes.append(1))
    completion = await model.complete(request(GOALS[0]))
    hook.remove()
    assert len(passes) <= len(completion.choices) + 1


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=300), scenario=st.sampled_from([HOME_FEED, VIDEO_FEED]))
def test_every_text_gets_an_answer_of_the_schema(model, text, scenario):
    wanted = request(text, scenario)
    completion = asyncio.run(model.complete(wanted))
    jsonschema.validate(json.loads(completion.text), dict(wanted.schema))


async def test_goals_at_once_are_answered_as_one_by_one(model):
    together = await asyncio.gather(*(model.complete(request(g)) for g in GOALS * 2))
    alone = [await model.complete(request(g)) for g in GOALS]
    assert [c.text for c in together] == [c.text for c in alone] * 2


async def test_a_seed_repeats_a_sample(model):
    first, second = [await model.complete(request(GOALS[1], temperature=5.0, seed=3)) for _ in range(2)]
    assert first == second


async def test_the_deadline_and_the_token_limit_hold(model):
    with pytest.raises(ModelTimeout):
        await model.complete(request(GOALS[0], deadline_s=0.0))
    with pytest.raises(AnswerTruncated):
        await model.complete(request(GOALS[0], max_tokens=2))


async def test_a_prompt_beyond_the_context_is_an_error(model):
    with pytest.raises(ModelError, match="reads at most"):
        await model.complete(request("x", messages=(Message("user", "点击 " * 4_000),)))


BROKEN = [(n, c) for n in REQUIRED_FILES for c in (None, b"", b"{}", b"\x00\xff" * 100)]
BROKEN.remove(("tokenizer_config.json", b"{}"))  # all that it says has a default


@pytest.mark.parametrize(("name", "content"), BROKEN)
def test_a_checkpoint_with_a_missing_or_broken_file_is_refused(checkpoint, name, content):
    (checkpoint / CHECKSUMS).unlink()
    if content is None:
        (checkpoint / name).unlink()
    else:
        (checkpoint / name).write_bytes(content)
    with pytest.raises(CheckpointInvalid) as caught:
        EmbeddedModel(EmbeddedConfig(checkpoint=checkpoint))
    assert "reward-llm model train" in caught.value.hint


def test_a_flipped_bit_is_found_by_the_checksum(checkpoint):
    weights = checkpoint / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    with pytest.raises(CheckpointInvalid, match="damaged"):
        EmbeddedModel(EmbeddedConfig(checkpoint=checkpoint))


async def test_weights_that_are_not_numbers_are_an_error_and_not_an_answer(checkpoint):
    (checkpoint / CHECKSUMS).unlink()
    weights = checkpoint / "model.safetensors"
    tensors = {k: torch.full_like(v, float("nan")) for k, v in load_file(weights).items()}
    save_file(tensors, weights, metadata={"format": "pt"})
    broken = EmbeddedModel(EmbeddedConfig(checkpoint=checkpoint))
    with pytest.raises(ModelError, match="finite"):
        await broken.complete(request(GOALS[0]))
    await broken.aclose()
