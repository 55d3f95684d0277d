"""How a number in a goal is meant: as a level, as a change, or as a fall that is put up with."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from reward_llm.domain.interpretation import Direction, Quantity
from reward_llm.reading.clauses import split_clauses

_RISE: Final = (
    r"提升|提高|增长|增加|上涨|上升|拉升|多|涨|涨幅|增幅|升幅|(?<![a-z])(?:by|up|plus|increas\w*|improv\w*|grow\w*|"
    r"growth of|lift\w*|rais\w*|boost\w*|gain\w*)"
)
_LEAST: Final = r"至少|不低于|不少于|超过|高于|at least|no less than|more than|over"
_FALLS: Final = (
    r"(?:降幅|跌幅|降低|下降|下滑|下跌|减少|跌|掉|损失|"
    r"(?<![a-z])(?:drop\w*|fall\w*|declin\w*|decreas\w*|los[es]\w*|down))"
)
_FALL: Final = re.compile(
    _FALLS + r".{0,16}?(?:超过|不大于|不高于|不多于|控制在|以内|within|at most|more than|up to|less than)",
    re.IGNORECASE,
)
_FALLING: Final = re.compile(_FALLS, re.IGNORECASE)
_WITHIN: Final = re.compile(r"\s*(?:以内|之内|or less|at most|max)", re.IGNORECASE)
_CHANGE: Final = re.compile(
    rf"(?:(?:{_RISE})\s*(?:了|约|近|about|around|another|a further)?\s*(?:{_LEAST})?|[+＋])\s*(?:要|为|在)?\s*$",
    re.IGNORECASE,
)
_CHANGE_OF: Final = re.compile(r"(?:涨幅|增幅|升幅|增长率|growth of|(?<![a-z])by)[^，,。;；]{0,12}$", re.IGNORECASE)
_LEVEL: Final = re.compile(
    r"到|至|不低于|不少于|高于|超过|大于|维持在|保持在|稳定在|做到|守住|[≥>＞]|"
    r"(?<![a-z])(?:to|at|above|over|reach\w*|hit\w*|least|less than|lower than|below|minimum)(?![a-z])",
    re.IGNORECASE,
)
_OR_MORE: Final = re.compile(r"\s*(?:以上|及以上|or (?:more|above|higher|better)|minimum)", re.IGNORECASE)


class Meaning(StrEnum):
    """What a number is."""

    LEVEL = "level"
    CHANGE = "change"
    FALL = "fall"
    """The most that may be lost."""


def meaning_of(quantity: Quantity, direction: Direction, text: str) -> Meaning:
    """What a share in the text is meant as.

    Words that say so count, within its clause and behind the number before it. Without any, what is to be held is
    held at a level, and what is to move moves by a change.

    >>> from reward_llm.reading.numbers import find_quantities
    >>> texts = ("留存不低于65%", "GMV提升10%", "raise CTR to 8%", "GMV跌幅不超过5%")
    >>> [meaning_of(find_quantities(t)[0], Direction.RAISE, t).value for t in texts]
    ['level', 'change', 'level', 'fall']
    """
    before, after = _around(quantity, text)
    if _FALL.search(before) or (_FALLING.search(before) and _WITHIN.match(after)):
        return Meaning.FALL
    signed = quantity.span.of(text).startswith(("+", "＋"))
    if signed or _CHANGE.search(before) or _CHANGE_OF.search(before):
        return Meaning.CHANGE
    if _LEVEL.search(before) or _OR_MORE.match(after):
        return Meaning.LEVEL
    return Meaning.LEVEL if direction is Direction.HOLD else Meaning.CHANGE


def _around(quantity: Quantity, text: str) -> tuple[str, str]:
    span = quantity.span
    clause = next((c.span for c in split_clauses(text) if c.span.overlaps(span)), span)
    before = text[clause.start : span.start]
    return re.split(r"[%％]|\d", before)[-1], text[span.end : clause.end]
