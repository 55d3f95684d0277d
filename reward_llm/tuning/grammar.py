"""Goals made by rule: templates over the lexicon, with labels that hold by construction."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final, TypeVar

from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.domain.scenario import Concept
from reward_llm.tuning.corpus import Label, LabelledGoal, Language
from reward_llm.tuning.lexicon import Lexicon, Scope, load_lexicon

T = TypeVar("T")
_LANGUAGES: Final[dict[Language, float]] = {"zh": 0.45, "en": 0.42, "mixed": 0.13}
_SHAPES: Final = {
    "raise": 0.30, "lower": 0.09, "hold": 0.03,
    "raise raise": 0.10, "raise hold": 0.16, "raise lower": 0.12, "both": 0.04, "raise both_hold": 0.04,
    "raise raise raise": 0.03, "raise raise hold": 0.04, "raise hold hold": 0.03, "raise lower hold": 0.02,
}  # fmt: skip
"""What a goal is made of, and how often."""
_EMPHASES: Final = {Emphasis.CLEAR: 0.78, Emphasis.SLIGHT: 0.12, Emphasis.DOMINANT: 0.10}
_SUFFIX: Final = {Emphasis.CLEAR: "", Emphasis.SLIGHT: "_slight", Emphasis.DOMINANT: "_dominant"}


@dataclass(frozen=True, slots=True)
class _Clause:
    text: str
    labels: tuple[Label, ...]


class Grammar:
    """A source of labelled goals without end, drawn from a seeded generator."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def goal(self) -> LabelledGoal:
        """A goal that asks for something."""
        voice = self._voice(_pick(_LANGUAGES, self._rng))
        clauses = voice.clauses(_pick(_SHAPES, self._rng).split())
        text = voice.dressed(voice.joined(clauses), asked={label.utility for c in clauses for label in c.labels})
        return LabelledGoal.of(text, voice.lang, [label for c in clauses for label in c.labels], "grammar")

    def nothing(self) -> LabelledGoal:
        """A text that asks for nothing that a utility measures."""
        voice = self._voice(_pick(_LANGUAGES, self._rng))
        return LabelledGoal.of(voice.nothing(), voice.lang, (), "grammar")

    def aside(self, lang: Language, rule: str) -> str:
        """Words that add nothing to a goal: a `fact`, a bit of `chat`, an `inject`ed command."""
        return self._voice(lang).aside(rule)

    def _voice(self, lang: Language) -> _Voice:
        return _Voice(lang, self._rng)


class _Voice:
    """One speaker: a language, a trade and its supply groups."""

    def __init__(self, lang: Language, rng: random.Random) -> None:
        self.lang = lang
        self._rng = rng
        mixed = lang == "mixed"
        self._lexicon = load_lexicon("en" if lang == "en" or (mixed and rng.random() < 0.25) else "zh")
        self._other = load_lexicon("zh" if self._lexicon is load_lexicon("en") else "en") if mixed else self._lexicon
        trade = rng.randrange(len(self._lexicon.trades))
        self._scope: dict[str, str | list[str]] = {
            name: rng.choice(words) for name, words in self._lexicon.trades[trade].items()
        }
        low = rng.uniform(0.5, 60)
        self._scope |= {**self._groups(), "low": f"{low:.2g}%", "high": f"{low * rng.uniform(1.1, 1.6):.3g}%"}

    def _groups(self) -> dict[str, str | list[str]]:
        source = self._other if self._rng.random() < 0.5 else self._lexicon
        groups = self._rng.sample(self._rng.choice(source.groups), 3)
        return dict(zip(("g1", "g2", "g3"), groups, strict=True))

    def clauses(self, shape: list[str]) -> list[_Clause]:
        """A clause for each part of the shape, no utility in two of them."""
        concepts = self._rng.sample(list(Concept), len(shape) + 1)
        return [self._clause(part, concepts) for part in shape]

    def _clause(self, part: str, concepts: list[Concept]) -> _Clause:
        concept = concepts.pop()
        if part == "raise":
            return self._raise(concept)
        if part == "lower":
            return self._lower(concept)
        if part == "hold":
            return self._hold(concept)
        return self._both(part, concept, concepts.pop())

    def _raise(self, concept: Concept) -> _Clause:
        emphasis = _pick(_EMPHASES, self._rng)
        suffix = _SUFFIX[emphasis]
        way = _pick({"good": 0.42, "bad": 0.16, "ask": 0.28, "pain": 0.14 if not suffix else 0.0}, self._rng)
        if way in ("ask", "pain"):
            text = self._of(concept, way)
            text = self._say(f"ask{suffix}", x=text) if suffix else text
        elif suffix:
            text = self._frame(f"raise{suffix}", concept)
        else:
            text = self._frame(f"raise_{way}", concept)
        return _Clause(text, (Label(concept, Direction.RAISE, emphasis),))

    def _lower(self, concept: Concept) -> _Clause:
        way = _pick({"lower_good": 0.36, "lower_slight": 0.38, "less": 0.26}, self._rng)
        text = self._of(concept, "less") if way == "less" else self._frame(way, concept)
        emphasis = Emphasis.SLIGHT if way == "lower_slight" else Emphasis.CLEAR
        return _Clause(text, (Label(concept, Direction.LOWER, emphasis),))

    def _hold(self, concept: Concept) -> _Clause:
        way = _pick({"hold_good": 0.56, "hold_bad": 0.17, "keep": 0.22, "hold_slight": 0.05}, self._rng)
        text = self._of(concept, "keep") if way == "keep" else self._frame(way, concept)
        emphasis = Emphasis.SLIGHT if way == "hold_slight" else Emphasis.CLEAR
        return _Clause(text, (Label(concept, Direction.HOLD, emphasis),))

    def _both(self, rule: str, first: Concept, second: Concept) -> _Clause:
        direction = Direction.HOLD if rule == "both_hold" else Direction.RAISE
        text = self._say(rule, x=self._of(first, "good"), y=self._of(second, "good"))
        return _Clause(text, tuple(Label(c, direction, Emphasis.CLEAR) for c in (first, second)))

    def joined(self, clauses: list[_Clause]) -> str:
        """The clauses as one text, by a pattern that suits what they are."""
        texts = [c.text for c in clauses]
        if len(texts) == 1:
            return texts[0]
        last = clauses[-1].labels[0].direction
        if len(texts) == 2:
            rule = {Direction.HOLD: "two_hold", Direction.LOWER: "two_lower", Direction.RAISE: "two"}[last]
            return self._say(rule, a=texts[0], b=texts[1], k=texts[1], l=texts[1])
        self._rng.shuffle(texts)
        return self._say("three", **dict(zip("abc", texts, strict=True)))

    def dressed(self, text: str, asked: set[Concept]) -> str:
        """The text in a register, perhaps among facts that add nothing."""
        others = [c for c in Concept if c not in asked]
        text = self._say("plain", g=text)
        if self._rng.random() < 0.35:
            text = self._say("register", g=text)
        if self._rng.random() < 0.12:
            text = self._beside(text, self._say("status", noun=self._of(self._rng.choice(others), "good")))
        while self._rng.random() < 0.07:
            text = self._beside(text, self.aside("fact"))
        if self._rng.random() < 0.04:
            text = self._beside(text, self.aside("inject"))
        return text

    def nothing(self) -> str:
        """A text without a request."""
        noun = self._of(self._rng.choice(list(Concept)), self._rng.choice(["good", "good", "bad"]))
        text = self._say("nothing", noun=noun)
        while self._rng.random() < 0.12:
            text = self._beside(text, self.aside(self._rng.choice(["fact", "chat", "aside_open", "ticket"])))
        return text

    def aside(self, rule: str) -> str:
        """Words of a rule that asks for nothing."""
        return self._say(rule)

    def _beside(self, text: str, more: str) -> str:
        gap = self._rng.choice(
            ["。", "，", "\n", "；"] if self._lexicon is load_lexicon("zh") else [". ", "\n", "; ", " - "]
        )
        return gap.join([text, more] if self._rng.random() < 0.5 else [more, text])

    def _frame(self, rule: str, concept: Concept) -> str:
        return self._say(rule, good=self._of(concept, "good"), bad=self._of(concept, "bad"))

    def _of(self, concept: Concept, kind: str) -> str:
        lexicon = self._other if kind in ("good", "bad") and self._rng.random() < 0.7 else self._lexicon
        return lexicon.expand(self._rng.choice(lexicon.concepts[concept][kind]), self._words(lexicon), self._rng)

    def _words(self, lexicon: Lexicon) -> Scope:
        if lexicon is self._lexicon:
            return self._scope
        return {
            **self._scope,
            **{k: self._rng.choice(v) for k, v in self._rng.choice(lexicon.trades).items()},
            **self._groups(),
        }

    def _say(self, rule: str, **values: str) -> str:
        return self._lexicon.say(rule, {**self._scope, **values}, self._rng)


def _pick(shares: dict[T, float], rng: random.Random) -> T:
    return rng.choices(list(shares), weights=list(shares.values()))[0]
