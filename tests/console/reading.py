"""A page as a test reads it: its text, its links, and its forms, which can be filled in and sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass(slots=True)
class PageForm:
    """A form with what it holds before anybody writes anything."""

    action: str
    method: str
    fields: list[tuple[str, str]] = field(default_factory=list)

    def filled(self, **values: str) -> list[tuple[str, str]]:
        """Its fields, with these instead of what they hold."""
        kept = [(name, value) for name, value in self.fields if name not in values]
        return [*kept, *values.items()]


class Markings(HTMLParser):
    """What a page consists of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.forms: list[PageForm] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._select = ""
        self._area = ""
        self._options: list[tuple[str, bool]] = []
        self._silent = False
        self.feed(html)

    @property
    def text(self) -> str:
        """All that one can read."""
        return " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._silent = tag in {"script", "style"}
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "form":
            self.forms.append(PageForm(action=given.get("action", ""), method=given.get("method", "get")))
        elif tag == "select":
            self._select, self._options = given.get("name", ""), []
        elif tag == "option":
            self._options.append((given.get("value", ""), "selected" in given))
        elif tag == "textarea":
            self._area = given.get("name", "")
            self._add(self._area, "")
        elif tag in {"input", "button"}:
            self._control(tag, given)

    def handle_endtag(self, tag: str) -> None:
        self._silent = False
        if tag == "select" and self._options:
            self._add(self._select, next((v for v, chosen in self._options if chosen), self._options[0][0]))
        if tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        self.words.append(data)
        if self._area:
            name, value = self.forms[-1].fields[-1]
            self.forms[-1].fields[-1] = (name, value + data)

    def _control(self, tag: str, given: dict[str, str]) -> None:
        kind = given.get("type", "")
        if tag == "button" or kind == "submit" or (kind in {"checkbox", "radio"} and "checked" not in given):
            return
        self._add(given.get("name", ""), given.get("value", ""))

    def _add(self, name: str, value: str) -> None:
        if self.forms and name:
            self.forms[-1].fields.append((name, value))
