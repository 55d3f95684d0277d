"""The choices behind an answer of vLLM's, from its log-probabilities.

vLLM masks the logits by the grammar before it takes their logarithms (`GPUModelRunner.sample_tokens` applies the
bitmask, then calls the sampler, whose `raw_logprobs` are before temperature), so they are probabilities among the
tokens that the schema allows. What it forces has probability 1 and changes no product.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from reward_llm.domain.completion import RUNNERS_UP, Choice, RunnerUp

_REPLACEMENT = "\ufffd"


def choices_of(body: dict[str, Any], text: str) -> tuple[Choice, ...]:
    """A choice for each token of the answer, as far as tokens and answer agree.

    Where a character is spread over several tokens, which happens in a rationale at most, the choices end; where
    tokens and answer differ otherwise, or there are no log-probabilities, there are no choices.
    """
    try:
        tokens = _Body.model_validate(body).choices[0].logprobs
    except (ValidationError, IndexError):
        return ()
    choices: list[Choice] = []
    position = 0
    for token in tokens.content if tokens else ():
        if position == len(text) or _REPLACEMENT in token.token:
            break
        if not text.startswith(token.token, position):
            return ()
        end = position + len(token.token)
        choices.append(Choice(start=position, end=end, probability=token.probability, runners_up=_runners_up(token)))
        position = end
    return tuple(choices)


class _Token(BaseModel):
    token: str
    logprob: float = Field(allow_inf_nan=False)

    @property
    def probability(self) -> float:
        return min(math.exp(self.logprob), 1.0)


class _Chosen(_Token):
    top_logprobs: Sequence[_Token] = ()


class _Logprobs(BaseModel):
    content: Sequence[_Chosen]


class _Choice(BaseModel):
    logprobs: _Logprobs | None = None


class _Body(BaseModel):
    choices: Sequence[_Choice]


def _runners_up(chosen: _Chosen) -> tuple[RunnerUp, ...]:
    others = [t for t in chosen.top_logprobs if t.token != chosen.token and t.probability > 0]
    others.sort(key=lambda t: -t.logprob)
    return tuple(RunnerUp(text=t.token, probability=t.probability) for t in others[:RUNNERS_UP])
