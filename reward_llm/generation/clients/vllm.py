"""A Qwen2 model behind vLLM's OpenAI-compatible HTTP interface."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import httpx

from reward_llm.domain.calibration import Calibration
from reward_llm.domain.completion import RUNNERS_UP, Completion, CompletionRequest, Vocabulary
from reward_llm.domain.policy import Source
from reward_llm.errors import AnswerMalformed, AnswerTruncated, ModelError, ModelTimeout, ModelUnavailable
from reward_llm.generation.clients.vllm_logprobs import choices_of

MAX_ANSWER_BYTES: Final = 1_000_000
MAX_FINGERPRINT_CHARS: Final = 200
_START_HINT: Final = "Start vLLM, or set REWARD_LLM_VLLM_URL to where it listens."
_NAME_HINT: Final = "Check REWARD_LLM_VLLM_URL, which ends with /v1, and REWARD_LLM_VLLM_MODEL."


@dataclass(frozen=True, slots=True, kw_only=True)
class VllmConfig:
    """Where the server listens and what it is asked for."""

    base_url: str = "http://127.0.0.1:8311/v1"
    model: str | None = None
    """The served model's name; None takes the first that the server lists."""
    api_key: str | None = None
    vocabulary: Vocabulary = Vocabulary.UTILITIES
    calibration: Calibration | None = None
    """How the served model's probabilities are to be taken."""
    connect_timeout_s: float = 2.0


class VllmModel:
    """Asks vLLM for an answer that its structured output holds to the schema."""

    source = Source.VLLM

    def __init__(self, config: VllmConfig, *, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.vocabulary = config.vocabulary
        self.calibration = config.calibration
        self._config = config
        self._model: str | None = None
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
                model = self._config.model or self._model or await self.ping()
                body = await self._post("chat/completions", _body(request, model))
        except TimeoutError as exc:
            raise ModelTimeout(f"vLLM gave no answer within {request.deadline_s:g} s") from exc
        text = _text_of(body)
        return Completion(text=text, model=model, choices=choices_of(body, text), checkpoint_hash=_fingerprint(body))

    async def ping(self) -> str:
        """The served model's name; see `LanguageModel.ping`."""
        names = _model_names(_json(await self._send("GET", "models")))
        self._model = self._config.model or names[0]
        if self._model not in names:
            raise ModelUnavailable(f"vLLM serves {', '.join(names)}, not {self._model}", hint=_NAME_HINT)
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
        if response.status_code == httpx.codes.NOT_FOUND:
            self._model = None  # the server may have been restarted with another one
            raise ModelUnavailable(f"vLLM doesn't know what it was asked for: {response.text[:300]}", hint=_NAME_HINT)
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
        "logprobs": True,
        "top_logprobs": RUNNERS_UP + 1,
    }


def _model_names(body: dict[str, Any]) -> list[str]:
    try:
        names = [str(model["id"]) for model in body["data"]]
    except (KeyError, TypeError) as exc:
        raise ModelUnavailable("vLLM lists no model", hint=_START_HINT) from exc
    if not names:
        raise ModelUnavailable("vLLM lists no model", hint=_START_HINT)
    return names


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


def _fingerprint(body: dict[str, Any]) -> str | None:
    """What the server tells of the model behind it, which few do."""
    told = body.get("system_fingerprint")
    return told[:MAX_FINGERPRINT_CHARS] if isinstance(told, str) and told else None


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
