"""The words that the rule reader knows, in both languages."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from typing import Any

import yaml

from reward_llm.domain.scenario import Concept, Scenario, Utility
from reward_llm.reading.text import normalise


class Kind(StrEnum):
    """What a phrase does in a goal."""

    GOOD = "good"
    """Names a measure of a utility that grows with it."""
    BAD = "bad"
    """Names a measure of a utility that falls as it grows, such as complaints."""
    ASKS_RAISE = "asks_raise"
    """Asks for more of a utility by itself."""
    ASKS_LOWER = "asks_lower"
    """Asks for less of a utility by itself."""
    BAIT = "bait"
    """Names a practice that inflates a utility; asks for less of it unless the text asks for more."""
    HINT = "hint"
    """May name a utility: counts only if nothing in the text does so clearly."""
    RAISE = "raise"
    LOWER = "lower"
    HOLD = "hold"
    BOUND = "bound"
    """Sets a least value: a guardrail beside other wishes, else the wish itself."""
    CHASE = "chase"
    """Asks to stop going after a measure."""
    CONCEDE = "concede"
    """Lets a measure fall for the sake of another."""
    IGNORE = "ignore"
    """Says that a measure is no matter here."""
    SLIGHT = "slight"
    DOMINANT = "dominant"
    ASIDE = "aside"
    """Makes its sentence a question, a report or an errand, not a goal."""
    OTHER = "other"
    """Looks like a term but means something else."""

    @property
    def names_utility(self) -> bool:
        """Whether the phrase is about one utility."""
        return self in _TERMS


_TERMS = frozenset({Kind.GOOD, Kind.BAD, Kind.ASKS_RAISE, Kind.ASKS_LOWER, Kind.BAIT, Kind.HINT})


@dataclass(frozen=True, slots=True)
class Entry:
    """A phrase and what it does.

    In a phrase `…` stands for a few characters of the same clause, `……` also for commas, and `|` parts alternatives
    on one side of it.
    """

    phrase: str
    kind: Kind
    utility: str | None = None


def entries_for(scenario: Scenario) -> tuple[Entry, ...]:
    """What can be read for a scenario: cues, the terms of its utilities' concepts, and its own terms."""
    terms = _terms(scenario)
    cues = (
        Entry(phrase, Kind(kind)) for kind, by_language in _document()["cues"].items() for phrase in _all(by_language)
    )
    return (*terms, *cues)


def _terms(scenario: Scenario) -> Iterator[Entry]:
    """What names the utilities; the words of one without a concept stand in no phrase of another's concept."""
    own = {u.name: tuple(_own_terms(u)) for u in scenario.utilities}
    taken = [e.phrase for u in scenario.utilities if u.concept is None for e in own[u.name]]
    for utility in scenario.utilities:
        yield from own[utility.name]
        yield from (e for e in _terms_of_concept(utility) if not any(phrase in e.phrase for phrase in taken))


def _own_terms(utility: Utility) -> Iterator[Entry]:
    for kind, terms in ((Kind.GOOD, utility.terms), (Kind.BAD, utility.opposites)):
        yield from (Entry(normalise(phrase).text, kind, utility.name) for phrase in (*terms.en, *terms.zh))


def _terms_of_concept(utility: Utility) -> Iterator[Entry]:
    if utility.concept:
        for kind, by_language in _document()["concepts"][Concept(utility.concept).value].items():
            yield from (Entry(phrase, Kind(kind), utility.name) for phrase in _all(by_language))


def _all(by_language: Mapping[str, str]) -> Iterator[str]:
    for phrases in by_language.values():
        yield from (normalise(phrase).text for phrase in re.split(r",\s*", phrases))


@functools.cache
def _document() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("lexicon.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = yaml.safe_load(text)
    return document
