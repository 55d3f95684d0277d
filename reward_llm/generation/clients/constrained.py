"""Answers held to a schema by llguidance: written by the model, or read along with it.

    [ forced tokens ─► forward ─► mask ─► arg max or sample ] ─► end of the document

Where the schema leaves one continuation only, its tokens are appended without asking the model, so a reading costs
one forward pass for each real choice. An answer that is given beforehand costs one for all of it.

T tokens, V vocabulary.
"""

# ruff: noqa: N803, N806 - tensors carry their dimensions in their names

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import torch
from llguidance import LLMatcher, LLTokenizer

from reward_llm.domain.completion import RUNNERS_UP, Choice, CompletionRequest, RunnerUp
from reward_llm.errors import AnswerTruncated, ModelError, ModelTimeout
from reward_llm.generation.clients.decoder import DecodedSequence
from reward_llm.validation.checkpoints import RETRAIN_HINT

FREE_TEXT_CHARS: Final = 200


@dataclass(frozen=True, slots=True)
class Tokens:
    """What turns text into tokens and back, and what holds tokens to a schema."""

    tokenizer: Any
    schemas: LLTokenizer

    def matcher(self, schema: Mapping[str, Any]) -> LLMatcher:
        """What says which tokens may follow in a document of the schema."""
        return LLMatcher(self.schemas, _grammar(json.dumps(_bounded(schema))), log_level=0)


class Answer:
    """An answer so far, with the probability of every choice in it."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokens: list[int] = []
        self.choices: list[Choice] = []
        self._tokenizer = tokenizer

    @property
    def text(self) -> str:
        """What is written."""
        return str(self._tokenizer.decode(self.tokens, skip_special_tokens=False, clean_up_tokenization_spaces=False))

    @property
    def log_probability(self) -> float:
        """That of what it reads: the choices before the rationale, in nats."""
        end = self.text.find('"rationale"')
        return math.fsum(math.log(c.probability) for c in self.choices if end < 0 or c.start < end)

    def extend(self, tokens: Sequence[int]) -> None:
        """Add tokens that had to come."""
        self.tokens += tokens

    def choose(self, token: int, probabilities_V: torch.Tensor) -> None:
        """Add a token that was chosen among others."""
        start = len(self.text)
        self.tokens.append(token)
        likeliest = zip(*(t.tolist() for t in probabilities_V.topk(RUNNERS_UP + 1)), strict=True)
        runners_up = [
            RunnerUp(text=str(self._tokenizer.decode([other])), probability=p)
            for p, other in likeliest
            if other != token and p > 0
        ]
        self.choices.append(
            Choice(
                start=start,
                end=len(self.text),
                probability=float(probabilities_V[token]),
                runners_up=tuple(runners_up[:RUNNERS_UP]),
            )
        )


def written(
    prompt: Sequence[int], sequence: DecodedSequence, tokens: Tokens, request: CompletionRequest, deadline: float
) -> Answer:
    """The model's own answer.

    Args:
        prompt: The chat's tokens.
        sequence: An empty sequence with room for the prompt and the longest answer.
        tokens: The model's.
        request: The schema, and how to choose.
        deadline: When to give up, by the monotonic clock.

    Raises:
        AnswerTruncated: If the answer is longer than the request allows.
        ModelTimeout: If the deadline passes.
        ModelError: If the logits aren't finite, or the schema can't be held.
    """
    matcher, answer = tokens.matcher(request.schema), Answer(tokens.tokenizer)
    generator = torch.Generator().manual_seed(request.seed)
    pending = list(prompt)
    while True:
        forced = matcher.compute_ff_tokens()
        if forced:
            matcher.consume_tokens(forced)
            answer.extend(forced)
            pending += forced
        if matcher.is_stopped():
            break
        if len(answer.tokens) >= request.max_tokens:
            raise AnswerTruncated(f"the answer is longer than {request.max_tokens} tokens")
        if time.monotonic() > deadline:
            raise ModelTimeout(f"the embedded model took longer than {request.deadline_s:g} s")
        masked = _masked(sequence.extend(pending), matcher)
        probabilities = _probabilities(masked)
        token = _chosen(masked, probabilities, request.temperature, generator)
        matcher.consume_token(token)
        if token == tokens.tokenizer.eos_token_id:
            break
        answer.choose(token, probabilities)
        pending = [token]
    if matcher.is_error():
        raise ModelError(f"constrained decoding failed: {matcher.get_error()}")
    return answer


def followed(
    text: str, prompt: Sequence[int], sequence: DecodedSequence, tokens: Tokens, schema: Mapping[str, Any]
) -> Answer | None:
    """That text as an answer, as probable as the model finds it; None if it isn't one, or is cut in other tokens.

    Args:
        text: The answer.
        prompt: The chat's tokens, at least one.
        sequence: A sequence that begins with the prompt.
        tokens: The model's.
        schema: What the answer must keep to.
    """
    given: list[int] = tokens.tokenizer.encode(text, add_special_tokens=False)
    if len(prompt) + len(given) > sequence.room:
        return None
    sequence.cut(len(prompt) - 1)
    logits_TV = sequence.along([prompt[-1], *given])
    matcher, answer = tokens.matcher(schema), Answer(tokens.tokenizer)
    while len(answer.tokens) < len(given) and not matcher.is_stopped():
        at = len(answer.tokens)
        forced = matcher.compute_ff_tokens()
        if forced:
            if forced != given[at : at + len(forced)]:
                return None
            matcher.consume_tokens(forced)
            answer.extend(forced)
            continue
        probabilities = _probabilities(_masked(logits_TV[at], matcher))
        if probabilities[given[at]] == 0:
            return None
        matcher.consume_token(given[at])
        answer.choose(given[at], probabilities)
    return answer if len(answer.tokens) == len(given) and matcher.is_accepting() else None


def _masked(logits_V: torch.Tensor, matcher: LLMatcher) -> torch.Tensor:
    """The logits of what the schema allows, all else impossible."""
    bias = np.frombuffer(matcher.compute_logit_bias(), dtype=np.uint8)
    allowed = torch.from_numpy(bias[: logits_V.shape[0]] > 0)
    return logits_V.masked_fill(~allowed, float("-inf"))


def _probabilities(masked_V: torch.Tensor) -> torch.Tensor:
    probabilities = torch.softmax(masked_V, dim=-1)
    if not torch.isfinite(probabilities).all():
        raise ModelError("the model's logits aren't finite", hint=RETRAIN_HINT)
    return probabilities


def _chosen(
    masked_V: torch.Tensor, probabilities_V: torch.Tensor, temperature: float, generator: torch.Generator
) -> int:
    if temperature > 0:
        return int(torch.multinomial(torch.softmax(masked_V / temperature, dim=-1), 1, generator=generator))
    return int(probabilities_V.argmax())


def _bounded(schema: Any) -> Any:
    """The schema with an end to every text that it leaves free.

    A model that never learned to write any may not end it, and llguidance, unlike xgrammar, counts characters at no
    cost.
    """
    if isinstance(schema, Mapping):
        inner = {key: _bounded(value) for key, value in schema.items()}
        is_free = inner.get("type") == "string" and not {"const", "enum"} & inner.keys()
        return {"maxLength": FREE_TEXT_CHARS, **inner} if is_free else inner
    return [_bounded(one) for one in schema] if isinstance(schema, list) else schema


@lru_cache(maxsize=64)
def _grammar(schema: str) -> str:
    grammar: str = LLMatcher.grammar_from_json_schema(schema, overrides={"whitespace_flexible": False})
    return grammar
