"""From labelled goals to batches of tokens, drawn afresh for every round.

T tokens of a sequence, B sequences of a batch.
"""

# ruff: noqa: N806, N815 - tensors carry their dimensions in their names

from __future__ import annotations

import random
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from itertools import accumulate, count, pairwise

import torch
from transformers import PreTrainedTokenizerBase

from reward_llm.domain.answer import goal_message
from reward_llm.reading.rules import RuleReader
from reward_llm.resources import scenarios_dir
from reward_llm.tuning.augment import Augmenter
from reward_llm.tuning.config import Mix
from reward_llm.tuning.corpus import LabelledGoal
from reward_llm.tuning.grammar import Grammar
from reward_llm.tuning.vocabulary import prompt
from reward_llm.validation.scenarios import load_scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Sequences padded on the right; `answer_BT` is true where a token belongs to an answer."""

    token_BT: torch.Tensor
    real_BT: torch.Tensor
    answer_BT: torch.Tensor


@dataclass(frozen=True, slots=True)
class Example:
    """Tokens of a prompt and of its answer."""

    prompt: list[int]
    answer: list[int]

    def __len__(self) -> int:
        return len(self.prompt) + len(self.answer)


def held_back(goal: LabelledGoal, share: float) -> bool:
    """Whether the goal belongs to the slice that isn't trained on, which its text alone decides."""
    return int.from_bytes(sha256(goal.goal.encode()).digest()[:4]) < share * 2**32


@cache
def _reader() -> RuleReader:
    """The lexicon over the seven concepts, by their own names."""
    return RuleReader(load_scenario(scenarios_dir() / "home_feed.yaml"))


def user_message(text: str, *, hinted: bool = True) -> str:
    """The user's turn for a goal, with the lexicon's hints or without."""
    return goal_message(text, _reader().hints(text) if hinted else {})


class Encoder:
    """Turns labelled goals into tokens."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, rng: random.Random) -> None:
        self._tokenizer = tokenizer
        self._rng = rng

    def encoded(self, goal: LabelledGoal, *, cut: bool = False, hinted: bool = True) -> Example:
        """The goal's tokens; `cut` tokenizes the prompt in pieces."""
        text = prompt(user_message(goal.goal, hinted=hinted))
        pieces = self._cut(text) if cut else [text]
        return Example(
            [token for piece in pieces for token in self._tokens(piece)],
            [*self._tokens(goal.answer), self._tokenizer.eos_token_id],
        )

    def _cut(self, text: str) -> list[str]:
        """The text in pieces of about eight characters, the frame around the goal left whole."""
        start, end = text.index('{"goal":"') + len('{"goal":"'), text.rindex('","lexicon":{')
        places = sorted({self._rng.randint(start, end) for _ in range((end - start) // 8)})
        bounds = [0, *places, len(text)]
        return [text[a:b] for a, b in pairwise(bounds)]

    def _tokens(self, text: str) -> list[int]:
        tokens: list[int] = self._tokenizer(text, add_special_tokens=False)["input_ids"]
        return tokens


class Rounds:
    """Rounds of batches; a round depends on the seed and its number alone, so that a run can go on anywhere."""

    def __init__(self, goals: Sequence[LabelledGoal], tokenizer: PreTrainedTokenizerBase, mix: Mix) -> None:
        self._asking = _Written([g for g in goals if g.labels], mix)
        self._idle = _Written([g for g in goals if not g.labels], mix)
        self._tokenizer = tokenizer
        self._mix = mix

    def ahead(self, first: int) -> Generator[list[Batch]]:
        """The batches of that round and of all that follow, each round drawn while the one before it is used."""
        with ThreadPoolExecutor(max_workers=1, thread_name_prefix="rounds") as executor:
            coming = executor.submit(self.batches, first)
            for number in count(first + 1):
                batches = coming.result()
                coming = executor.submit(self.batches, number)
                yield batches

    def batches(self, number: int) -> list[Batch]:
        """The batches of that round."""
        mix = self._mix
        rng = random.Random(f"{mix.seed}/{number}")
        draw = _Draw(self._asking, self._idle, mix, rng)
        encoder = Encoder(self._tokenizer, rng)
        goals = (draw.goal() for _ in range(mix.round_size))
        drawn = (
            encoder.encoded(g, cut=rng.random() < mix.cut, hinted=rng.random() >= mix.unhinted(g)) for g in goals
        )
        examples = sorted((e for e in drawn if len(e) <= mix.max_tokens), key=len)
        groups = list(grouped(examples, mix.batch_tokens))
        rng.shuffle(groups)
        return [padded(g, self._tokenizer.pad_token_id) for g in groups]


class _Written:
    """Hand-written goals, drawn by their weights."""

    def __init__(self, goals: Sequence[LabelledGoal], mix: Mix) -> None:
        self._goals = goals
        self._bounds = list(accumulate(map(mix.weight, goals)))

    def __bool__(self) -> bool:
        return bool(self._goals)

    def draw(self, rng: random.Random) -> LabelledGoal:
        return rng.choices(self._goals, cum_weights=self._bounds)[0]


class _Draw:
    def __init__(self, asking: _Written, idle: _Written, mix: Mix, rng: random.Random) -> None:
        self._asking, self._idle, self._mix, self._rng = asking, idle, mix, rng
        self._grammar, self._augmenter = Grammar(rng), Augmenter(rng)

    def goal(self) -> LabelledGoal:
        nothing = self._rng.random() < self._mix.nothing
        written = self._idle if nothing else self._asking
        if not written or self._rng.random() >= self._mix.written:
            return self._grammar.nothing() if nothing else self._grammar.goal()
        goal = written.draw(self._rng)
        if not nothing and self._rng.random() < self._mix.joined:
            goal = self._augmenter.joined(goal, written.draw(self._rng)) or goal
        return self._augmenter.varied(goal)


def grouped(examples: Sequence[Example], tokens: int) -> Iterator[list[Example]]:
    """The examples, which are sorted by length, in groups of at most so many tokens, padding included."""
    group: list[Example] = []
    for example in examples:
        if group and len(example) * (len(group) + 1) > tokens:
            yield group
            group = []
        group.append(example)
    if group:
        yield group


def padded(group: Sequence[Example], pad: int) -> Batch:
    """The group as one batch."""
    size = (len(group), max(map(len, group)))
    token_BT = torch.full(size, pad)
    real_BT = torch.zeros(size, dtype=torch.bool)
    answer_BT = torch.zeros(size, dtype=torch.bool)
    for row, example in enumerate(group):
        token_BT[row, : len(example)] = torch.tensor([*example.prompt, *example.answer])
        real_BT[row, : len(example)] = True
        answer_BT[row, len(example.prompt) : len(example)] = True
    return Batch(token_BT=token_BT, real_BT=real_BT, answer_BT=answer_BT)
