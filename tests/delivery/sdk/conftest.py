from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.delivery.sdk.scripted import Scripted, scripted


@pytest.fixture
def service() -> Iterator[Scripted]:
    with scripted() as running:
        yield running
