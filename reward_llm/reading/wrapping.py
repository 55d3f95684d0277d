"""Goals wrapped in what isn't language: JSON documents, as forms and exports send them, markup, formulas and SQL."""

from __future__ import annotations

import json
import re
from typing import Final

_LEAST_LETTERS: Final = 0.25
"""Language has at least this share of letters among its characters; numbers and punctuation are the rest."""
_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)"(?P<key>\s*:)?')
_TAG: Final = (
    r"</?[A-Za-z][A-Za-z0-9-]{0,30}(?:\s[^<>\n]{0,200}=[^<>\n]{0,200})?\s?/?>"
    r"|<!--[^\n]{0,400}?-->|&(?:[a-z]{2,8}|#[0-9]{1,6});"
)
_STATEMENT: Final = (
    r"\b(?:(?i:drop|truncate|alter)\s(?i:table|database|schema)\s\w{1,60}"
    r"|(?:DELETE\sFROM|INSERT\sINTO|UPDATE\s\w{1,60}\sSET|SELECT\s[^;\n]{1,80}?\sFROM)\s[^;\n]{1,200}(?=;))"
)
"""The verbs that are plain English too count in capitals alone."""
_BREAK_OUT: Final = r"['\"`)]{0,3}\s?(?:\b(?i:or)\s'?\w{1,8}'?\s?=\s?'?\w{1,8}'?)?\s?;?\s?"
_FORMULA: Final = r"(?<![^\n\t])[ '\"]{0,2}[=+@-][A-Z]{2,20}\([^\n]{0,400}"
"""What a spreadsheet would compute: a cell that begins with an operator and a function's name in capitals."""
_CODE: Final = re.compile(rf"{_TAG}|{_FORMULA}|{_BREAK_OUT}{_STATEMENT}\s?;?(?:\s?--)?")


def without_json(text: str) -> str:
    """The text with blanks in place of all but the string values, if it is a JSON object or array; else as it is.

    >>> without_json('{"goal": "raise CTR", "n": 1}')
    '          raise CTR          '
    """
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    kept = [" "] * len(text)
    for found in _STRING.finditer(text):
        if found["key"] is None:
            kept[found.start(1) : found.end(1)] = found[1]
    return "".join(kept)


def without_code(text: str) -> str:
    """The text with blanks in place of tags, entities, formulas and SQL statements; what is between them is kept.

    >>> without_code("<b>raise CTR</b>")
    '   raise CTR    '
    >>> without_code("x'; DROP TABLE t; -- raise CTR").strip()
    'x                    raise CTR'
    """
    return _CODE.sub(lambda found: " " * len(found[0]), text)


def is_language(text: str) -> bool:
    """Whether the text may say something: whether enough of it are letters of any script.

    >>> is_language("CTR 4.1% → 5%"), is_language("%%%;;## {} (!)")
    (True, False)
    """
    written = [c for c in text if not c.isspace()]
    return sum(map(str.isalpha, written)) >= max(1, _LEAST_LETTERS * len(written))
