"""A Qwen2 model behind vLLM's OpenAI-compatible HTTP interface."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import httpx

from reward_llm.domain.completion import Completion, CompletionRequest, Vocabulary
from reward_llm.domain.policy import Source
from reward_llm.errors import AnswerMalformed, AnswerTruncated, ModelError, ModelTimeout, ModelUnavailable

MAX_ANSWER_BYTES: Final = 1_000_000
_START_HINT: Final = "Start vLLM, or set REWARD_LLM_VLLM_URL to where it listens."


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmConfig:
    """Where the server listens and what it is asked for."""

    base_url: str = "http://127.0.0.1:8311/v1"
    model: str | None = None
    """The served model's name; None takes the first that the server lists."""
    api_key: str | None = None
    vocabulary: Vocabulary = Vocabulary.UTILITIES
    connect_timeout_s: float = 2.0


class VllmModel:
    """Asks vLLM for an answer that its structured output holds to the schema."""

    source = Source.VLLM

    def __init__(self, config: VllmConfig, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.vocabulary = config.vocabulary
        self._config = config
        self._model = config.model
        headers = {"Authorization": f"Bearer {config.api_key}"} if config.api_key else {}
        self._http = httpx.AsyncClient(
            base_url=config.base_url,
            headers=headers,
            timeout=httpx.Timeout(None, connect=config.connect_timeout_s),
            transport=transport,
            trust_env=False,
        )

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer the chat; see `LanguageModel.complete`."""
        try:
            async with asyncio.timeout(request.deadline_s):
                model = await self.ping()
                body = await self._post("chat/completions", _body(request, model))
        except TimeoutError as exc:
            raise ModelTimeout(f"vLLM gave no answer within {request.deadline_s:g} s") from exc
        return Completion(text=_text_of(body), model=model)

    async def ping(self) -> str:
        """The served model's name; see `LanguageModel.ping`."""
        if self._model is None:
            body = _json(await self._send("GET", "models"))
            try:
                self._model = str(body["data"][0]["id"])
            except (KeyError, IndexError, TypeError) as exc:
                raise ModelUnavailable("vLLM lists no model", hint=_START_HINT) from exc
        return self._model

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _post(self, path: str, document: dict[str, Any]) -> dict[str, Any]:
        return _json(await self._send("POST", path, document))

    async def _send(self, method: str, path: str, document: dict[str, Any] | None = None) -> httpx.Response:
        try:
            response = await self._http.request(method, path, json=document)
        except httpx.TimeoutException as exc:
            raise ModelTimeout("vLLM did not answer in time", hint=_START_HINT) from exc
        except httpx.HTTPError as exc:
            raise ModelUnavailable(f"vLLM can't be reached: {exc or type(exc).__name__}", hint=_START_HINT) from exc
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise ModelUnavailable(f"vLLM answered {response.status_code}")
        if response.is_error:
            raise ModelError(f"vLLM refused the request ({response.status_code}): {response.text[:300]}")
        return response


def _body(request: CompletionRequest, model: str) -> dict[str, Any]:
    return {
        "model": model,
        "messages": [{"role": m.role, "content": m.content} for m in request.messages],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": dict(request.schema)},
        },
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
    }


def _json(response: httpx.Response) -> dict[str, Any]:
    if len(response.content) > MAX_ANSWER_BYTES:
        raise AnswerMalformed(f"vLLM answered with {len(response.content):,} bytes")
    try:
        body = response.json()
    except ValueError as exc:
        raise AnswerMalformed("vLLM's answer isn't JSON") from exc
    if not isinstance(body, dict):
        raise AnswerMalformed("vLLM's answer isn't a JSON object")
    return body


def _text_of(body: dict[str, Any]) -> str:
    try:
        choice = body["choices"][0]
        finish_reason, text = choice["finish_reason"], choice["message"]["content"]
    except (KeyError, IndexError, TypeError) as exc:
        raise AnswerMalformed("vLLM's answer has no message") from exc
    if finish_reason == "length":
        raise AnswerTruncated("vLLM's answer hit the token limit before its end")
    if not isinstance(text, str) or not text:
        raise AnswerMalformed("vLLM's answer is empty")
    return text
