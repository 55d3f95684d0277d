"""A command group that lists when it is told nothing else."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup


class ListByDefault(TyperGroup):
    """`goals` means `goals list`, and `goals --json` means `goals list --json`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """The arguments, with `list` before them where no command is named."""
        if not args or (args[0].startswith("-") and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)
