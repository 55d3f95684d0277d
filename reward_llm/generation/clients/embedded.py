"""A small Qwen2 inside the process, its answers held to the schema by llguidance.

    prompt ─► prefill ─► [ forced tokens ─► forward ─► mask ─► arg max or sample ] ─► end of the document

Where the schema leaves one continuation only, its tokens are appended without asking the model, so a reading
costs one forward pass for each real choice. Free text ends after `FREE_TEXT_CHARS`: a model that never learned to
write any may not end it, and llguidance, unlike xgrammar, counts characters at no cost.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import llguidance.hf
import numpy as np
import torch
from jinja2 import TemplateError
from llguidance import LLMatcher
from safetensors import SafetensorError
from transformers import AutoTokenizer, Qwen2ForCausalLM
from transformers.utils import logging

from reward_llm.domain.completion import (
    RUNNERS_UP,
    Choice,
    Completion,
    CompletionRequest,
    Message,
    RunnerUp,
    Vocabulary,
)
from reward_llm.domain.policy import Source
from reward_llm.errors import AnswerTruncated, CheckpointInvalid, ModelError, ModelTimeout
from reward_llm.resources import checkpoint_dir
from reward_llm.validation.calibrations import load_own_calibration
from reward_llm.validation.checkpoints import RETRAIN_HINT, check_shape, verify_checkpoint

FREE_TEXT_CHARS: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedConfig:
    """Which checkpoint to load, and how it runs."""

    checkpoint: Path | None = None
    """A folder in the Hugging Face layout; None takes the one that ships."""
    vocabulary: Vocabulary = Vocabulary.CONCEPTS
    threads: int = 2
    """Threads of a forward pass."""
    calibrated: bool = True
    """Whether the checkpoint's own calibration is taken; it isn't while one is fitted."""


class EmbeddedModel:
    """Qwen2 through transformers on the CPU, one answer at a time.

    Raises:
        CheckpointInvalid: If the folder is missing, incomplete, or damaged.
    """

    source = Source.EMBEDDED

    def __init__(self, config: EmbeddedConfig) -> None:
        folder = config.checkpoint or checkpoint_dir()
        digest = verify_checkpoint(folder)
        check_shape(folder)
        torch.set_num_threads(config.threads)
        self.vocabulary = config.vocabulary
        self.calibration = load_own_calibration(folder, digest) if config.calibrated else None
        self.name = f"{folder.name}@{digest[:12]}"
        self._digest = digest
        logging.disable_progress_bar()
        try:
            self._tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            self._model = Qwen2ForCausalLM.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()
            self._ll_tokenizer = llguidance.hf.from_tokenizer(self._tokenizer, n_vocab=self._model.config.vocab_size)
            self._warm_up()
        except (OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError, TemplateError) as exc:
            raise CheckpointInvalid(f"the checkpoint in {folder} can't be loaded: {exc}", hint=RETRAIN_HINT) from exc
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embedded-model")

    async def complete(self, request: CompletionRequest) -> Completion:
        """Answer the chat; see `LanguageModel.complete`."""
        deadline = time.monotonic() + request.deadline_s
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, self._complete, request, deadline)
        except (RuntimeError, MemoryError) as exc:
            raise ModelError(f"the embedded model failed: {exc}") from exc

    async def ping(self) -> str:
        """Ready once it is built."""
        return self.name

    async def aclose(self) -> None:
        """Let the thread go."""
        self._executor.shutdown(wait=False, cancel_futures=True)

    @torch.inference_mode()
    def _complete(self, request: CompletionRequest, deadline: float) -> Completion:
        prompt = self._encode(request)
        matcher = LLMatcher(self._ll_tokenizer, _grammar(json.dumps(_bounded(request.schema))), log_level=0)
        generator = torch.Generator().manual_seed(request.seed)
        answer = _Answer(tokenizer=self._tokenizer)
        pending, cache = prompt, None
        while True:
            forced = matcher.compute_ff_tokens()
            if forced:
                matcher.consume_tokens(forced)
                answer.extend(forced)
                pending = [*pending, *forced]
            if matcher.is_stopped():
                break
            if len(answer.tokens) >= request.max_tokens:
                raise AnswerTruncated(f"the answer is longer than {request.max_tokens} tokens")
            if time.monotonic() > deadline:
                raise ModelTimeout(f"the embedded model took longer than {request.deadline_s:g} s")
            output = self._model(input_ids=torch.tensor([pending]), past_key_values=cache, use_cache=True)
            cache = output.past_key_values
            token, probabilities = _choose(output.logits[0, -1], matcher, request.temperature, generator)
            matcher.consume_token(token)
            if token == self._tokenizer.eos_token_id:
                break
            answer.choose(token, probabilities)
            pending = [token]
        if matcher.is_error():
            raise ModelError(f"constrained decoding failed: {matcher.get_error()}")
        return Completion(
            text=answer.text, model=self.name, choices=tuple(answer.choices), checkpoint_hash=self._digest
        )

    @torch.inference_mode()
    def _warm_up(self) -> None:
        """Read a word: a checkpoint whose parts don't fit together fails here, not on the first goal."""
        self._model(input_ids=torch.tensor([self._tokens((Message("user", "x"),))]))

    def _tokens(self, messages: Sequence[Message]) -> list[int]:
        chat = [{"role": m.role, "content": m.content} for m in messages]
        text = self._tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        tokens: list[int] = self._tokenizer.encode(text, add_special_tokens=False)
        return tokens

    def _encode(self, request: CompletionRequest) -> list[int]:
        tokens = self._tokens(request.messages)
        room = self._model.config.max_position_embeddings - request.max_tokens
        if len(tokens) > room:
            raise ModelError(f"the prompt has {len(tokens)} tokens; the embedded model reads at most {room}")
        return tokens


class _Answer:
    """The answer so far, with the probability of every choice in it."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokens: list[int] = []
        self.choices: list[Choice] = []
        self._tokenizer = tokenizer

    @property
    def text(self) -> str:
        return str(self._tokenizer.decode(self.tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def extend(self, tokens: list[int]) -> None:
        self.tokens += tokens

    def choose(self, token: int, probabilities: torch.Tensor) -> None:
        start = len(self.text)
        self.tokens.append(token)
        likeliest = zip(*(t.tolist() for t in probabilities.topk(RUNNERS_UP + 1)), strict=True)
        runners_up = [
            RunnerUp(text=str(self._tokenizer.decode([other])), probability=p)
            for p, other in likeliest
            if other != token and p > 0
        ]
        self.choices.append(
            Choice(
                start=start,
                end=len(self.text),
                probability=float(probabilities[token]),
                runners_up=tuple(runners_up[:RUNNERS_UP]),
            )
        )


def _choose(
    logits: torch.Tensor, matcher: LLMatcher, temperature: float, generator: torch.Generator
) -> tuple[int, torch.Tensor]:
    """A token that the schema allows, and the probabilities of all tokens among those that it allows."""
    bias = np.frombuffer(matcher.compute_logit_bias(), dtype=np.uint8)
    allowed = torch.from_numpy(bias[: logits.shape[0]] > 0)
    masked = logits.masked_fill(~allowed, float("-inf"))
    probabilities = torch.softmax(masked, dim=-1)
    if not torch.isfinite(probabilities).all():
        raise ModelError("the model's logits aren't finite", hint=RETRAIN_HINT)
    if temperature > 0:
        weights = torch.softmax(masked / temperature, dim=-1)
        token = int(torch.multinomial(weights, 1, generator=generator))
    else:
        token = int(probabilities.argmax())
    return token, probabilities


def _bounded(schema: Any) -> Any:
    """The schema with an end to every text that it leaves free."""
    if isinstance(schema, Mapping):
        inner = {key: _bounded(value) for key, value in schema.items()}
        is_free = inner.get("type") == "string" and not {"const", "enum"} & inner.keys()
        return {"maxLength": FREE_TEXT_CHARS, **inner} if is_free else inner
    return [_bounded(one) for one in schema] if isinstance(schema, list) else schema


@lru_cache(maxsize=64)
def _grammar(schema: str) -> str:
    grammar: str = LLMatcher.grammar_from_json_schema(schema, overrides={"whitespace_flexible": False})
    return grammar
