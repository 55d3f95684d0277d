"""Changes to a goal that leave what it asks for as it is."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from reward_llm.domain.interpretation import MAX_INTENTS, Emphasis
from reward_llm.domain.scenario import Concept
from reward_llm.tuning.corpus import LabelledGoal, Language
from reward_llm.tuning.grammar import Grammar
from reward_llm.tuning.lexicon import load_lexicon

_NUMBER: Final = re.compile(r"(?<![\dA-Za-z])\d{2,}(?:\.\d+)?(?![\dA-Za-z])")
_WORD: Final = re.compile(r"\b[a-z]{5,}\b")
_JOINS: Final[Mapping[Language, Sequence[str]]] = {
    "zh": ["，", "。", "；", "\n", "，同时", "。另外，", "，并且", "。还有，", "\n- ", "；此外"],
    "en": [". ", "; ", "\n", ", and ", ". Also, ", " plus ", "\n- ", " -- ", ". Second: ", ", also "],
    "mixed": ["，", "。", "；", "\n", "，also ", "，同时", ". ", " + "],
}
_EMOJI: Final = ["🙏", "🔥", "!!", "…", "💪", "📈", "~", "😅", "👀", "??"]
_ASIDES: Final = ["fact", "fact", "fact", "chat", "ticket", "inject", "inject", "gibberish"]


class Augmenter:
    """Draws changed goals from a seeded generator.

    Case and full-width characters need no change here: the chat template folds both.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._grammar = Grammar(rng)

    def varied(self, goal: LabelledGoal) -> LabelledGoal:
        """The goal in other words here and there, perhaps among words that ask for nothing."""
        text = goal.goal
        if self._chance(0.25):
            text = self._other_terms(goal, text)
        if self._chance(0.10):
            text = self._other_number(text)
        if self._chance(0.15):
            text = self._typo(text)
        if self._chance(0.20):
            text = self._punctuated(text)
        if goal.labels and self._chance(0.14):
            text = self._beside(text, self._grammar.aside(goal.lang, self._rng.choice(_ASIDES)), goal.lang)
        if self._chance(0.08):
            text = self._framed(text, goal.lang)
        return LabelledGoal(goal=text, lang=goal.lang, labels=goal.labels, source=goal.source)

    def joined(self, first: LabelledGoal, second: LabelledGoal) -> LabelledGoal | None:
        """Both goals in one text, None if they disagree: a utility in both, or one that wants to be alone."""
        utilities = [label.utility for g in (first, second) for label in g.labels]
        alone = any(label.emphasis is Emphasis.DOMINANT for g in (first, second) for label in g.labels)
        if alone or not first.labels or not second.labels or len(utilities) > min(len(set(utilities)), MAX_INTENTS):
            return None
        lang: Language = first.lang if first.lang == second.lang else "mixed"
        text = first.goal.rstrip("。.!！ ") + self._rng.choice(_JOINS[lang]) + second.goal
        return LabelledGoal.of(text, lang, [*first.labels, *second.labels], first.source)

    def _other_terms(self, goal: LabelledGoal, text: str) -> str:
        """The text with a utility's name replaced by another name of the same utility."""
        asked = {label.utility for label in goal.labels}
        found = [m for m in _term_pattern().finditer(text.lower()) if _terms()[m[0]][0] in asked]
        if not found or len(text.lower()) != len(text):
            return text
        match = self._rng.choice(found)
        concept, kind, own = _terms()[match[0]]
        lang = own if self._chance(0.8) else self._rng.choice(["zh", "en"])
        other = self._rng.choice(_plain_terms(lang, concept, kind))
        return text[: match.start()] + other + text[match.end() :]

    def _other_number(self, text: str) -> str:
        """The text with its number replaced, if it has just one."""
        numbers = _NUMBER.findall(text)
        if len(numbers) != 1:
            return text
        digits = re.sub(r"\d", lambda _: str(self._rng.randint(1, 9)), numbers[0])
        return text.replace(numbers[0], digits)

    def _typo(self, text: str) -> str:
        """The text with a letter of a long English word swapped, doubled or lost."""
        words = list(_WORD.finditer(text))
        if not words:
            return text
        word = self._rng.choice(words)
        at = self._rng.randrange(word.start() + 1, word.end() - 1)
        pair = text[at : at + 2]
        return text[:at] + self._rng.choice([pair[::-1], pair[0], pair[0] + pair]) + text[at + 2 :]

    def _punctuated(self, text: str) -> str:
        """The text with other punctuation at its end, or other spacing."""
        change = self._rng.randrange(4)
        if change == 0:
            return text.rstrip("。.!！ ")
        if change == 1:
            return text.rstrip("。.!！ ") + self._rng.choice(["。", ".", "!", "！", "…", "~", "\n"])
        if change == 2:
            return self._rng.choice(["", " ", "\n"]) + re.sub("([，,。;；])", lambda m: m[1] + " ", text)
        return f"{text} {self._rng.choice(_EMOJI)}"

    def _framed(self, text: str, lang: Language) -> str:
        """The text with a greeting or a closing phrase."""
        opening, closing = self._grammar.aside(lang, "aside_open"), self._grammar.aside(lang, "aside_close")
        comma = "，" if lang == "zh" else ", "
        return self._rng.choice(
            [f"{opening}{comma}{text}", f"{text} {closing}", f"{opening}{comma}{text}\n{closing}"]
        )

    def _beside(self, text: str, aside: str, lang: Language) -> str:
        gap = self._rng.choice(["。", "\n"] if lang == "zh" else [". ", "\n"])
        return gap.join([aside, text] if self._chance(0.5) else [text, aside])

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share


@cache
def _plain_terms(lang: str, concept: Concept, kind: str) -> tuple[str, ...]:
    return tuple(t for t in load_lexicon(lang).concepts[concept][kind] if not {"{", "["} & set(t))


@cache
def _terms() -> Mapping[str, tuple[Concept, str, str]]:
    return {
        term.lower(): (concept, kind, lang)
        for lang in ("zh", "en")
        for concept in Concept
        for kind in ("good", "bad")
        for term in _plain_terms(lang, concept, kind)
    }


@cache
def _term_pattern() -> re.Pattern[str]:
    longest_first = sorted(_terms(), key=len, reverse=True)
    return re.compile("|".join(rf"\b{re.escape(t)}\b" if t.isascii() else re.escape(t) for t in longest_first))
