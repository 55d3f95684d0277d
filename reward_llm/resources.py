"""The files that ship with the project: prompts, schemas and scenarios.

In a checkout they lie at the top level, where people edit them; in a wheel they are packaged beside the code.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent
_PACKAGED: Final = _PACKAGE / "_resources"


def _root() -> Path:
    return _PACKAGED if _PACKAGED.is_dir() else _PACKAGE.parent


def prompts_dir() -> Path:
    """The folder of the prompt templates."""
    return _root() / "prompts"


def golden_dir() -> Path:
    """The folder of the golden sets that prompts are measured on."""
    return prompts_dir() / "golden"


def schemas_dir() -> Path:
    """The folder of the generated JSON Schemas."""
    return _root() / "schemas"


def scenarios_dir() -> Path:
    """The folder of the scenarios that ship."""
    return _root() / "scenarios"


def checkpoint_dir() -> Path:
    """The folder of the goal model that ships."""
    return _PACKAGE / "generation" / "checkpoint"
