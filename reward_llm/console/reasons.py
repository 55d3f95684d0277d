"""The reasons that the interface gives for approvals, in the language of the page.

The interface says them in English. What isn't known here is shown as it came.
"""

from __future__ import annotations

import re
from typing import Final

from reward_llm.console.wording import Texts

_PATTERNS: Final = {
    "every": re.compile(r"every change needs it"),
    "step": re.compile(r"an L1 step of (?P<step>[\d.e-]+) is over (?P<limit>[\d.e-]+)"),
    "lowers": re.compile(r"it lowers (?P<names>.+)"),
    "source": re.compile(r"its weights come from (?P<source>\w+)"),
    "unsure": re.compile(r"its reading needs a person"),
}


def reason_in_words(t: Texts, reason: str) -> str:
    """A reason for approvals, as people of the language say it."""
    for key, pattern in _PATTERNS.items():
        if found := pattern.fullmatch(reason):
            said = found.groupdict()
            if "source" in said:
                said["source"] = t.word("source", said["source"])
            return t(f"common.approval_reason.{key}", **said)
    return reason
