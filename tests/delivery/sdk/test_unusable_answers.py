from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta

import pytest

from reward_llm.delivery.sdk import ClientConfig, WeightsClient
from tests.delivery.sdk.documents import document, encoded, item
from tests.delivery.sdk.scripted import Asked, Scripted, response, scripted, until, version

HOUR = timedelta(hours=1)
BODY = encoded(document(revision=9))
ANSWERS = {
    "500": response("500 Internal Server Error", {}, b"oops"),
    "503": response("503 Service Unavailable", {"Retry-After": "0"}),
    "a redirect": response("307 Temporary Redirect", {"Location": "http://127.0.0.1:9/"}),
    "404": response("404 Not Found", {}),
    "200 without a body": response("200 OK", {}),
    "a page": response("200 OK", {"Content-Type": "text/html"}, b"<html>hello</html>"),
    "something else": response("200 OK", {}, b'{"status": "ok"}'),
    "half of it": response("200 OK", {"Content-Length": str(len(BODY))}, BODY[: len(BODY) // 2]),
    "half of it, without saying so": b"HTTP/1.1 200 OK\r\n\r\n" + BODY[: len(BODY) // 2],
    "NaN": response("200 OK", {}, BODY.replace(b"0.009", b"NaN")),
    "squeezed": response("200 OK", {"Content-Encoding": "gzip"}, b"\x1f\x8b" + BODY),
    "too much": b"HTTP/1.1 200 OK\r\n\r\n" + BODY[:-1] + b" " * 300_000,
    "too much, as announced": response("200 OK", {"Content-Length": "9" * 30}, BODY),
    "304 of nothing": response("304 Not Modified", {}),
    "304 without an age": response("304 Not Modified", {"Weights-Revision": "9"}),
    "304 without a moment": response(
        "304 Not Modified",
        {"Weights-Revision": "9", "Weights-Age": "1", "Weights-Stale": "false", "Weights-As-Of": "noon"},
    ),
    "304 from the future": response(
        "304 Not Modified", {"Weights-Revision": "9", "Weights-Age": "-5", "Weights-Stale": "false"}
    ),
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "endless headers": b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 50_000,
}


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_that_cannot_be_used_changes_nothing(what: str) -> None:
    with (
        scripted(streams=False) as service,
        WeightsClient(service.url, poll_s=0.05, max_snapshot_bytes=200_000) as client,
    ):
        assert client.wait_ready(30)
        held = client.weights("home_feed")
        service.answer = lambda _: ANSWERS[what]
        until(lambda: "404 to GET /v1/weights/events" not in (client.health().last_error or "x").split(";")[0])
        asked = len(service.snapshots)
        until(lambda: len(service.snapshots) > asked)
        assert client.weights("home_feed") is held
        assert client.health().revision == 1
        service.answer = None
        service.snapshot = document(revision=10)
        until(lambda: version(client) == 10)


def test_an_answer_that_never_comes_is_given_up() -> None:
    with scripted(streams=False) as service:
        service.answer = lambda _: None
        with WeightsClient(service.url, poll_s=0.05, read_timeout_s=0.2) as client:
            until(lambda: "ReadTimeout" in (client.health().last_error or ""))
            service.answer = None
            assert client.wait_ready(30)


def test_an_answer_that_drips_is_given_up() -> None:
    with scripted(streams=False) as service:
        dripping = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{"
        service.answer = lambda asked: _drip(service, dripping)
        with WeightsClient(service.url, poll_s=0.05, snapshot_timeout_s=0.5, read_timeout_s=60) as client:
            until(lambda: "no whole snapshot within 0.5 s" in (client.health().last_error or ""))


def _drip(service: Scripted, begun: bytes) -> None:
    for writer in service._writers:
        writer.write(begun)


STREAMS = {
    "not a stream": response("200 OK", {"Content-Type": "application/json"}, b"{}"),
    "no JSON": b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: changed\ndata: {\n\n",
    "no notice": b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nevent: changed\ndata: {"a": 1}\n\n',
    "an endless line": b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: " + b"x" * 500_000,
    "too many already": response("503 Service Unavailable", {"Retry-After": "1"}),
    "squeezed": response("200 OK", {"Content-Type": "text/event-stream", "Content-Encoding": "br"}),
    "an end": b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n",
}


@pytest.mark.parametrize("what", STREAMS)
def test_a_stream_that_cannot_be_used_leaves_polling(what: str, service: Scripted) -> None:
    service.greet = lambda _: STREAMS[what]
    with WeightsClient(service.url, poll_s=0.05) as client:
        until(lambda: client.health().last_error is not None)
        service.serve(document(revision=2))
        until(lambda: version(client) == 2)
        assert not client.health().streaming
        service.greet = None
        until(lambda: client.health().streaming)
        until(lambda: client.health().last_error is None)


def test_events_of_later_services_are_passed_over(service: Scripted) -> None:
    with WeightsClient(service.url, poll_s=3600) as client:
        until(lambda: client.health().streaming)
        service.tell("weather", "sunny")
        service.serve(document(revision=2))
        until(lambda: version(client) == 2)
        assert len(service.streamed) == 1


@pytest.mark.parametrize(("status", "meaning"), [("401 Unauthorized", "wants a token"), ("403 Forbidden", "may not")])
def test_a_token_that_is_refused_is_said_clearly(status: str, meaning: str, caplog: pytest.LogCaptureFixture) -> None:
    def guarded(asked: Asked) -> bytes | bool:
        return asked.headers.get("authorization") == "Bearer sesame" and response(status, {}, b"{}")

    with scripted() as service, caplog.at_level(logging.DEBUG):
        service.answer = service.greet = guarded
        with WeightsClient(service.url, token="sesame") as client:
            until(lambda: meaning in (client.health().last_error or ""))
            assert "sesame" not in str(client.health()) + caplog.text + repr(ClientConfig(token="sesame"))


def test_patience_that_is_asked_for_is_given(service: Scripted) -> None:
    service.greet = service.answer = lambda _: response("503 Service Unavailable", {"Retry-After": "60"})
    with WeightsClient(service.url, poll_s=0.05) as client:
        until(lambda: client.health().last_error)
        time.sleep(1.0)
        assert (len(service.snapshots), len(service.streamed)) == (1, 1)


def test_an_older_snapshot_is_refused_and_asked_for_anew(service: Scripted) -> None:
    service.snapshot = document(revision=5)
    with WeightsClient(service.url, poll_s=0.05) as client:
        until(lambda: version(client) == 5)
        older = response("200 OK", {"ETag": '"old"'}, encoded(document(revision=4)))
        service.answer = lambda _: older
        service.serve(document(revision=6))
        until(lambda: client.health().refused_older > 2)
        assert version(client) == 5
        assert service.snapshots[-1].headers["weights-at-least"] == "6"
        service.answer = None
        until(lambda: version(client) == 6)


def test_a_restored_database_is_believed_after_a_while(caplog: pytest.LogCaptureFixture) -> None:
    with (
        scripted(snapshot=document(revision=5)) as service,
        WeightsClient(service.url, poll_s=0.05, accept_older_after_s=1.0) as client,
    ):
        until(lambda: version(client) == 5)
        service.serve(document(revision=2))
        until(lambda: client.health().refused_older > 0)
        assert version(client) == 5
        until(lambda: version(client) == 2)
        assert client.health().revision == 2
        assert "nothing but older answers" in caplog.text
        service.serve(document(revision=3))
        until(lambda: version(client) == 3)


def test_of_one_revision_the_later_answer_counts(service: Scripted) -> None:
    now = datetime.now(UTC)
    service.streams = False
    service.serve(document(item(default=1), revision=5))
    with WeightsClient(service.url, poll_s=0.05) as client:
        until(lambda: version(client) == 1)
        early = encoded(document(item(default=2), revision=5, as_of=now - HOUR))
        service.answer = lambda _: response("200 OK", {"ETag": '"early"'}, early)
        until(lambda: client.health().refused_older > 0)
        assert version(client) == 1
        late = encoded(document(item(default=3), revision=5, as_of=now + HOUR))
        service.answer = lambda _: response("200 OK", {"ETag": '"late"'}, late)
        until(lambda: version(client) == 3)
