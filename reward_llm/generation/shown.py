"""What a model is shown of a goal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reward_llm.reading.instructions import without_instructions
from reward_llm.reading.rules import RuleReader
from reward_llm.reading.wrapping import without_code, without_json

_BLANKS: Final = re.compile(r"[ \t]{2,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownGoal:
    """A goal's text without what isn't its own, and what the lexicon says of it.

    `ordered` says that orders to the system were taken out.
    """

    text: str
    hints: Mapping[str, str]
    ordered: bool

    @classmethod
    def of(cls, text: str, reader: RuleReader) -> ShownGoal:
        """What is shown of the text."""
        unwrapped = without_json(text)
        stated = without_instructions(unwrapped)
        own = without_code(stated)
        return cls(text=_BLANKS.sub(" ", own).strip(), hints=reader.hints(own), ordered=stated != unwrapped)
