"""Reads JSON that has items, a snapshot's or a notice's, item by item.

Of a snapshot only items that changed are parsed: where an item's text is the same as before, what was read from it
then is taken. The parser holds the interpreter's lock for as long as it runs, so a large document is read in small
parts, between which lookups go on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Generic, NoReturn, TypeVar

from reward_llm.delivery.sdk.errors import SnapshotInvalid
from reward_llm.delivery.sdk.resting import Rests
from reward_llm.delivery.sdk.snapshot import Item, ScopeKey, Snapshot, read_item, read_snapshot

_BLANKS: Final = " \t\r\n"
_Item = TypeVar("_Item")


def parse(body: bytes, known: Mapping[ScopeKey, Item] | None = None) -> Snapshot:
    """The snapshot that the document is.

    Args:
        body: JSON in UTF-8.
        known: Items that were read before, whose texts are likely to come again in the same order.

    Raises:
        SnapshotInvalid: If it isn't one, whatever it is instead.
    """
    try:
        reader = _SnapshotReader(body.decode("utf-8"), known or {})
        fields = reader.fields()
        if "items" not in fields:
            raise SnapshotInvalid("items is missing")
        return read_snapshot(fields, reader.items)
    except (ValueError, RecursionError) as exc:
        raise SnapshotInvalid(f"not a JSON document: {exc}") from exc


class Reader(Generic[_Item]):
    """Goes through a document once.

    Raises:
        SnapshotInvalid: If it isn't an object whose fields have different names.
        ValueError: If it isn't JSON.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self.items: list[_Item] = []

    def fields(self) -> dict[str, object]:
        """The outer object's fields; its items, if it has some, are put into `items`."""
        self._expect("{")
        fields: dict[str, object] = {}
        while True:
            name = self._value()
            if not isinstance(name, str) or name in fields:
                raise SnapshotInvalid("its fields must have different names")
            self._expect(":")
            fields[name] = None if name == "items" else self._value()
            if name == "items":
                self._array()
            if self._expect(",}") == "}":
                break
        if self._peek():
            raise SnapshotInvalid("something stands behind its end")
        return fields

    def _array(self) -> None:
        self._expect("[")
        if self._peek() == "]":
            self._at += 1
            return
        while True:
            self.items.append(self._item())
            if self._expect(",]") == "]":
                return
            self._rest()

    def _item(self) -> _Item:
        raise NotImplementedError

    def _rest(self) -> None:
        """Let others have their turn, if there is much."""

    def _document(self) -> tuple[object, str]:
        """A value, and the text that it was read from."""
        self._peek()
        began = self._at
        document = self._value()
        return document, self._text[began : self._at]

    def _value(self) -> Any:
        self._peek()
        value, self._at = _DECODER.raw_decode(self._text, self._at)
        return value

    def _expect(self, characters: str) -> str:
        found = self._peek()
        if not found or found not in characters:
            raise SnapshotInvalid(f"not a snapshot: {' or '.join(characters)} expected at character {self._at}")
        self._at += 1
        return found

    def _peek(self) -> str:
        """The next character that isn't blank; empty at the end."""
        while (found := self._text[self._at : self._at + 1]) and found in _BLANKS:
            self._at += 1
        return found


class DocumentReader(Reader[tuple[object, str]]):
    """Takes items as they are: each is a value, and the text that it was read from."""

    def _item(self) -> tuple[object, str]:
        return self._document()


class _SnapshotReader(Reader[Item]):
    """Reads scopes, and takes the known ones where they are the same."""

    def __init__(self, text: str, known: Mapping[ScopeKey, Item]) -> None:
        super().__init__(text)
        self._rests = Rests()
        self._known = list(known.values())
        self._place_after = {item.key: place for place, item in enumerate(self._known, start=1)}
        self._place = 0

    def _item(self) -> Item:
        self._peek()
        likely = self._known[self._place] if self._place < len(self._known) else None
        if likely is not None and self._text.startswith(likely.text, self._at):
            self._at += len(likely.text)
            self._place += 1
            return likely
        item = read_item(*self._document())
        self._place = self._place_after.get(item.key, self._place)
        return item

    def _rest(self) -> None:
        self._rests.rest_if_due()


def _refuse(constant: str) -> NoReturn:
    raise SnapshotInvalid(f"{constant} isn't JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse)
