from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from reward_llm.delivery.board import Board, BoardConfig
from reward_llm.delivery.hub import Hub, HubConfig
from reward_llm.delivery.snapshot import SnapshotBook
from reward_llm.domain.activation import Activation
from reward_llm.domain.goal import Window
from reward_llm.domain.notices import NoticeKind, WeightsNotice
from reward_llm.domain.ports import Clock, Freeze
from reward_llm.domain.scenario import Scope
from reward_llm.domain.serving import EncodedSnapshot
from reward_llm.errors import TooManySubscribers
from tests.activations import ALL, MATURE, NEW, activation
from tests.delivery.test_board import SCENARIOS, Ledger, Time, freeze
from tests.feeds import until

FOR_EVER = HubConfig(heartbeat_s=3_600)
QUICK = HubConfig(heartbeat_s=0.02)
HEARTBEAT, CHANGED = NoticeKind.HEARTBEAT, NoticeKind.CHANGED
HOME = frozenset({"home_feed"})


def wall_clock() -> datetime:
    return datetime.now(UTC)


class Desk:
    """A hub over a board that is changed by hand."""

    def __init__(self, clock: Clock, config: HubConfig) -> None:
        self.ledger = Ledger()
        self.board = Board(scenarios=SCENARIOS, store=self.ledger, clock=clock, config=BoardConfig())
        self.snapshots = SnapshotBook(self.board)
        self.hub = Hub(board=self.board, snapshots=self.snapshots, clock=clock, config=config)

    async def put(self, *changes: Activation | Freeze) -> None:
        self.ledger.changes += changes
        await self.board.refresh()


@asynccontextmanager
async def desk(clock: Clock, config: HubConfig = FOR_EVER) -> AsyncIterator[Desk]:
    made = Desk(clock, config)
    await made.board.refresh()
    watching = asyncio.create_task(made.hub.run())
    async with asyncio.timeout(30):
        yield made
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


Notices = AsyncIterator[tuple[NoticeKind, WeightsNotice]]


async def until_changed(notices: Notices) -> WeightsNotice:
    async for kind, notice in notices:
        if kind is CHANGED:
            return notice
    raise AssertionError("the notices ended")


async def test_who_subscribes_is_told_at_once_what_holds() -> None:
    time = Time()
    async with desk(time) as made, made.hub.subscribe(None) as subscription:
        kind, notice = await anext(subscription.notices())
        assert kind is HEARTBEAT
        assert notice.etag == (await made.snapshots.snapshot(time())).etag
        assert (notice.revision, notice.as_of, notice.every_s) == (0, time(), FOR_EVER.heartbeat_s)
        assert notice.freshness == made.board.freshness(time())


async def test_a_change_is_told_with_the_entity_tag_that_it_makes() -> None:
    time = Time()
    async with desk(time) as made, made.hub.subscribe(None) as subscription:
        notices = subscription.notices()
        _, first = await anext(notices)
        for number in (1, 2, 3):
            await made.put(activation(number))
            kind, notice = await anext(notices)
            assert (kind, notice.revision) == (CHANGED, number)
            assert notice.etag == (await made.snapshots.snapshot(time())).etag
        await made.put(freeze())
        assert (await anext(notices))[0] is CHANGED
        assert notice.etag != first.etag


async def test_who_does_not_see_a_change_is_not_told_of_it() -> None:
    video = frozenset({"video_feed"})
    async with desk(Time()) as made, AsyncExitStack() as stack:
        groups = {seen: await stack.enter_async_context(made.hub.subscribe(seen)) for seen in (None, HOME, video)}
        told = {seen: subscription.notices() for seen, subscription in groups.items()}
        etags = {seen: (await anext(notices))[1].etag for seen, notices in told.items()}
        assert len(set(etags.values())) == 3
        await made.put(activation(1))
        for seen in (None, HOME):
            assert (await anext(told[seen]))[0] is CHANGED
        assert not groups[video]._news.is_set()


async def test_heartbeats_go_on_while_nothing_changes() -> None:
    async with desk(wall_clock, QUICK) as made, made.hub.subscribe(None) as subscription:
        notices = subscription.notices()
        told = [await anext(notices) for _ in range(5)]
        assert {kind for kind, _ in told} == {HEARTBEAT}
        assert len({notice.etag for _, notice in told}) == 1
        moments = [notice.as_of for _, notice in told]
        assert moments == sorted(set(moments))


async def test_heartbeats_say_how_sure_the_service_is() -> None:
    time = Time()
    async with desk(time, QUICK) as made, made.hub.subscribe(None) as subscription:
        notices = subscription.notices()
        assert not (await anext(notices))[1].freshness.stale
        time.now += timedelta(seconds=60)
        while not (latest := (await anext(notices))[1]).freshness.stale:
            pass
        assert latest.freshness.age_s == 60


async def test_a_window_that_begins_and_ends_is_told_both_times() -> None:
    begins = wall_clock() + timedelta(seconds=0.3)
    ends = begins + timedelta(seconds=0.2)
    window = Window(valid_from=begins, valid_until=ends)
    async with desk(wall_clock) as made, made.hub.subscribe(None) as subscription:
        notices = subscription.notices()
        _, before = await anext(notices)
        made_now = activation(1)
        planned = Activation(
            sequence=1, policy=made_now.policy, window=window, activated_at=wall_clock(), activated_by="li"
        )
        await made.put(planned)
        announced, begun, ended = [await until_changed(notices) for _ in range(3)]
        assert announced.as_of < begins <= begun.as_of < ends <= ended.as_of
        assert ended.etag == before.etag
        assert len({before.etag, announced.etag, begun.etag}) == 3
        assert begun.revision == ended.revision == 1


@pytest.mark.parametrize("minutes", [60, 30 * 24 * 60])
async def test_a_clock_that_is_put_forward_reaches_the_edge(minutes: int) -> None:
    time = Time()
    async with desk(time) as made:
        await made.put(activation(1, NEW, start=minutes))
        async with made.hub.subscribe(None) as subscription:
            notices = subscription.notices()
            _, before = await anext(notices)
            time.now += timedelta(minutes=minutes)
            begun = await until_changed(notices)
            assert begun.etag == await made.snapshots.etag(time()) != before.etag


async def test_a_clock_that_is_put_back_goes_back_over_the_edge() -> None:
    time = Time()
    async with desk(time) as made:
        await made.put(activation(1, start=60))
        async with made.hub.subscribe(None) as subscription:
            notices = subscription.notices()
            _, before = await anext(notices)
            time.now += timedelta(minutes=60)
            begun = await until_changed(notices)
            time.now -= timedelta(minutes=60)
            again = await until_changed(notices)
            assert begun.etag != before.etag == again.etag


async def test_who_is_slow_gets_the_newest_notice_alone_and_holds_up_nobody() -> None:
    async with desk(Time()) as made, made.hub.subscribe(None) as slow, made.hub.subscribe(None) as quick:
        unread, read = slow.notices(), quick.notices()
        await anext(unread)
        await anext(read)
        for number in range(1, 21):
            await made.put(activation(number))
            assert (await anext(read))[1].revision == number
        kind, notice = await anext(unread)
        assert (kind, notice.revision) == (CHANGED, 20)
        assert not slow._news.is_set()


def carried(notice: WeightsNotice) -> dict[tuple[str, str | None], Any]:
    """The items that came with a notice, by their scopes."""
    assert notice.change is not None
    return {(i["scenario"], i["segment"]): i for i in json.loads(b"[" + notice.change.items + b"]")}


async def test_a_change_goes_with_its_notice_and_nothing_else_does() -> None:
    async with desk(Time()) as made, made.hub.subscribe(None) as subscription:
        notices = subscription.notices()
        _, before = await anext(notices)
        assert before.change is None
        await made.put(activation(1, NEW))
        _, notice = await anext(notices)
        assert notice.change is not None
        assert notice.change.since == before.etag
        assert {k: i["version"] for k, i in carried(notice).items()} == {("home_feed", NEW.segment): 1}


async def test_who_is_slow_is_told_all_that_changed_since_its_last_notice() -> None:
    async with desk(Time()) as made, made.hub.subscribe(None) as slow, made.hub.subscribe(None) as quick:
        unread, read = slow.notices(), quick.notices()
        _, first = await anext(unread)
        await anext(read)
        for number, scope in enumerate((NEW, MATURE, NEW), start=1):
            await made.put(activation(number, scope))
            await anext(read)
        _, notice = await anext(unread)
        assert notice.change is not None
        assert notice.change.since == first.etag
        versions = {segment: item["version"] for (_, segment), item in carried(notice).items()}
        assert versions == {NEW.segment: 3, MATURE.segment: 2}


async def test_all_who_were_told_the_same_are_given_one_and_the_same_notice() -> None:
    async with desk(Time()) as made, made.hub.subscribe(None) as one, made.hub.subscribe(None) as other:
        told = [one.notices(), other.notices()]
        for notices in told:
            await anext(notices)
        await made.put(activation(1))
        (_, first), (_, second) = [await anext(notices) for notices in told]
        assert first is second


async def test_who_sees_some_scenarios_is_carried_nothing_of_others() -> None:
    video = frozenset({"video_feed"})
    async with desk(Time()) as made, made.hub.subscribe(video) as narrow, made.hub.subscribe(None) as wide:
        seen, all_of_it = narrow.notices(), wide.notices()
        await anext(seen)
        await anext(all_of_it)
        await made.put(activation(1), freeze(Scope("video_feed")))
        assert {scenario for scenario, _ in carried((await anext(seen))[1])} == {"video_feed"}
        assert {scenario for scenario, _ in carried((await anext(all_of_it))[1])} == {"home_feed", "video_feed"}


async def test_a_change_that_is_too_large_stays_at_home() -> None:
    small = HubConfig(heartbeat_s=3_600, carried_bytes=100)
    async with desk(Time(), small) as made, made.hub.subscribe(None) as subscription:
        notices = subscription.notices()
        await anext(notices)
        await made.put(activation(1))
        kind, notice = await anext(notices)
        assert (kind, notice.revision, notice.change) == (CHANGED, 1, None)


async def test_what_changed_and_changed_back_unseen_is_no_change() -> None:
    time = Time()
    async with desk(time) as made, made.hub.subscribe(None) as subscription, made.hub.subscribe(None) as watching:
        notices, watched = subscription.notices(), watching.notices()
        _, first = await anext(notices)
        await anext(watched)
        for change in (freeze(), freeze(frozen=False)):
            await made.put(change)
            await until_changed(watched)
        kind, notice = await anext(notices)
        assert (kind, notice.etag, notice.revision) == (HEARTBEAT, first.etag, 2)


async def test_there_are_no_more_subscribers_than_may_be() -> None:
    async with desk(Time(), HubConfig(max_subscribers=2)) as made, AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(made.hub.subscribe(None))
        with pytest.raises(TooManySubscribers) as refused:
            await stack.enter_async_context(made.hub.subscribe(HOME))
        assert refused.value.retryable
        assert made.hub.subscribers == 2
        await stack.aclose()
        assert made.hub.subscribers == 0
        assert not made.hub._groups
        async with made.hub.subscribe(HOME):
            assert made.hub.subscribers == 1


async def test_a_subscription_that_is_ended_is_over() -> None:
    async with desk(Time()) as made, made.hub.subscribe(None) as subscription:
        subscription.end()
        assert [notice async for notice in subscription.notices()] == []


async def test_a_hub_goes_on_after_a_look_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk(Time(), QUICK) as made, made.hub.subscribe(None) as subscription:
        notices = subscription.notices()
        await anext(notices)
        asked, working = [], made.snapshots.snapshot

        async def failing(now: datetime, scenarios: frozenset[str] | None = None) -> EncodedSnapshot:
            asked.append(now)
            raise RuntimeError("by hand")

        monkeypatch.setattr(made.snapshots, "snapshot", failing)
        await until(lambda: len(asked) >= 3)
        monkeypatch.setattr(made.snapshots, "snapshot", working)
        await made.put(activation(1, ALL))
        assert (await until_changed(notices)).revision == 1
