"""What a model is tuned on: goals as chats, drawn afresh for every round.

own goals ──┐
            ├──► a round ──► varied ──► chat ──► tokens ──► steps of a few goals, each in batches that fit memory
corpus ─────┘
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from reward_llm.domain.completion import Message
from reward_llm.tuning.augment import Augmenter
from reward_llm.tuning.corpus import LabelledGoal
from reward_llm.tuning.examples import Batch, Example, grouped, held_back, padded
from reward_llm.tuning.tuning_config import TuningConfig

Renderer = Callable[[str], Sequence[Message]]
"""Gives the chat that asks a model for a reading of the goal, as the service would."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lessons:
    """The goals to tune on, and those kept back to score by; no text is in both."""

    own: tuple[LabelledGoal, ...]
    corpus: tuple[LabelledGoal, ...]
    kept_back: tuple[LabelledGoal, ...]

    @classmethod
    def of(
        cls,
        own: Sequence[LabelledGoal],
        corpus: Sequence[LabelledGoal],
        *,
        kept_back: Sequence[LabelledGoal] | None = None,
        share: float = 0.0,
    ) -> Lessons:
        """The goals, with those kept back that are given, or else a share of one's own, or of the corpus's."""
        if kept_back is None:
            kept_back = [g for g in own or corpus if held_back(g, share)]
        texts = {g.goal for g in kept_back}
        return cls(
            own=tuple(g for g in own if g.goal not in texts),
            corpus=tuple(g for g in corpus if g.goal not in texts),
            kept_back=tuple(kept_back),
        )

    @property
    def all(self) -> tuple[LabelledGoal, ...]:
        """Every goal, whatever for."""
        return (*self.own, *self.corpus, *self.kept_back)


class ChatEncoder:
    """Turns goals into tokens as the service and vLLM do: through the model's own chat template."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, render: Renderer) -> None:
        self._tokenizer = tokenizer
        self._render = render

    def prompt(self, text: str) -> list[int]:
        """The tokens that ask for a reading of the goal."""
        return self._tokens(self.chat(text))

    def chat(self, text: str) -> str:
        """What the chat template makes of the question."""
        chat = [{"role": m.role, "content": m.content} for m in self._render(text)]
        written: str = self._tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        return written

    def example(self, goal: LabelledGoal) -> Example:
        """The goal's tokens, with the answer's."""
        return Example(self.prompt(goal.goal), [*self._tokens(goal.answer), self._tokenizer.eos_token_id])

    def _tokens(self, text: str) -> list[int]:
        tokens: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return tokens


class Syllabus:
    """Rounds of steps; a round depends on the seed and its number alone, so that a run can go on anywhere."""

    def __init__(self, lessons: Lessons, encoder: ChatEncoder, pad: int, config: TuningConfig) -> None:
        self._lessons, self._encoder, self._pad, self._config = lessons, encoder, pad, config

    def steps(self, number: int) -> Iterator[list[Batch]]:
        """The steps of that round, each the batches that its gradient is added up over."""
        config = self._config
        rng = random.Random(f"{config.seed}/{number}")
        drawn = (self._encoder.example(g) for g in self._goals(rng))
        examples = sorted((e for e in drawn if len(e) <= config.max_tokens), key=len)
        steps = [examples[i : i + config.batch] for i in range(0, len(examples), config.batch)]
        rng.shuffle(steps)
        for step in steps:
            yield [padded(group, self._pad) for group in grouped(step, config.batch_tokens)]

    def _goals(self, rng: random.Random) -> Iterator[LabelledGoal]:
        augmenter = Augmenter(rng)
        own, corpus = self._lessons.own, self._lessons.corpus
        for _ in range(self._config.round_size):
            from_own = own and (not corpus or rng.random() < self._config.own)
            goal = rng.choice(own if from_own else corpus)
            yield augmenter.varied(goal) if rng.random() < self._config.varied else goal
