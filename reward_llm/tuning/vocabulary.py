"""The goal model's tokenizer: byte-level BPE and the fixed pieces of an answer.

    <|goal|>{"goal":"…"}<|answer|>{"decision":"propose","intents":[{"utility":"click",…}],"rationale":""}<|endoftext|>

Every piece of an answer is one token that begins and ends where the JSON schema leaves a choice, so that text which
a structured decoder forces is tokenized just as in training. Quotes in a goal are escaped, so no piece but the
closing `"}` can occur in one. The chat template folds the goal's case and width.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast, Qwen2Tokenizer

from reward_llm.domain.interpretation import Decision, Direction, Emphasis
from reward_llm.domain.scenario import Concept

END: Final = "<|endoftext|>"
GOAL: Final = "<|goal|>"
ANSWER: Final = "<|answer|>"
MAX_POSITIONS: Final = 2048
PIECES: Final = (
    '{"goal":"',
    '","lexicon":{',
    *(f'"{c.value}":"' for c in Concept),
    *(f'{d.value} {e.value}"' for d in Direction for e in Emphasis),
    'named"',
    '{"decision":"',
    *(f'{d.value}","intents":[' for d in Decision),
    '{"utility":"',
    ',{"utility":"',
    '],"rationale":"',
    '"}',
    *(f'{c.value}","direction":"' for c in Concept),
    *(f'{d.value}","emphasis":"' for d in Direction),
    *(f'{e.value}"}}' for e in Emphasis),
)

_FOLDED: Final = {
    **{full: full - 0xFEE0 for full in range(0xFF01, 0xFF5F)},
    **dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"), ""),
    **{ord(mark): f"{plain} " for mark, plain in zip("，。；：、！？）】》」』…", ",.;:,!?)]>''.", strict=True)},
    **{ord(mark): f" {plain}" for mark, plain in zip("（【《「『", "([<''", strict=True)},
    **dict.fromkeys(map(ord, "\uff02“”‘’"), "'"),
    ord("\u3000"): " ",
    ord("\uff3c"): "/",
}
"""Full-width and Chinese marks as their plain likes; none becomes a quote or backslash, which JSON has escaped."""
CHAT_TEMPLATE: Final = (
    "{%- set turns = messages | selectattr('role', 'equalto', 'user') | list -%}"
    "{{- '" + GOAL + "' + turns[0]['content'].translate(" + repr(_FOLDED) + ").lower().replace('<|', '< |') -}}"
    "{%- if add_generation_prompt -%}{{- '" + ANSWER + "' -}}{%- endif -%}"
)
"""The goal alone, folded: instructions and examples are for models that weren't trained on this task."""


def prompt(message: str) -> str:
    """What the chat template makes of a user's message, ready to be answered."""
    return f"{GOAL}{message.translate(_FOLDED).lower().replace('<|', '< |')}{ANSWER}"


def train_tokenizer(texts: Iterable[str], size: int) -> PreTrainedTokenizerFast:
    """A tokenizer of exactly `size` entries, its merges learnt from the texts.

    It splits text as Qwen2's own tokenizer does, since transformers loads that class for every Qwen2 checkpoint,
    whatever `tokenizer.json` says.
    """
    core = Tokenizer(models.BPE())
    pipeline = Qwen2Tokenizer().backend_tokenizer
    core.normalizer, core.pre_tokenizer = pipeline.normalizer, pipeline.pre_tokenizer
    core.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size - len(PIECES),
        special_tokens=[END, GOAL, ANSWER],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator(texts, trainer)
    core.add_tokens([AddedToken(p, normalized=False, special=False) for p in PIECES])
    core.add_tokens(_filler(size - core.get_vocab_size()))
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        eos_token=END,
        pad_token=END,
        additional_special_tokens=[GOAL, ANSWER],
        chat_template=CHAT_TEMPLATE,
        model_max_length=MAX_POSITIONS,
        clean_up_tokenization_spaces=False,
        padding_side="left",
    )


def _filler(missing: int) -> list[AddedToken]:
    return [AddedToken(f"<|unused_{i}|>", special=True, normalized=False) for i in range(missing)]
