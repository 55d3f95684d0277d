from __future__ import annotations

import json

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.completion import CompletionRequest, Message, Vocabulary
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.errors import AnswerMalformed, AnswerTruncated, ModelError, ModelTimeout, ModelUnavailable
from reward_llm.generation.clients.vllm import VllmConfig, VllmModel
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


async def test_the_answer_is_passed_on_letter_by_letter():
    text = json.dumps({"decision": "no_change", "intents": [], "rationale": "没有 \u2028 目标"}, ensure_ascii=False)
    with model_server(answering(completion(text))) as url:
        assert (await ask(url)).text == text
