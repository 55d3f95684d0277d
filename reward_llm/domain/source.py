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
    CONTROLLER = "controller"
    SEARCH = "search"
    SOLVED = "solved"

    @property
    def is_reading(self) -> bool:
        """Whether the weights were made of a goal that was read, which then is their origin."""
        return self not in {Source.HUMAN, Source.CONTROLLER, Source.SEARCH, Source.SOLVED}
