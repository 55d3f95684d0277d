"""Where surfaces are found: those that ship, and those of a folder in their place."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from reward_llm.loop.surface.files import load_surface
from reward_llm.loop.surface.surface import Surface

SHIPPED: Final = Path(__file__).parent / "shipped"


def load_surfaces(folder: Path | None = None) -> dict[str, Surface]:
    """The surfaces by scenario: every `.json` of the folder, and of those that ship whatever it has none for.

    Raises:
        SurfaceInvalid: If a file holds none.
    """
    files = [*sorted(SHIPPED.glob("*.json")), *(sorted(folder.glob("*.json")) if folder else ())]
    found = [load_surface(file) for file in files]
    return {surface.scenario: surface for surface in found}
