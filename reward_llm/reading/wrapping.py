"""Goals that arrive wrapped in a JSON document, as forms and exports send them."""

from __future__ import annotations

import json
import re
from typing import Final

_STRING: Final = re.compile(r'"((?:[^"\\]|\\.)*)"(?P<key>\s*:)?')


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
