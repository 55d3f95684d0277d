"""In what two versions of a prompt differ."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from reward_llm.domain.prompts import PromptVersion

_TEMPLATES: Final = ("system", "user")
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """A field that differs, at a JSON Pointer into the content's document; None where one of the two lacks it."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptDiff:
    """The templates' unified diffs, '' where they are equal, and the other fields that differ."""

    before: PromptVersion
    after: PromptVersion
    system: str
    user: str
    fields: tuple[FieldDifference, ...]

    @property
    def same(self) -> bool:
        """Whether there is no difference."""
        return not (self.system or self.user or self.fields)


def diff(before: PromptVersion, after: PromptVersion) -> PromptDiff:
    """In what the content of two versions differs."""
    old, new = before.content.document, after.content.document
    system, user = (_unified(old.pop(t), new.pop(t), f"{before.id}/{t}", f"{after.id}/{t}") for t in _TEMPLATES)
    return PromptDiff(before=before, after=after, system=system, user=user, fields=tuple(_differences(old, new, "")))


def _unified(before: str, after: str, old: str, new: str) -> str:
    return "\n".join(difflib.unified_diff(before.split("\n"), after.split("\n"), old, new, lineterm=""))


def _differences(before: Any, after: Any, path: str) -> Iterator[FieldDifference]:
    if before == after:
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_children(before, after, path)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _of_children(dict(enumerate(before)), dict(enumerate(after)), path)
    else:
        yield FieldDifference(path=path, before=_or_none(before), after=_or_none(after))


def _of_children(before: Mapping[Any, Any], after: Mapping[Any, Any], path: str) -> Iterator[FieldDifference]:
    for key in dict.fromkeys((*before, *after)):
        yield from _differences(before.get(key, _ABSENT), after.get(key, _ABSENT), f"{path}/{key}")


def _or_none(value: Any) -> Any:
    return None if value is _ABSENT else value
