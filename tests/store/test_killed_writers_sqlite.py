"""Writers of one SQLite file that are killed.

A file of its own, since it takes minutes and may run beside the one for the other kind of database.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.store.killing import four_writers_that_are_killed_lose_and_double_nothing


@pytest.fixture
def empty_url(tmp_path: Path) -> str:
    """The only kind of database here."""
    return f"sqlite:///{tmp_path / 'store.db'}"


async def test_four_writers_on_one_file_that_are_killed_lose_and_double_nothing(url: str, tmp_path: Path) -> None:
    await four_writers_that_are_killed_lose_and_double_nothing(url, tmp_path)
