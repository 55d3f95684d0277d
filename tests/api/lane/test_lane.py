"""What the lane answers is what the application would have answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_llm.api import ApiConfig
from reward_llm.api.edge.config import EdgeConfig
from reward_llm.api.lane.memo import Memo
from reward_llm.domain.access import AccessMode, Grant, Role
from reward_llm.domain.act import Act
from tests.api.callers import Office, office
from tests.api.harness import EDITED, Clock, Desk, Setup, assert_problem

VIEWER = Grant(role=Role.VIEWER)
HERE = "/v1/weights/home_feed"
PAST_THE_LANE = {"Cookie": "past=the-lane"}


def in_lane(answer: httpx.Response) -> bool:
    """Whether the lane answered: only the application gives a request an id."""
    return "x-request-id" not in answer.headers


def seen(answer: httpx.Response) -> tuple[Any, ...]:
    headers = sorted((k, v) for k, v in answer.headers.items() if k != "x-request-id")
    body = answer.content if answer.is_success else answer.status_code
    return answer.status_code, headers, body


async def asked(desk: Desk, path: str, **headers: str) -> httpx.Response:
    return await desk.client.get(path, headers=headers)


_TEXT = st.text(st.characters(codec="utf-8"), max_size=5) | st.sampled_from(["", "u-17", "a b", "é", "x" * 201])
_UNIT = _TEXT.map(lambda t: f"unit={quote(t)}") | st.sampled_from(["unit=a+b", "unit=%ff", "unit=%", "unit=a&unit=b"])
_PARAMETER = _UNIT | st.sampled_from(
    ["segment=new_user", "segment=mature_user", "segment=", "segment=vip", "un%69t=ann", "x=1", ""]
)
_LOOKUP = st.tuples(
    st.sampled_from(["home_feed", "video_feed", "home%5ffeed", "home_fed", "home_feed/"]),
    st.lists(_PARAMETER, max_size=3),
).map(lambda t: f"/v1/weights/{t[0]}?{'&'.join(t[1])}")
_SNAPSHOT = st.lists(
    st.sampled_from(["scenario=home_feed", "scenario=video_feed", "scenario=no", "unit=a", "scenario=home%5ffeed"]),
    max_size=3,
).map(lambda parts: f"/v1/weights?{'&'.join(parts)}".rstrip("?"))
_KNOWN = st.sampled_from([None, "{0}", "W/{0}", "*", '"other", {0}', '"a,b" , W/{0}, "c"', '"other"', "W/", "", "x*"])
_AT_LEAST = st.sampled_from([None, "0", "1", "2", "-1", "x", "", "007", "99999999999999999999"])


class Stoppable(Clock):
    """A clock that can be stopped, so that answers are of the same moment."""

    stopped = False

    def __call__(self) -> datetime:
        return self.now if self.stopped else super().__call__()


async def test_the_lane_answers_as_the_application_does(setup: Setup) -> None:
    setup.clock = clock = Stoppable()
    async with setup.start() as desk:
        await desk.activate((await desk.edit())["policy_id"])
        await desk.activate((await desk.edit(segment="new_user"))["policy_id"], percent=50)
        loop, answered = asyncio.get_running_loop(), 0
        clock.stopped = True
        await desk.board.refresh()

        async def compare(path: str, known: str | None, at_least: str | None) -> None:
            nonlocal answered
            etag = (await asked(desk, path)).headers.get("etag", '"none"')
            headers = {"If-None-Match": known.format(etag)} if known is not None else {}
            headers |= {"Weights-At-Least": at_least} if at_least is not None else {}
            fast, whole = await asked(desk, path, **headers), await asked(desk, path, **headers, **PAST_THE_LANE)
            assert not in_lane(whole)
            assert seen(fast) == seen(whole)
            answered += in_lane(fast)

        @given(path=_LOOKUP | _SNAPSHOT, known=_KNOWN, at_least=_AT_LEAST)
        @settings(max_examples=150)
        def check(path: str, known: str | None, at_least: str | None) -> None:
            asyncio.run_coroutine_threadsafe(compare(path, known, at_least), loop).result(60)

        await asyncio.to_thread(check)
        assert answered > 20


async def test_a_unit_is_answered_as_its_own_and_takes_no_room(setup: Setup) -> None:
    async with setup.start() as desk:
        await desk.activate((await desk.edit())["policy_id"], percent=30)
        memo: Memo = desk.app.state.context.memo
        first = await asked(desk, f"{HERE}?unit=nobody")
        assert not in_lane(first)
        versions = set()
        for number in range(100):
            answer = await asked(desk, f"{HERE}?unit=user_{number}")
            assert in_lane(answer)
            versions.add(answer.json()["version"])
        assert versions == {0, 1}
        assert len(memo) == 1


async def test_an_activation_is_seen_by_the_next_request(desk: Desk) -> None:
    for path in (HERE, "/v1/weights"):
        await asked(desk, path)
    policy = await desk.edit()
    await desk.activate(policy["policy_id"])
    one, everything = await asked(desk, HERE), await asked(desk, "/v1/weights")
    assert in_lane(one)
    assert in_lane(everything)
    assert one.json()["weights"] == EDITED
    assert everything.json()["items"][0]["policy_id"] == policy["policy_id"]
    assert one.headers["weights-revision"] == everything.headers["weights-revision"] == "1"


async def test_a_window_ends_to_the_moment(desk: Desk) -> None:
    policy = await desk.edit()
    ends = desk.clock() + timedelta(seconds=60)
    await desk.activate(policy["policy_id"], until=ends.isoformat())
    await asked(desk, HERE)
    desk.clock.now = ends - timedelta(milliseconds=1)
    assert (await asked(desk, HERE)).json()["policy_id"] == policy["policy_id"]
    desk.clock.now = ends
    after = await asked(desk, HERE)
    assert in_lane(after)
    assert after.json()["version"] == 0


@pytest.mark.parametrize(
    "unusual",
    [
        {"Cookie": "a=b"},
        {"Origin": "https://elsewhere.test"},
        {"Expect": "100-continue"},
        {"Weights-At-Least": "9"},
        {f"X-{n}": "x" for n in range(40)},
        {"X-Large": "x" * 20_000},
    ],
)
async def test_what_is_unusual_is_left_to_the_application(desk: Desk, unusual: dict[str, str]) -> None:
    await asked(desk, HERE)
    assert in_lane(await asked(desk, HERE))
    assert not in_lane(await asked(desk, HERE, **unusual))


@pytest.mark.parametrize("method", ["HEAD", "POST", "OPTIONS", "DELETE"])
async def test_other_methods_are_left_to_the_application(desk: Desk, method: str) -> None:
    await asked(desk, HERE)
    assert (await desk.client.request(method, HERE)).status_code == 405


async def test_another_host_needs_a_ticket_of_its_own(setup: Setup) -> None:
    config = ApiConfig(edge=EdgeConfig(hosts=frozenset({"test"})))
    async with setup.start(config=config) as desk:
        await asked(desk, HERE)
        assert in_lane(await asked(desk, HERE))
        assert_problem(await asked(desk, HERE, Host="evil.test"), 421, "host_unknown")


@asynccontextmanager
async def guarded(setup: Setup, **limits: int) -> AsyncIterator[Office]:
    async with office(setup, ApiConfig(access=AccessMode.TOKENS, edge=EdgeConfig(**limits))) as at:
        yield at


async def test_a_ticket_is_for_who_got_it(setup: Setup) -> None:
    async with guarded(setup) as at:
        here = await at.token(Grant(role=Role.VIEWER, scenario="home_feed"), name="here")
        elsewhere = await at.token(Grant(role=Role.VIEWER, scenario="video_feed"), name="elsewhere")
        for path in (HERE, "/v1/weights"):
            await at.ask("GET", path, here)
            assert in_lane(await at.ask("GET", path, here))
        assert_problem(await at.ask("GET", HERE), 401, "unauthenticated")
        assert_problem(await at.ask("GET", HERE, elsewhere), 403, "forbidden")
        theirs = await at.ask("GET", "/v1/weights", elsewhere)
        assert {i["scenario"] for i in theirs.json()["items"]} == {"video_feed"}


async def test_a_revoked_token_is_turned_away_within_ten_seconds(setup: Setup) -> None:
    async with guarded(setup) as at:
        token = await at.token(VIEWER)
        await at.ask("GET", HERE, token)
        at.desk.clock.advance(6)
        await at.ask("GET", "/v1/weights", token)
        await at.access.revoke_token(token.token.id, Act(actor="root", at=at.desk.clock()))
        assert in_lane(await at.ask("GET", HERE, token))
        at.desk.clock.advance(4)
        for path in (HERE, "/v1/weights"):
            assert_problem(await at.ask("GET", path, token), 401, "unauthenticated")


async def test_an_expired_token_is_turned_away_to_the_moment(setup: Setup) -> None:
    async with guarded(setup) as at:
        token = await at.token(VIEWER, days=1)
        at.desk.clock.now = token.token.expires_at - timedelta(seconds=1)
        await at.ask("GET", HERE, token)
        assert in_lane(await at.ask("GET", HERE, token))
        at.desk.clock.now = token.token.expires_at
        assert_problem(await at.ask("GET", HERE, token), 401, "unauthenticated")


async def test_one_renewal_renews_all_tickets_of_a_token(setup: Setup) -> None:
    async with guarded(setup) as at:
        token = await at.token(VIEWER)
        for path in (HERE, "/v1/weights"):
            await at.ask("GET", path, token)
        at.desk.clock.advance(11)
        assert not in_lane(await at.ask("GET", HERE, token))
        assert in_lane(await at.ask("GET", "/v1/weights", token))


async def test_who_asks_too_often_is_refused_and_told_what_is_left_before(setup: Setup) -> None:
    async with guarded(setup, weights_per_minute=5) as at:
        token = await at.token(VIEWER)
        answers = [await at.ask("GET", HERE, token) for _ in range(6)]
        assert [in_lane(a) for a in answers] == [False, True, True, True, True, False]
        assert [a.headers["ratelimit"].split(";")[1] for a in answers] == ["r=4", "r=3", "r=2", "r=1", "r=0", "r=0"]
        assert {a.headers["ratelimit-policy"] for a in answers} == {'"weights";q=5;w=60'}
        assert_problem(answers[-1], 429, "rate_limited")
        at.desk.clock.advance(12)
        assert (await at.ask("GET", HERE, token)).status_code == 200


async def test_behind_https_the_lane_says_so_too(setup: Setup) -> None:
    config = ApiConfig(edge=EdgeConfig(public_url="https://feed.example.org"))
    async with setup.start(config=config) as desk:
        whole, fast = await asked(desk, HERE), await asked(desk, HERE)
        assert in_lane(fast)
        assert seen(whole) == seen(fast)
        assert "strict-transport-security" in fast.headers


async def test_what_the_lane_answers_is_counted(desk: Desk) -> None:
    etag = (await asked(desk, HERE)).headers["etag"]
    for _ in range(3):
        await asked(desk, HERE)
    await asked(desk, HERE, **{"If-None-Match": etag})
    metrics = (await desk.client.get("/metrics")).text
    assert 'reward_llm_lookups_total{rule="default",scenario="home_feed"} 5.0' in metrics
    assert 'reward_llm_lane_answers_total{status="200"} 3.0' in metrics
    assert 'reward_llm_lane_answers_total{status="304"} 1.0' in metrics
