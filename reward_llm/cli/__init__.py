"""The command line, `reward-llm`: one file a command group."""

from __future__ import annotations

from reward_llm.cli.program import main

__all__ = ["main"]
