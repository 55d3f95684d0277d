"""Where weights come from."""

from __future__ import annotations

from enum import StrEnum


class Source(StrEnum):
    """Where weights came from."""

    VLLM = "vllm"
    EMBEDDED = "embedded"
    SCRIPTED = "scripted"
    RULES = "rules"
    LAST_KNOWN_GOOD = "last_known_good"
    DEFAULT = "default"
    HUMAN = "human"
