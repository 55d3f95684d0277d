"""What an address of a page may name; anything else is no page."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path

Name = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,100}$")]
"""The name or id of something."""
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]
"""The number of a version."""
