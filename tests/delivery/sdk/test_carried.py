"""Changes that come with their notices, against asking for the snapshot each time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_llm.api.lane.answers import snapshot_answer
from reward_llm.api.routes import events
from reward_llm.delivery.board import Board
from reward_llm.delivery.sdk.carried import continued, etag_of
from reward_llm.delivery.sdk.clock import ServerClock
from reward_llm.delivery.sdk.config import ClientConfig
from reward_llm.delivery.sdk.errors import SnapshotInvalid
from reward_llm.delivery.sdk.fetch import Document
from reward_llm.delivery.sdk.keeper import Keeper
from reward_llm.delivery.sdk.lookups import Lookups
from reward_llm.delivery.sdk.notice import Notice, read_notice
from reward_llm.delivery.sdk.reading import parse
from reward_llm.delivery.sdk.snapshot import written
from reward_llm.delivery.sdk.stream import Heard
from reward_llm.delivery.snapshot import SnapshotBook
from reward_llm.delivery.steps import Steps
from reward_llm.domain.activation import Activation
from reward_llm.domain.notices import NoticeKind, WeightsNotice
from reward_llm.domain.ports import Freeze
from reward_llm.domain.serving import EncodedSnapshot, Freshness
from tests.activations import ALL, MATURE, NEW, NOON, schedules
from tests.delivery.sdk.documents import activation, document, encoded, item
from tests.delivery.test_board import Ledger, Time, board_over, freeze

FRESH = Freshness(age_s=0.0, stale=False, confirmed=True)
PLENTY = 10**6
SCOPES = ((ALL.scenario, None), (NEW.scenario, NEW.segment), (MATURE.scenario, MATURE.segment))
SHORT = timedelta(milliseconds=1)
"""Between two changes, so that a notice that comes late tells of no other time than the rest."""


@dataclass(frozen=True)
class State:
    """What the service has at a moment, and what it says to who has another of its states."""

    snapshot: EncodedSnapshot
    as_of: datetime
    known: Sequence[EncodedSnapshot]

    @property
    def document(self) -> bytes:
        return b"".join(snapshot_answer(self.snapshot, self.as_of, FRESH, None).parts)

    def notice(self, since: EncodedSnapshot) -> Notice:
        """As it goes over the wire to who was told of `since`, or of something that nobody knows, before."""
        steps = Steps(PLENTY)
        for snapshot in (*self.known, self.snapshot):
            steps.append(snapshot)
        said = WeightsNotice(
            revision=self.snapshot.revision,
            etag=self.snapshot.etag,
            as_of=self.as_of,
            freshness=FRESH,
            every_s=5.0,
            change=steps.since(since.etag),
        )
        event = events._encoded(NoticeKind.CHANGED, said).decode()
        return read_notice(event.partition("data: ")[2].strip())


class Follower:
    """A client without a network."""

    def __init__(self) -> None:
        self.at = 0.0
        clock = ServerClock(monotonic=lambda: self.at, wall=lambda: NOON.timestamp() + self.at)
        self.lookups = Lookups(clock)
        self.keeper = Keeper(lookups=self.lookups, clock=clock, config=ClientConfig(), monotonic=lambda: self.at)

    def fetch(self, state: State) -> bool:
        self._reach(state)
        told = Document(body=state.document, etag=state.snapshot.etag, sent=self.at, received=self.at)
        return self.keeper.take(self.keeper.prepared(told))

    def hear(self, state: State, notice: Notice) -> bool:
        """Whether it would have to ask."""
        self._reach(state)
        heard = Heard(notice=notice, sent=None, received=self.at)
        if not self.keeper.heard(heard):
            return False
        prepared = self.keeper.continued(heard)
        return prepared is None or not self.keeper.take(prepared)

    def _reach(self, state: State) -> None:
        self.at = max(self.at, (state.as_of - NOON).total_seconds())

    def holds(self, state: State) -> bool:
        return (self.keeper.etag, self.document) == (state.snapshot.etag, state.snapshot.items)

    @property
    def document(self) -> bytes:
        """The items that it has, as they were written."""
        assert self.keeper.snapshot is not None
        return ",".join(i.text for i in self.keeper.table.items.values()).encode()


async def states_of(changes: Sequence[Activation | Freeze | None], pauses: Sequence[timedelta]) -> list[State]:
    """What the service has after each pause and the change that follows it, if one does."""
    ledger, time = Ledger(), Time()
    board: Board = board_over(ledger, time)
    book, made = SnapshotBook(board), list[State]()
    for change, pause in zip([None, *changes], [timedelta(), *pauses], strict=True):
        time.now += pause
        ledger.changes += [change] if change is not None else []
        await board.refresh()
        known = tuple(state.snapshot for state in made)
        made.append(State(await book.snapshot(time()), time(), known))
    return made


FREEZES = st.builds(freeze, st.sampled_from([ALL, NEW]), frozen=st.booleans())
CHANGES = st.builds(
    lambda made, freezes, order: order.sample([*made, *freezes], len(made) + len(freezes)),
    schedules(scopes=(ALL, NEW, MATURE)),
    st.lists(FREEZES, max_size=3),
    st.randoms(use_true_random=False),
)


@given(changes=CHANGES, data=st.data())
@settings(max_examples=60)
async def test_taking_what_is_carried_in_order_is_asking_each_time(
    changes: list[Activation | Freeze], data: st.DataObject
) -> None:
    minutes = data.draw(st.lists(st.integers(0, 3), min_size=len(changes), max_size=len(changes)))
    states = await states_of(changes, [timedelta(minutes=m) + SHORT for m in minutes])
    told, asking = Follower(), Follower()
    told.fetch(states[0])
    asking.fetch(states[0])
    for before, state in pairwise(states):
        assert told.hear(state, state.notice(before.snapshot)) is False
        asking.fetch(state)
        assert told.holds(state)
        for scenario, segment in SCOPES:
            for unit in (None, "ann", "bo"):
                look = partial(Lookups.weights, scenario=scenario, segment=segment, unit=unit)
                assert look(told.lookups) == look(asking.lookups)
    assert told.keeper.snapshot is not None
    assert parse(written(told.keeper.snapshot)).items == asking.keeper.table.items


@given(changes=CHANGES, data=st.data())
@settings(max_examples=100)
async def test_what_is_missed_repeated_or_in_disorder_never_makes_what_the_service_did_not_have(
    changes: list[Activation | Freeze], data: st.DataObject
) -> None:
    states = await states_of(changes, [SHORT] * len(changes))
    numbers = st.integers(0, len(states) - 1)
    client, newest = Follower(), 0
    client.fetch(states[0])
    for number, since, asks in data.draw(st.lists(st.tuples(numbers, numbers, st.booleans()), max_size=12)):
        before = client.keeper.revision or 0
        missing = client.hear(states[number], states[number].notice(states[since].snapshot))
        if missing and asks:
            client.fetch(states[number])
            missing = False
        newest = max(newest, 0 if missing else number)
        assert client.document in {state.snapshot.items for state in states}
        assert client.keeper.etag == etag_of(client.keeper.table.items.values())
        assert (client.keeper.revision or 0) >= before
        assert client.holds(states[newest])
    client.hear(states[-1], states[-1].notice(states[0].snapshot)) and client.fetch(states[-1])
    assert client.holds(states[-1])


def changed(**said: object) -> tuple[dict[str, object], Notice]:
    """A snapshot that is known, and a notice of what comes after."""
    known = document(item(default=1), item(segment="new_user", default=1))
    later = document(item(default=1), item(segment="new_user", default=2), revision=2)
    told = {
        "revision": 2,
        "etag": etag_of(parse(encoded(later)).items.values()),
        "as_of": NOON.isoformat(),
        "stale": False,
        "age_s": 0,
        "every_s": 1,
        "from": "a",
        "items": [later["items"][1]],
    }
    return known, read_notice(encoded(told | said).decode())


def makes(known: dict[str, object], notice: Notice) -> object:
    assert notice.carried is not None
    return continued(parse(encoded(known)).items, notice.carried, notice.etag)


def test_items_take_the_place_of_their_scopes_own() -> None:
    known, notice = changed()
    items = makes(known, notice)
    assert [i.default.version for i in items.values()] == [1, 2]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "items",
    [
        [],
        [item(segment="new_user", default=3)],
        [item(segment="vip", default=2)],
        [item("another", default=2)],
        [item(segment="new_user", default=2), item(default=2)],
        [item(segment="new_user", default=2, activations=[activation(7, start=NOON)])],
        [{"scenario": "home_feed"}],
        [None],
        [7, "home_feed"],
    ],
    ids=str,
)
def test_what_does_not_make_the_announced_snapshot_is_refused(items: list[object]) -> None:
    known, notice = changed(items=items)
    with pytest.raises(SnapshotInvalid):
        makes(known, notice)


@pytest.mark.parametrize("since", [None, "", 7, ["a"]])
def test_a_change_of_nothing_in_particular_is_none(since: object) -> None:
    _, notice = changed(**{"from": since})
    assert notice.carried is None


async def test_a_torn_view_cannot_be_since_all_scopes_change_by_one_assignment() -> None:
    states = await states_of([freeze(ALL)], [SHORT])
    client = Follower()
    client.fetch(states[0])
    before = client.lookups._table
    assert not client.hear(states[1], states[1].notice(states[0].snapshot))
    after = client.lookups._table
    assert after is not before
    assert not any(i.frozen for i in before.items.values())
    assert {k for k, i in after.items.items() if i.frozen} >= set(SCOPES)


async def test_a_change_that_was_put_in_its_place_too_late_is_not_taken() -> None:
    states = await states_of([freeze(NEW), freeze(ALL)], [SHORT, SHORT])
    client = Follower()
    client.fetch(states[0])
    early = Heard(notice=states[1].notice(states[0].snapshot), sent=None, received=client.at)
    prepared = client.keeper.continued(early)
    assert prepared is not None
    client.fetch(states[2])
    assert not client.keeper.take(prepared)
    assert client.holds(states[2])
