"""What the client notices by the clocks alone: edges of the schedule, and sleep."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from reward_llm.delivery.sdk import ClientChange, WeightsClient
from reward_llm.delivery.sdk.watch import LEAST_S, Suspensions
from tests.delivery.sdk.documents import activation, document, encoded, item
from tests.delivery.sdk.scripted import scripted, until

HOUR = timedelta(hours=1)
NOWHERE = "http://127.0.0.1:9"
SOME_SLEEP_S = 3_600.0


class Clocks:
    """A wall clock and a monotonic one, moved by hand."""

    def __init__(self) -> None:
        self.wall_s, self.monotonic_s = 1_000_000.0, 50.0

    def pass_(self, seconds: float, *, asleep: float = 0.0) -> None:
        self.wall_s += seconds + asleep
        self.monotonic_s += seconds

    def suspensions(self) -> Suspensions:
        return Suspensions(wall=lambda: self.wall_s, monotonic=lambda: self.monotonic_s)


def test_sleep_is_what_the_monotonic_clock_does_not_count() -> None:
    clocks = Clocks()
    found = clocks.suspensions()
    assert found.look() == 0
    clocks.pass_(5.0)
    assert found.look() == 0
    clocks.pass_(1.0, asleep=600.0)
    assert found.look() == pytest.approx(600.0)
    assert found.look() == 0


@pytest.mark.parametrize("adjusted_s", [LEAST_S, 0.5, -0.5, -7_200.0])
def test_a_clock_that_is_adjusted_or_set_back_is_no_sleep(adjusted_s: float) -> None:
    clocks = Clocks()
    found = clocks.suspensions()
    for _ in range(3):
        clocks.pass_(1.0, asleep=adjusted_s)
        assert found.look() == 0


def test_after_sleep_the_weights_are_older_and_the_service_is_asked() -> None:
    asleep_s = 0.0
    with (
        scripted(every_s=60.0) as service,
        WeightsClient(service.url, poll_s=3600, wall_clock=lambda: time.time() + asleep_s) as client,
    ):
        until(lambda: client.health().streaming and client.weights("home_feed") is not None)
        assert (client.health().stale, client.health().suspended_s) == (False, 0.0)
        service.answer = lambda _: None
        asked, asleep_s = len(service.snapshots), SOME_SLEEP_S
        until(lambda: client.health().stale)
        assert client.health().age_s >= SOME_SLEEP_S - 1
        assert client.health().suspended_s == pytest.approx(SOME_SLEEP_S, abs=5)
        assert client.health().streaming, "nobody has told that the stream is dead"
        until(lambda: len(service.snapshots) > asked)
        service.answer = None
        service.hang_up()
        until(lambda: not client.health().stale)
        assert client.health().clock_skew_s == pytest.approx(-SOME_SLEEP_S, abs=5)


def sale(start: datetime, *, end: datetime | None = None) -> bytes:
    base = activation(3, start=start - HOUR)
    items = item(activations=[activation(7, start=start, end=end), base]), item(segment="new_user", default=1)
    return encoded(document(*items, item("another")))


def test_edges_are_told_while_the_service_is_away() -> None:
    begins = datetime.now(UTC) + timedelta(seconds=1)
    ends = begins + timedelta(seconds=1)
    told: list[tuple[ClientChange, float]] = []

    def tell(change: ClientChange) -> None:
        told.append((change, time.time()))

    with WeightsClient(NOWHERE, bootstrap=sale(begins, end=ends), on_change=tell) as client:
        until(lambda: len(told) == 3)
        found = client.weights("home_feed")
        assert found is not None
        assert found.version == 3
    home = frozenset({("home_feed", None), ("home_feed", "new_user")})
    assert told[0][0].old_revision is None
    for change, edge in zip(told[1:], (begins, ends), strict=True):
        assert change[0] == ClientChange(scopes=home, old_revision=1, new_revision=1)
        assert change[1] >= edge.timestamp()


def test_an_edge_is_told_once_though_the_service_tells_it_as_well() -> None:
    begins = datetime.now(UTC) + timedelta(seconds=1)
    told: list[ClientChange] = []
    base = activation(3, start=begins - HOUR)
    coming = document(item(activations=[activation(7, start=begins), base]))
    with scripted(snapshot=coming) as service, WeightsClient(service.url, on_change=told.append) as client:
        until(lambda: client.health().streaming and len(told) == 1)
        until(lambda: datetime.now(UTC) > begins)
        over = activation(7, start=begins)
        service.carry(document(item(activations=[over], rule="scenario")))
        until(lambda: client.health().carried == 1)
        until(lambda: len(told) == 2)
        service.carry(document(item(default=9, activations=[over]), revision=2))
        until(lambda: len(told) == 3)
    assert [change.new_revision for change in told] == [1, 1, 2]
