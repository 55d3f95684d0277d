"""Styles and scripts, which browsers keep for as long as their addresses stay the same."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from urllib.parse import parse_qs

from starlette.responses import Response
from starlette.staticfiles import StaticFiles as PlainStaticFiles
from starlette.types import Scope

_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_FOR_NOW: Final = "public, max-age=300"


class StaticFiles(PlainStaticFiles):
    """The files of a folder; under an address with their digest they never change."""

    def __init__(self, folder: Path) -> None:
        super().__init__(directory=folder)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, and for how long it may be kept."""
        response = await super().get_response(path, scope)
        has_digest = b"v" in parse_qs(scope["query_string"])
        response.headers["Cache-Control"] = _FOR_GOOD if has_digest else _FOR_NOW
        return response
