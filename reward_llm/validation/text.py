"""What is taken out of a text before anything reads it."""

from __future__ import annotations

import re
from typing import Final

# C0 and C1 controls other than line feed and tab, lone surrogates, byte-order mark, and the bidirectional
# and invisible marks that show a reader another text than the one that is there (Unicode TR 36, section 2).
_UNWANTED: Final = re.compile(
    "[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def clean(text: str) -> tuple[str, int]:
    r"""The text without control and invisible characters, and how many were taken out.

    Line ends become line feeds.

    >>> clean("raise\x00 CTR\r\n")
    ('raise CTR\n', 1)
    """
    return _UNWANTED.subn("", text.replace("\r\n", "\n").replace("\r", "\n"))
