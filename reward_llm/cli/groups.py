"""Command groups: one that lists when it is told nothing else, and one that loads what it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperGroup
from typer.main import get_group


class ListByDefault(TyperGroup):
    """`goals` means `goals list`, and `goals --json` means `goals list --json`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, with `list` before them where no command is named."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)


class LoadedWhenAsked(TyperGroup):
    """A group of the commands in `homes`: module and attribute of each, a function or a group of its own."""

    homes: ClassVar[Mapping[str, str]] = {}

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = _Commands(self.homes, self.rich_markup_mode)

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands, of which none is loaded."""
        return list(self.commands)


class _Commands(MutableMapping[str, Any]):
    """Commands by name, each of which is loaded once somebody takes it."""

    def __init__(self, homes: Mapping[str, str], markup: Any) -> None:
        self._homes = dict(homes)
        self._loaded: dict[str, Any] = {}
        self._markup = markup

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._homes[name] = ""
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._homes[name]
        self._loaded.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes)

    def __len__(self) -> int:
        return len(self._homes)

    def _load(self, name: str) -> Any:
        module, _, attribute = self._homes[name].partition(":")
        found = getattr(import_module(module), attribute)
        alone = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=self._markup)
        if isinstance(found, typer.Typer):
            alone.add_typer(found, name=name)
        else:
            alone.command(name)(found)
        return get_group(alone).commands[name]
