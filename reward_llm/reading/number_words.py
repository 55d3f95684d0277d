"""Number words of both languages."""

from __future__ import annotations

import re
from typing import Final

import cn2an

_DIGITS: Final = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS: Final = (
    *("ten", "eleven", "twelve", "thirteen", "fourteen"),
    *("fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_UNITS: Final = (*_DIGITS, *_TEENS)
_TENS: Final = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ENGLISH: Final = {
    **{word: value for value, word in enumerate(_UNITS)},
    **{word: 10 * value for value, word in enumerate(_TENS, start=2)},
}

CHINESE_PATTERN: Final = (
    r"[零一二两三四五六七八九十廿][零一二两三四五六七八九十百千万亿]*(?:点[零一二三四五六七八九]+)?"
)
ENGLISH_PATTERN: Final = (
    rf"(?:(?:{'|'.join(_TENS)})(?:[- ](?:{'|'.join(_DIGITS[1:])}))?|{'|'.join(sorted(_UNITS, reverse=True))})"
)
_LONGEST_CHINESE: Final = 24
_SHORT_TAIL: Final = re.compile(r"(?<=亿)[一二两三四五六七八九]$")
"""一亿二 is short for 一亿二千万."""


def chinese_number(word: str) -> float | None:
    """The value of Chinese numerals, also mixed with digits (1亿2000万); None for what isn't well formed.

    >>> chinese_number("一千二百万")
    12000000.0
    >>> chinese_number("一亿二")
    120000000.0
    """
    if len(word) > _LONGEST_CHINESE:
        return None
    try:
        return float(cn2an.cn2an(_SHORT_TAIL.sub(r"\g<0>千万", word), "smart"))
    except (ValueError, KeyError):  # cn2an meets some malformed words with a KeyError
        return None


def english_number(words: str) -> float:
    """The value of English number words below a hundred.

    >>> english_number("twenty-five")
    25.0
    """
    return float(sum(_ENGLISH[word] for word in words.replace("-", " ").split()))
