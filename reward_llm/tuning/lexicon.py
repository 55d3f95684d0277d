"""How goals are said: words and templates of one language, and their expansion.

In a template `{name}` is replaced by a value of that name, `[a|b|]` by one of its choices, `{{` and `}}` by braces.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import yaml

from reward_llm.domain.scenario import Concept

_FOLDER: Final = Path(__file__).parent / "lexicon"
_CHOICE: Final = re.compile(r"\[([^\[\]]*)\]")
_SLOT: Final = re.compile(r"\{(\w+)\}")
_OPEN, _CLOSE = "\x00", "\x01"

Scope = Mapping[str, str | Sequence[str]]
"""Values of names: a text is taken as it stands, one of several templates is chosen and expanded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """The words of one language.

    `trades` hold the nouns of a business, `groups` supply groups in their order of priority, `rules` templates by
    name, and `concepts` what is said of each utility: `good` (more of it is better), `bad` (less of it is
    better), `ask` and `pain` (raise it), `less` (lower it), `keep` (hold it).
    """

    trades: Sequence[Mapping[str, Sequence[str]]]
    groups: Sequence[Sequence[str]]
    rules: Mapping[str, Sequence[str]]
    concepts: Mapping[Concept, Mapping[str, Sequence[str]]]

    def expand(self, template: str, scope: Scope, rng: random.Random) -> str:
        """The template with every choice made."""
        text = self._filled(template, scope, rng)
        return text.replace(_OPEN, "{").replace(_CLOSE, "}")

    def say(self, rule: str, scope: Scope, rng: random.Random) -> str:
        """One way to say the rule."""
        return self.expand(rng.choice(self.rules[rule]), scope, rng)

    def _filled(self, template: str, scope: Scope, rng: random.Random) -> str:
        text = template.replace("{{", _OPEN).replace("}}", _CLOSE)
        text = _CHOICE.sub(lambda m: rng.choice(m[1].split("|")), text)
        return _SLOT.sub(lambda m: self._value(m[1], scope, rng), text)

    def _value(self, name: str, scope: Scope, rng: random.Random) -> str:
        if name in ("n", "d"):
            return str(rng.randint(1, 99) if name == "n" else rng.randint(1, 9))
        value = scope[name] if name in scope else self.rules[name]
        return value if isinstance(value, str) else self._filled(rng.choice(value), scope, rng)


@cache
def load_lexicon(language: str) -> Lexicon:
    """The lexicon of `en` or `zh`."""
    document = yaml.safe_load((_FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    concepts = {Concept(name): words for name, words in document.pop("concepts").items()}
    return Lexicon(concepts=concepts, **document)
