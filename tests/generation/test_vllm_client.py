from __future__ import annotations

import json
import math
import re

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.completion import RUNNERS_UP, CompletionRequest, Message, RunnerUp, Vocabulary
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.errors import AnswerMalformed, AnswerTruncated, ModelError, ModelTimeout, ModelUnavailable
from reward_llm.generation.clients.vllm import VllmConfig, VllmModel
from reward_llm.validation.answers import read_answer
from reward_llm.validation.schemas import intents_schema
from tests.generation.servers import completion, hang, model_server, unused_port
from tests.strategies import HOME_FEED

ANSWER = canonical_answer([("click", Direction.RAISE, Emphasis.CLEAR)])
REQUEST = CompletionRequest(
    messages=(Message("system", "s"), Message("user", "u")),
    schema=intents_schema(HOME_FEED, Vocabulary.UTILITIES),
    seed=7,
)


async def ask(url, request=REQUEST, **config):
    model = VllmModel(VllmConfig(base_url=url, **config))
    try:
        return await model.complete(request)
    finally:
        await model.aclose()


def answering(response: Response):
    async def answer(_):
        return response

    return answer


async def test_the_request_asks_for_the_schema_and_the_first_served_model():
    seen = {}

    async def answer(request):
        seen.update(await request.json(), key=request.headers.get("authorization"))
        return completion(ANSWER)

    with model_server(answer) as url:
        answered = await ask(url, api_key="k")
    assert (answered.text, answered.model) == (ANSWER, "qwen2")
    assert seen["response_format"]["json_schema"]["schema"] == REQUEST.schema
    assert seen["messages"] == [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}]
    assert (seen["logprobs"], seen["top_logprobs"]) == (True, RUNNERS_UP + 1)
    assert (seen["model"], seen["seed"], seen["temperature"], seen["key"]) == ("qwen2", 7, 0.0, "Bearer k")


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (completion(ANSWER, finish_reason="length"), AnswerTruncated),
        (completion(None), AnswerMalformed),
        (completion(""), AnswerMalformed),
        (JSONResponse({"choices": []}), AnswerMalformed),
        (JSONResponse([1]), AnswerMalformed),
        (PlainTextResponse("<html>"), AnswerMalformed),
        (PlainTextResponse("x" * 1_000_001), AnswerMalformed),
        (PlainTextResponse("no", status_code=503), ModelUnavailable),
        (PlainTextResponse("schema", status_code=400), ModelError),
    ],
)
async def test_every_bad_answer_is_an_error_of_its_own(response, error):
    with model_server(answering(response)) as url, pytest.raises(error):
        await ask(url)


async def test_a_server_that_hangs_is_given_up_at_the_deadline():
    with model_server(hang) as url, pytest.raises(ModelTimeout):
        await ask(url, CompletionRequest(messages=REQUEST.messages, schema=REQUEST.schema, deadline_s=0.3))


async def test_a_server_that_is_not_there_is_unavailable_and_says_what_to_do():
    with pytest.raises(ModelUnavailable) as caught:
        await ask(f"http://127.0.0.1:{unused_port()}/v1")
    assert "REWARD_LLM_VLLM_URL" in caught.value.hint


async def test_a_server_without_models_is_unavailable():
    with model_server(answering(completion(ANSWER)), models=()) as url, pytest.raises(ModelUnavailable):
        await ask(url)


@pytest.mark.parametrize(
    ("told", "kept"), [("fp_123", "fp_123"), (None, None), ("", None), (7, None), ("x" * 999, "x" * 200)]
)
async def test_what_the_server_tells_of_the_model_behind_it_is_kept(told, kept):
    body = {"choices": [{"message": {"content": ANSWER}, "finish_reason": "stop"}], "system_fingerprint": told}
    with model_server(answering(JSONResponse(body))) as url:
        assert (await ask(url)).checkpoint_hash == kept


async def test_the_answer_is_passed_on_letter_by_letter():
    text = json.dumps({"decision": "no_change", "intents": [], "rationale": "没有 \u2028 目标"}, ensure_ascii=False)
    with model_server(answering(completion(text))) as url:
        assert (await ask(url)).text == text


def token(text, probability=1.0, **others):
    top = {text: probability} | others
    entries = [{"token": t, "logprob": max(math.log(p) if p else -9999.0, -9999.0)} for t, p in top.items()]
    return {**entries[0], "bytes": None, "top_logprobs": entries}


def tokens_of(text, *end):
    return {"content": [*(token(t) for t in re.findall(r"\w+|\W", text)), *(token(t) for t in end)]}


async def choices(text, logprobs):
    with model_server(answering(completion(text, logprobs=logprobs))) as url:
        answered = await ask(url)
    assert answered.text == text
    return answered.choices


async def test_every_token_is_a_choice_at_its_place_with_what_came_next():
    logprobs = tokens_of(ANSWER, "<|endoftext|>")
    place = [t["token"] for t in logprobs["content"]].index("click")
    logprobs["content"][place] = token("click", 0.7, gmv=0.2, cold=0.05, retention=0.03, diversity=0.01, group=0)
    told = await choices(ANSWER, logprobs)
    assert "".join(ANSWER[c.start : c.end] for c in told) == ANSWER
    (choice,) = [c for c in told if c.probability < 1]
    assert (ANSWER[choice.start : choice.end], choice.probability) == ("click", pytest.approx(0.7))
    assert [r.text for r in choice.runners_up] == ["gmv", "cold", "retention"]
    assert choice.runners_up[0] == RunnerUp(text="gmv", probability=pytest.approx(0.2))


async def test_confidences_follow_from_its_log_probabilities():
    logprobs = tokens_of(ANSWER)
    places = {t["token"]: n for n, t in enumerate(logprobs["content"])}
    logprobs["content"][places["click"]] = token("click", 0.5)
    logprobs["content"][places["clear"]] = token("clear", 0.1)
    with model_server(answering(completion(ANSWER, logprobs=logprobs))) as url:
        answered = await ask(url)
    names = {name: name for name in HOME_FEED.utility_names}
    reading = read_answer(answered, REQUEST.schema, names, "more clicks").reading
    assert (reading.intents[0].confidence, reading.completeness) == (pytest.approx(0.5), 1.0)


async def test_choices_end_where_a_character_is_spread_over_tokens():
    text = ANSWER.replace('""', '"促"')
    before = text.index("促")
    logprobs = {"content": [token(text[:before]), token("\ufffd"), token("\ufffd"), token('"}')]}
    (choice,) = await choices(text, logprobs)
    assert (choice.start, choice.end) == (0, before)


@pytest.mark.parametrize(
    "logprobs",
    [
        None, {}, [], {"content": None}, {"content": [{}]}, {"content": [{"token": "{", "logprob": "often"}]},
        {"content": [token("{"), token("something else")]},
    ],
)  # fmt: skip
async def test_without_log_probabilities_that_fit_there_are_no_choices(logprobs):
    assert await choices(ANSWER, logprobs) == ()


async def test_a_ping_asks_the_server_every_time():
    with model_server(hang) as url:
        model = VllmModel(VllmConfig(base_url=url))
        assert await model.ping() == "qwen2"
    with pytest.raises(ModelUnavailable):
        await model.ping()
    await model.aclose()


async def test_a_model_that_the_server_does_not_have_is_unavailable():
    with model_server(hang) as url:
        model = VllmModel(VllmConfig(base_url=url, model="llama"))
        with pytest.raises(ModelUnavailable, match="serves qwen2, not llama"):
            await model.ping()
        await model.aclose()


async def test_a_server_that_came_back_with_another_model_is_asked_for_its_name_again():
    async def answer(request):
        known = (await request.json())["model"] == served[0]
        return completion(ANSWER) if known else PlainTextResponse("no such model", status_code=404)

    served = ["qwen2"]
    with model_server(answer, models=served) as url:
        model = VllmModel(VllmConfig(base_url=url))
        await model.complete(REQUEST)
        served[0] = "qwen3"
        with pytest.raises(ModelUnavailable) as caught:
            await model.complete(REQUEST)
        assert caught.value.retryable
        assert (await model.complete(REQUEST)).model == "qwen3"
        await model.aclose()
