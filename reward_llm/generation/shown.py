"""What a model is shown of a goal."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reward_llm.domain.memory import GoalMemory
from reward_llm.reading.instructions import find_instructions, without_instructions
from reward_llm.reading.rules import RuleReader
from reward_llm.reading.wrapping import is_language, without_code, without_json

_BLANKS: Final = re.compile(r"[ \t]{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownGoal:
    """A goal's text without what isn't its own, and what the lexicon says of it.

    `own` is the text at its full length, with blanks for what isn't its own; `unfit` says why no model is shown it.
    `past` are earlier goals that the prompt may tell of.
    """

    text: str
    own: str
    hints: Mapping[str, str]
    unfit: str | None = None
    past: Sequence[GoalMemory] = ()

    @classmethod
    def of(cls, text: str, reader: RuleReader) -> ShownGoal:
        """What is shown of the text."""
        own = own_words(text)
        hints = reader.hints(own)
        return cls(
            text=_BLANKS.sub(" ", own).strip(), own=own, hints=hints, unfit=None if hints else _unfit(text, own)
        )


def own_words(text: str) -> str:
    """The text at its full length, with blanks in place of wrapping, code and orders to the system."""
    return without_code(without_instructions(without_json(text)))


def _unfit(text: str, own: str) -> str | None:
    """Why a text in which the lexicon finds nothing is no goal, if that is plain."""
    if find_instructions(without_json(text)):
        return "the text gives orders to the system, and the lexicon finds no goal beside them"
    return None if is_language(own) else "the text holds no language"
