"""Whatever the network does, a client goes on with what it has, says how old that is, and recovers by itself."""

from __future__ import annotations

import re

import pytest

from tests.faults import http_answer
from tests.live.delivery.following import BEATS, followed, until
from tests.network import FaultyProxy
from tests.service import service

JSON = "content-type: application/json"
EVENTS = "content-type: text/event-stream"
FAULTS = {
    "refuses connections": {"refuse": True},
    "takes connections and says nothing": {"silent": True},
    "answers 500": {"answer": http_answer(500, b"oh")},
    "answers 503 and asks for patience": {"answer": http_answer(503, b"{}", "retry-after: 1")},
    "redirects": {"answer": http_answer(302, b"", "location: http://127.0.0.1:9/")},
    "hangs up": {"answer": b""},
    "answers what isn't HTTP": {"answer": b"\0\1\2\3 nonsense\r\n\r\n"},
    "answers with a page": {"answer": http_answer(200, b"<html>Sign in</html>", "content-type: text/html")},
    "answers with JSON that isn't a snapshot": {"answer": http_answer(200, b'{"items": 7}', JSON, 'etag: "x"')},
    "answers with an empty snapshot of long ago": {
        "answer": http_answer(
            200,
            b'{"revision":0,"as_of":"2020-01-01T00:00:00Z","stale":false,"age_s":0,"items":[]}',
            JSON,
            'etag: "x"',
        )
    },
    "says in a stream what isn't a notice": {"answer": http_answer(200, b"event: changed\ndata: {\n\n", EVENTS)},
    "answers half": {"truncate_after": 300},
    "answers numbers that aren't": {"rewrite": lambda data: re.sub(rb"0\.\d+", b"NaN", data)},
    "compresses what wasn't to be": {
        "answer": http_answer(200, b"\x1f\x8b\x08", JSON, "content-encoding: gzip"),
    },
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_weights_go_on_and_say_that_they_are_stale_while_the_network(client, faults):
    old = client.served
    with client.proxy.suffering(**faults):
        client.proxy.reset()
        new = client.change()
        client.goes_stale_with(old)
        client.says_what_is_wrong()
    client.gets(new)
    client.streams()


def test_a_half_open_connection_is_noticed_and_another_made(client):
    before = len(client.proxy.connections)
    client.proxy.freeze()
    new = client.change()
    client.gets(new)
    client.streams()
    assert len(client.proxy.connections) > before


def test_a_stream_that_falls_silent_is_given_up_and_the_weights_are_polled(client):
    events = b"/v1/weights/events"
    with client.proxy.suffering(rewrite=lambda data: b"" if b"event: " in data else data):
        new = client.change()
        client.gets(new)
        until(lambda: not client.client.health().streaming, client.client.health)
        assert client.served == new
    client.streams()
    assert any(events.decode() in r.target for r in client.proxy.requests)


@pytest.mark.parametrize("end", ["reset", "cut"])
def test_connections_that_end_are_made_anew(client, end):
    for _ in range(3):
        getattr(client.proxy, end)()
        client.gets(client.change())
    client.streams()


def test_on_a_slow_network_weights_are_late_but_whole(client):
    with client.proxy.suffering(bytes_per_s=20_000.0, latency_s=0.1):
        for _ in range(3):
            client.gets(client.change())


def test_the_service_is_killed_and_comes_back(tmp_path, unused_tcp_port):
    with (
        FaultyProxy(unused_tcp_port) as proxy,
        service(tmp_path, unused_tcp_port, **BEATS) as running,
        followed(proxy, running.http) as client,
    ):
        old = client.served
        running.kill()
        client.goes_stale_with(old)
        with service(tmp_path, unused_tcp_port, **BEATS):
            client.gets(old)
            client.gets(client.change())
            client.streams()


def test_a_service_that_stops_lets_its_streams_go_at_once(tmp_path, unused_tcp_port):
    with (
        FaultyProxy(unused_tcp_port) as proxy,
        service(tmp_path, unused_tcp_port, **BEATS) as running,
        followed(proxy, running.http) as client,
    ):
        running.process.terminate()
        running.process.wait(60)
        assert "timeout graceful shutdown exceeded" not in running.log.read_text("utf-8")
        client.goes_stale_with(client.served)
