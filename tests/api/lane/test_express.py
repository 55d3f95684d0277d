"""The express answers byte for byte as uvicorn and the application behind it do."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from reward_llm.api import ApiConfig
from reward_llm.api.edge.config import EdgeConfig
from reward_llm.cli.express_protocol import ExpressProtocol
from reward_llm.cli.http_protocol import LimitedHeads
from reward_llm.domain.access import AccessMode, Grant, Role
from reward_llm.domain.act import Act
from tests.api.callers import office
from tests.api.harness import EDITED, Clock, Desk, Setup
from tests.api.lane.sockets import Door, get, listening

HERE = "/v1/weights/home_feed"
DATED = [(b"date", b"Thu, 18 Jun 2026 12:00:00 GMT"), (b"server", b"x")]
LAST = get("/v1/weights/no_such_feed", "Host: test", "Connection: close")


class Stoppable(Clock):
    """A clock that can be stopped, so that answers are of the same moment."""

    stopped = False

    def __call__(self) -> datetime:
        return self.now if self.stopped else super().__call__()


def dated() -> ServerState:
    state = ServerState()
    state.default_headers = list(DATED)
    return state


_UNITS = st.sampled_from(["u-17", "a+b", "%C3%A9", "", "%", "x" * 200, "x" * 201, "a&unit=b", "a=b", "~._-"])
_PARAMETERS = _UNITS.map(lambda u: f"unit={u}") | st.sampled_from(
    ["segment=new_user", "segment=mature_user", "segment=", "segment=vip", "un%69t=ann", "x=1", "", "segment=unit=a"]
)
_LOOKUPS = st.tuples(
    st.sampled_from([HERE] * 3 + ["/v1/weights/video_feed", "/v1/weights/home%5ffeed", "/v1/weights/home_feed/"]),
    st.lists(_PARAMETERS, max_size=3),
).map(lambda t: f"{t[0]}?{'&'.join(t[1])}" if t[1] else t[0])
_PATHS = _LOOKUPS | st.sampled_from(
    [
        "/v1/weights",
        "/v1/weights?scenario=home_feed",
        "/v1/weights?",
        "/v1/weights?scenario=no",
        "/v1/weights/unit=a",
        "/v1%2fweights/home_feed",
        f"{HERE}#top",
        f"{HERE}?unit=a#top",
        f"http://test{HERE}",
        "/livez",
        "/v1/no",
    ]
)
_FIELDS = st.sampled_from(
    [
        "If-None-Match: {0}",
        "if-none-match: W/{0}",
        "If-None-Match: *",
        'IF-NONE-MATCH: "other", {0}',
        "If-None-Match:",
        "Weights-At-Least: 2",
        "Weights-At-Least: x",
        "Weights-At-Least: -1",
        "Weights-At-Least: 007",
        "Authorization: Bearer what",
        "Host: other",
        "Cookie: a=b",
        "Origin: https://else.test",
        "Content-Length: 0",
        "Connection: keep-alive",
        "Connection: upgrade",
        "X-Forwarded-For: 1.2.3.4",
        "X-Forwarded-Proto: https",
        "traceparent: unit=u-17",
        "Range: bytes=0-3",
        "X-Long: " + "x" * 2_100,
    ]
)
_MIDST = st.builds(
    lambda path, fields, method: (path, ["Host: test", *fields], method, "1.1"),
    _PATHS,
    st.lists(_FIELDS, max_size=3, unique=True),
    st.sampled_from(["GET"] * 6 + ["HEAD", "OPTIONS"]),
)
_END = st.builds(
    lambda path, closing: (path, ["Host: test", *closing[0]], "GET", closing[1]),
    _PATHS,
    st.sampled_from([(["Connection: close"], "1.1"), ([], "1.0"), (["connection: Close, x"], "1.1")]),
)
_CONVERSATIONS = st.tuples(st.lists(_MIDST, min_size=1, max_size=4), _END).map(lambda t: [*t[0], t[1]])


async def test_every_conversation_is_answered_as_through_asgi(setup: Setup) -> None:
    setup.clock = clock = Stoppable()
    async with (
        setup.start() as desk,
        listening(desk.app, LimitedHeads, dated()) as asgi,
        listening(desk.app, ExpressProtocol, dated()) as express,
    ):
        await desk.activate((await desk.edit())["policy_id"])
        await desk.activate((await desk.edit(segment="new_user"))["policy_id"], percent=50)
        loop, asked, clock.stopped = asyncio.get_running_loop(), 0, True
        await desk.board.refresh()
        etag = (await desk.client.get(HERE)).headers["etag"]

        async def compare(requests: list[tuple[str, list[str], str, str]], cuts: list[int]) -> None:
            nonlocal asked
            whole = b"".join(
                get(path, *(f.format(etag) for f in fields), method=method, version=version)
                for path, fields, method, version in requests
            )
            edges = sorted({0, len(whole), *(c % len(whole) for c in cuts)})
            parts = [whole[a:b] for a, b in pairwise(edges)]
            await asgi.talk(parts)
            reference = await asgi.talk(parts)
            for _ in range(2):
                assert await express.talk(parts) == reference
                asked += len(requests)

        @given(requests=_CONVERSATIONS, cuts=st.lists(st.integers(0, 10_000), max_size=3))
        @settings(max_examples=150)
        def check(requests: list[tuple[str, list[str], str, str]], cuts: list[int]) -> None:
            asyncio.run_coroutine_threadsafe(compare(requests, cuts), loop).result(60)

        await asyncio.to_thread(check)
        before, asked = express.app.requests, 0
        await compare([(HERE, ["Host: test"], "GET", "1.1")] * 4 + [(HERE, ["Connection: close"], "GET", "1.1")], [])
        assert (express.app.requests - before, asked) == (2, 10), "all but those that close go before ASGI"


@pytest.mark.parametrize("query", ["", "?segment=new_user", "?unit=u", "?segment=mature_user&unit=a%20b"])
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("stale", [False, True])
async def test_one_request_after_another_is_answered_as_through_asgi(
    setup: Setup, query: str, known: bool, stale: bool
) -> None:
    setup.clock = clock = Stoppable()
    config = ApiConfig(edge=EdgeConfig(public_url="https://feed.example.org"))
    async with (
        setup.start(config=config) as desk,
        listening(desk.app, LimitedHeads, dated()) as asgi,
        listening(desk.app, ExpressProtocol, dated()) as express,
    ):
        await desk.activate((await desk.edit())["policy_id"], percent=50)
        etag = (await desk.client.get(HERE + query)).headers["etag"]
        clock.stopped = True
        if stale:
            setup.take_the_store_away()
            clock.advance(11.2345)
        request = get(HERE + query, "Host: test", *([f"If-None-Match: {etag}"] if known else []))
        slow, quick = await asgi.connected(), await express.connected()
        await slow.ask(request)
        before = express.app.requests
        answers = [await quick.ask(request) for _ in range(4)]
        assert set(answers) == {await slow.ask(request)}
        assert express.app.requests == before
        assert answers[0].startswith(b"HTTP/1.1 304" if known else b"HTTP/1.1 200")
        assert (b"\r\nweights-stale: true" in answers[0]) is stale
        assert b"strict-transport-security" in answers[0]
        await slow.aclose()
        await quick.aclose()
        if stale:
            setup.bring_the_store_back()


async def test_a_unit_is_answered_as_its_own(desk: Desk) -> None:
    await desk.activate((await desk.edit())["policy_id"], percent=30)
    async with listening(desk.app, LimitedHeads) as asgi, listening(desk.app, ExpressProtocol) as express:
        slow, quick = await asgi.connected(), await express.connected()
        await quick.ask(get(f"{HERE}?unit=nobody"))
        versions = set()
        for number in range(100):
            request = get(
                f"{HERE}?segment=&unit=user_{number}" if number % 3 else f"{HERE}?unit=user_{number}&segment="
            )
            theirs, ours = await slow.ask(request), await quick.ask(request)
            etags = [re.search(rb'etag: "(\w+)"', a) for a in (theirs, ours)]
            assert etags[0] is not None
            assert etags[1] is not None
            assert etags[0][1] == etags[1][1]
            versions.add(etags[0][1])
        assert len(versions) == 2
        assert express.app.requests == 1
        await slow.aclose()
        await quick.aclose()


async def test_an_activation_is_seen_by_the_next_request(desk: Desk) -> None:
    async with listening(desk.app, ExpressProtocol) as express:
        connection = await express.connected()
        for _ in range(2):
            await connection.ask(get(HERE))
            await connection.ask(get("/v1/weights"))
        reached = express.app.requests
        policy = await desk.edit()
        await desk.activate(policy["policy_id"])
        one, everything = await connection.ask(get(HERE)), await connection.ask(get("/v1/weights"))
        assert express.app.requests == reached
        assert f'"gmv":{EDITED["gmv"]}'.encode() in one
        assert policy["policy_id"].encode() in everything
        await connection.aclose()


async def test_what_is_answered_is_counted(desk: Desk) -> None:
    async with listening(desk.app, ExpressProtocol) as express:
        connection = await express.connected()
        etag = re.search(rb'"\w+"', await connection.ask(get(HERE)))
        assert etag
        for _ in range(3):
            await connection.ask(get(HERE))
        await connection.ask(get(HERE, "Host: test", f"If-None-Match: {etag[0].decode()}"))
        metrics = (await desk.client.get("/metrics")).text
        assert 'reward_llm_lookups_total{rule="default",scenario="home_feed"} 5.0' in metrics
        assert 'reward_llm_lane_answers_total{status="200"} 3.0' in metrics
        assert 'reward_llm_lane_answers_total{status="304"} 1.0' in metrics
        assert express.app.requests == 1
        await connection.aclose()


def status(answer: bytes) -> int:
    return int(answer[9:12])


async def test_limits_count_every_way_alike(setup: Setup) -> None:
    config = ApiConfig(access=AccessMode.TOKENS, edge=EdgeConfig(weights_per_minute=6))
    async with (
        office(setup, config) as at,
        listening(at.desk.app, LimitedHeads) as asgi,
        listening(at.desk.app, ExpressProtocol) as express,
    ):
        token = await at.token(Grant(role=Role.VIEWER))
        request = get(HERE, "Host: test", f"Authorization: Bearer {token.text}")
        slow, quick = await asgi.connected(), await express.connected()
        answers = [await way.ask(request) for way in (quick, quick, slow, quick, slow, quick, quick, slow)]
        left = [re.search(rb'\r\nratelimit: "weights";r=(\d+);', a) for a in answers]
        assert [int(m[1]) for m in left if m] == [5, 4, 3, 2, 1, 0, 0, 0]
        assert [status(a) for a in answers] == [200] * 6 + [429] * 2
        at.desk.clock.advance(10)
        assert [status(await quick.ask(request)) for _ in range(2)] == [200, 429]
        await slow.aclose()
        await quick.aclose()


async def test_a_forwarded_address_is_counted_as_the_server_in_front_of_asgi_has_it(setup: Setup) -> None:
    config = ApiConfig(edge=EdgeConfig(weights_per_minute=3))
    async with setup.start(config=config) as desk, listening(desk.app, ExpressProtocol) as express:
        connection = await express.connected()
        for address in ("1.2.3.4", "5.6.7.8"):
            request = get(HERE, "Host: test", f"X-Forwarded-For: {address}")
            assert [status(await connection.ask(request)) for _ in range(4)] == [200, 200, 200, 429]
        assert status(await connection.ask(get(HERE))) == 200
        await connection.aclose()


async def test_a_forwarded_address_costs_nothing_where_it_does_not_matter(desk: Desk) -> None:
    async with listening(desk.app, ExpressProtocol) as express:
        connection = await express.connected()
        for number in range(5):
            await connection.ask(get(HERE, "Host: test", f"X-Forwarded-For: 1.2.3.{number}"))
        assert express.app.requests == 1
        await connection.aclose()


async def refusals(door: Door, request: bytes) -> list[int]:
    """The status of a request on a new connection and on one that had it answered before."""
    connection = await door.connected()
    found = [status(await connection.ask(request)) for _ in range(2)]
    await connection.aclose()
    return found


async def test_a_token_is_taken_at_its_word_for_as_long_as_through_asgi(setup: Setup) -> None:
    async with (
        office(setup, ApiConfig(access=AccessMode.TOKENS)) as at,
        listening(at.desk.app, ExpressProtocol) as express,
    ):
        here = await at.token(Grant(role=Role.VIEWER, scenario="home_feed"), name="here")
        elsewhere = await at.token(Grant(role=Role.VIEWER, scenario="video_feed"), name="elsewhere")
        asked = {t.text: get(HERE, "Host: test", f"Authorization: Bearer {t.text}") for t in (here, elsewhere)}
        assert await refusals(express, asked[here.text]) == [200, 200]
        assert await refusals(express, asked[elsewhere.text]) == [403, 403]
        assert await refusals(express, get(HERE)) == [401, 401]
        await at.access.revoke_token(here.token.id, Act(actor="root", at=at.desk.clock()))
        assert await refusals(express, asked[here.text]) == [200, 200]
        at.desk.clock.advance(10)
        assert await refusals(express, asked[here.text]) == [401, 401]


async def test_a_window_ends_to_the_moment(desk: Desk) -> None:
    policy = await desk.edit()
    ends = desk.clock() + timedelta(seconds=60)
    await desk.activate(policy["policy_id"], until=ends.isoformat())
    async with listening(desk.app, ExpressProtocol) as express:
        connection = await express.connected()
        for _ in range(2):
            await connection.ask(get(HERE))
        desk.clock.now = ends - timedelta(milliseconds=1)
        assert policy["policy_id"].encode() in await connection.ask(get(HERE))
        desk.clock.now = ends
        assert b'"version":0,' in await connection.ask(get(HERE))
        assert express.app.requests == 1
        await connection.aclose()


async def test_another_host_is_still_refused(setup: Setup) -> None:
    config = ApiConfig(edge=EdgeConfig(hosts=frozenset({"test"})))
    async with setup.start(config=config) as desk, listening(desk.app, ExpressProtocol) as express:
        assert await refusals(express, get(HERE)) == [200, 200]
        assert await refusals(express, get(HERE, "Host: evil.test")) == [421, 421]
