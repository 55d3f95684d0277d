"""What the pages say, in both languages: one YAML file an area under `text/`.

A text is found by its file and its keys (`goals.submit.title`), has its values in braces, and where it counts
something has `one` and `other` for `n`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml
from markupsafe import Markup, escape

TEXT_DIR: Final = Path(__file__).parent / "text"
_PLURAL: Final = "other"
_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, where there is one: it is ten times as fast."""


class Language(StrEnum):
    """A language that pages are written in."""

    EN = "en"
    ZH = "zh"


LANGUAGES: Final = {language.value: language for language in Language}


class Texts:
    """The texts of one language; calling it gives one."""

    def __init__(self, language: Language, tree: Mapping[str, Any]) -> None:
        self.language = language
        self._tree = tree

    def __call__(self, key: str, **values: object) -> str:
        """A text with its values put in.

        Raises:
            KeyError: If there is none by that key.
        """
        return self._template(key, values).format(**values)

    def html(self, key: str, **values: object) -> Markup:
        """A text that is HTML itself, with its values escaped."""
        return Markup(self._template(key, values)).format(**{k: escape(v) for k, v in values.items()})  # noqa: S704

    def word(self, area: str, value: object) -> str:
        """The word for a value, such as a state; what has none stands for itself.

        >>> Texts(Language.EN, {"state": {"live": "In force"}}).word("state", "live")
        'In force'
        """
        found = self._find(f"{area}.{value}") if value is not None else None
        return found if isinstance(found, str) else str(value)

    def has(self, key: str) -> bool:
        """Whether there is a text by that key."""
        found = self._find(key)
        return isinstance(found, str) or _is_plural(found)

    def keys(self) -> Iterator[str]:
        """The keys of all texts."""
        yield from _keys(self._tree)

    def _template(self, key: str, values: Mapping[str, object]) -> str:
        found = self._find(key)
        if _is_plural(found):
            found = found["one"] if values.get("n") == 1 and "one" in found else found[_PLURAL]
        if not isinstance(found, str):
            raise KeyError(f"no text {key!r} in {self.language}")
        return found

    def _find(self, key: str) -> Any:
        node: Any = self._tree
        for part in key.split("."):
            if not isinstance(node, Mapping) or part not in node:
                return None
            node = node[part]
        return node


@cache
def load_texts() -> Mapping[Language, Texts]:
    """The texts of every language."""
    return {language: Texts(language, _tree(TEXT_DIR / language)) for language in Language}


def preferred(accept_language: str) -> Language:
    """The first of the languages that a browser asks for that pages are written in; English else.

    >>> [str(preferred(a)) for a in ("zh-CN,zh;q=0.9,en;q=0.8", "fr,en;q=0.5", "de;q=1, zh;q=0.2", "")]
    ['zh', 'en', 'zh', 'en']
    """
    ranked = sorted((_ranked(part, place) for place, part in enumerate(accept_language.split(","))), reverse=True)
    for _, _, tag in ranked:
        if tag in LANGUAGES:
            return LANGUAGES[tag]
    return Language.EN


def _ranked(part: str, place: int) -> tuple[float, int, str]:
    tag, _, quality = part.strip().partition(";q=")
    try:
        q = float(quality) if quality else 1.0
    except ValueError:
        q = 0.0
    return q, -place, tag.split("-")[0].strip().lower()


def _tree(folder: Path) -> dict[str, Any]:
    return {file.stem: _read(file) for file in sorted(folder.glob("*.yaml"))}


def _read(file: Path) -> Any:
    return yaml.load(file.read_text("utf-8"), _LOADER) or {}  # noqa: S506 - it is a safe one


def _is_plural(node: Any) -> bool:
    return isinstance(node, Mapping) and _PLURAL in node and set(node) <= {"one", _PLURAL}


def _keys(node: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, below in node.items():
        if isinstance(below, Mapping) and not _is_plural(below):
            yield from _keys(below, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
