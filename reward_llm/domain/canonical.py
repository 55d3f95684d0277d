"""JSON in one form only, so that equal documents have equal bytes and hashes."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

import rfc8785

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_DOUBLES_COUNT_TO: Final = 2**53


def canonical(document: Any) -> bytes:
    """The document in RFC 8785 form; what that refuses is written as `interchangeable` writes it."""
    try:
        return rfc8785.dumps(document)
    except ValueError:
        return rfc8785.dumps(interchangeable(document))


def canonical_hash(document: Any) -> str:
    """SHA-256 over the document's canonical form, in hexadecimal."""
    return hashlib.sha256(canonical(document)).hexdigest()


def interchangeable(document: Any) -> Any:
    r"""The document as every JSON parser reads it (I-JSON, RFC 7493).

    Infinity, NaN and integers that no double holds become strings, and half a surrogate pair its escape.

    >>> interchangeable({"most": float("inf"), "id": 2**64, "cut": "a\ud83d"})
    {'most': 'Infinity', 'id': '18446744073709551616', 'cut': 'a\\ud83d'}
    """
    joined = json.loads(json.dumps(document), parse_constant=str, parse_int=_integer)
    text = json.dumps(joined, ensure_ascii=False)
    if not _SURROGATE.search(text):
        return joined
    return json.loads(_SURROGATE.sub(lambda m: f"\\\\u{ord(m[0]):04x}", text))


def _integer(digits: str) -> int | str:
    return int(digits) if abs(int(digits)) < _DOUBLES_COUNT_TO else digits
