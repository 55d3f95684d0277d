"""What is printed, and how errors read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from reward_llm.errors import ConfigurationInvalid, ModelServerFailed, RewardLLMError, ServiceUnavailable, Violation

REFUSED: Final = 1
USAGE: Final = 2
UNAVAILABLE: Final = 3


def console() -> Console:
    """The terminal, or the file that the output goes to."""
    return Console(highlight=False)


def print_json(document: Any) -> None:
    """The document alone, so that a program can read it."""
    print(json.dumps(document, ensure_ascii=False, indent=2))


def print_error(error: RewardLLMError) -> None:
    """`error: message (hint)` and every violation, on standard error."""
    hint = f" ({error.hint})" if error.hint else ""
    err = Console(stderr=True, highlight=False, soft_wrap=True)
    err.print(Text.assemble(("error: ", "bold red"), _shown(f"{error.message}{hint}")))
    print_violations(err, error.violations)


def print_violations(to: Console, violations: Iterable[Violation]) -> None:
    """One indented line a violation."""
    for violation in violations:
        to.print(Text(f"  {_shown(str(violation))}"), soft_wrap=True)


def exit_code(error: RewardLLMError) -> int:
    """The exit code that tells a script what kind of error it was."""
    if isinstance(error, ServiceUnavailable):
        return UNAVAILABLE
    if isinstance(error, ModelServerFailed):
        return error.exit_code
    return USAGE if isinstance(error, ConfigurationInvalid) else REFUSED


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """A table without walls, whose first column is never broken, so that ids can be copied; `right` are numbers."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for place, column in enumerate(columns):
        justify: Literal["left", "right"] = "right" if column in right else "left"
        made.add_column(column, justify=justify, overflow="fold", no_wrap=place == 0)
    return made


def bar(share: float, width: int, style: str = "cyan") -> Text:
    """A bar of a share in [0, 1]."""
    filled = round(share * width)
    return Text.assemble(("█" * filled, style), ("·" * (width - filled), "dim"))


def print_next_page(page: Mapping[str, Any]) -> None:
    """How to go on, where a list goes on."""
    if page.get("next_cursor"):
        console().print(Text(f"more: --cursor {page['next_cursor']}", "dim"), soft_wrap=True)


def shortened(text: str, cells: int = 60) -> Text:
    """The text on one line of at most so many cells; a Chinese character takes two."""
    line = Text(" ".join(text.split()))
    line.truncate(cells, overflow="ellipsis")
    return line


def _shown(text: str) -> str:
    """The text without what could steer a terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "�" for c in text)
