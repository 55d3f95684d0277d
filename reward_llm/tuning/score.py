"""How often a model reads goals right, by plain greedy decoding."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from reward_llm.tuning.config import Score
from reward_llm.tuning.corpus import LabelledGoal
from reward_llm.tuning.examples import user_message
from reward_llm.tuning.vocabulary import prompt

_BATCH = 64
_ANSWER_TOKENS = 32


def score(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, goals: Sequence[LabelledGoal], *, hinted: bool = True
) -> Score:
    """The model's score over the goals, with the lexicon's hints in the prompts or without."""
    read = answers(model, tokenizer, goals, hinted=hinted)
    return scored([(g, g.directions == _directions(a), g.answer == a) for g, a in read])


def scored(rows: Sequence[tuple[LabelledGoal, bool, bool]]) -> Score:
    """The score of goals of which is known whether their directions were read right, and whether all was."""
    return Score(
        goals=len(rows),
        directional=_share([right for _, right, _ in rows]),
        exact=_share([exact for _, _, exact in rows]),
        abstention=_share([right for g, right, _ in rows if not g.labels]),
        asking=_share([right for g, right, _ in rows if g.labels]),
    )


def answers(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, goals: Sequence[LabelledGoal], *, hinted: bool = True
) -> Iterator[tuple[LabelledGoal, str]]:
    """Every goal with the model's answer, in the order of their lengths."""
    ordered = sorted(goals, key=lambda g: len(g.goal))
    for start in range(0, len(ordered), _BATCH):
        group = ordered[start : start + _BATCH]
        inputs = tokenizer(
            [prompt(user_message(g.goal, hinted=hinted)) for g in group], return_tensors="pt", padding=True
        )
        with torch.inference_mode():
            output = model.generate(**inputs, max_new_tokens=_ANSWER_TOKENS, do_sample=False)
        texts = tokenizer.batch_decode(output[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
        yield from zip(group, texts, strict=True)


def _directions(answer: str) -> frozenset[tuple[Any, Any]] | None:
    try:
        return frozenset((i["utility"], i["direction"]) for i in json.loads(answer)["intents"])
    except (ValueError, KeyError, TypeError):
        return None


def _share(hits: Sequence[bool]) -> float | None:
    return sum(hits) / len(hits) if hits else None
