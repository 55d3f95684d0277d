from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = "/usr/bin/chromium"
PICTURES = Path(__file__).parents[3] / "build" / "screenshots"


@pytest.fixture(scope="package")
def chromium(empty_database: Path) -> Iterator[Browser]:
    """Debian's browser; REWARD_LLM_REQUIRE_BROWSER=1 makes its absence a failure.

    Playwright has an event loop running for as long as it does, beside which no other test may start one.
    """
    found = shutil.which("chromium") or CHROMIUM
    if not Path(found).exists():
        missing = "no chromium: apt-get install chromium"
        if os.environ.get("REWARD_LLM_REQUIRE_BROWSER") == "1":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where the screenshots of all pages go, for looking at."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES


@pytest.fixture
def database(tmp_path: Path, empty_database: Path) -> Path:
    """A database with nothing in it yet."""
    return Path(shutil.copy(empty_database, tmp_path))
