from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.delivery.following import BEATS, Followed, followed
from tests.network import FaultyProxy
from tests.service import Service, service


@pytest.fixture(scope="module")
def running(tmp_path_factory, unused_tcp_port_factory) -> Iterator[Service]:
    """A service that goes on through all tests of a module."""
    with service(tmp_path_factory.mktemp("service"), unused_tcp_port_factory(), **BEATS) as started:
        yield started


@pytest.fixture
def proxy(running) -> Iterator[FaultyProxy]:
    """The network before it."""
    with FaultyProxy(running.http.base_url.port) as made:
        yield made


@pytest.fixture
def client(proxy, running) -> Iterator[Followed]:
    """A client that follows it."""
    with followed(proxy, running.http) as made:
        yield made
