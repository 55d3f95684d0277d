from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from reward_llm.delivery.webhooks import PublicAddresses, Sender, SenderConfig
from reward_llm.domain.webhooks import Attempt, Consignment, Delivery, DeliveryState
from tests.certificates import server_context
from tests.receivers import Received, answer, receiver
from tests.webhooks import SECRET

NOW = datetime.now(UTC)
DELIVERY = Delivery(
    id="dlv_1",
    webhook_id="whk_1",
    event_id="evt_1",
    action="goal.received",
    state=DeliveryState.PENDING,
    tries=0,
    due_at=NOW,
    created_at=NOW,
)


def consignment(url: str) -> Consignment:
    return Consignment(delivery=DELIVERY, url=url, body='{"id":"evt_1"}', secrets=(SECRET,), lease="l")


async def attempt(to: Consignment, *, resolver: Any = None, tls: Any = None, **config: float) -> Attempt:
    addresses = PublicAddresses(**({"resolver": resolver} if resolver else {}), allow_private=True)
    made = Sender(addresses=addresses, clock=lambda: datetime.now(UTC), config=SenderConfig(**config), tls=tls)
    async with made as sender:
        return await sender.send(to)


async def test_what_is_sent_is_a_signed_cloud_event() -> None:
    async with receiver() as hook:
        made = await attempt(consignment(hook.url))
        (received,) = hook.requests
    assert made.delivered
    assert made.status == 204
    assert received.path == "/hook?from=us"
    assert received.headers["content-type"].startswith("application/cloudevents+json")
    assert received.headers["host"] == f"127.0.0.1:{hook.port}"
    assert Webhook(SECRET).verify(received.body, received.headers) == {"id": "evt_1"}


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
async def test_every_status_but_a_success_is_a_failure(status: int) -> None:
    async with receiver(answer(status)) as hook:
        made = await attempt(consignment(hook.url))
    assert (made.delivered, made.status, made.error) == (False, status, f"answered {status}")


async def test_a_redirection_is_not_followed() -> None:
    async with receiver() as inside:
        async with receiver(answer(307, f"location: {inside.url}")) as hook:
            made = await attempt(consignment(hook.url))
        assert inside.requests == []
    assert made.status == 307
    assert "redirections" in made.error


async def test_a_receiver_that_hangs_is_given_up() -> None:
    async def hang(_: Received) -> bytes:
        await asyncio.Event().wait()
        return b""

    async with receiver(hang) as hook:
        made = await attempt(consignment(hook.url), timeout_s=0.2)
        assert made.status is None
        assert made.error == "no answer within 0.2 s"


async def test_an_endless_answer_is_not_read() -> None:
    async def endless(_: Received) -> bytes:
        return b"HTTP/1.1 200 x\r\ncontent-encoding: gzip\r\ncontent-length: 999999999999\r\n\r\n" + bytes(1_000_000)

    async with receiver(endless) as hook:
        assert (await attempt(consignment(hook.url))).delivered


@pytest.mark.parametrize("garbage", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 200 x\r\nx: " + b"y" * 200_000])
async def test_an_answer_that_is_no_http_is_a_failure(garbage: bytes) -> None:
    async with receiver(garbage) as hook:
        made = await attempt(consignment(hook.url))
    assert not made.delivered
    assert made.error


async def test_nobody_there_is_a_failure(unused_tcp_port: int) -> None:
    made = await attempt(consignment(f"http://127.0.0.1:{unused_tcp_port}/"))
    assert made.error.startswith("ConnectError")


async def test_an_unknown_host_is_a_failure() -> None:
    async def nobody(host: str, port: int) -> Sequence[str]:
        raise OSError("unknown")

    assert (await attempt(consignment("https://hooks.test/"), resolver=nobody)).error == "OSError: unknown"


async def test_a_name_that_points_inside_only_later_reaches_nothing() -> None:
    async with receiver() as inside:
        answers = iter([["9.9.9.9"], ["169.254.169.254"]])

        async def rebound(host: str, port: int) -> Sequence[str]:
            return next(answers)

        await PublicAddresses(rebound).check("https://hooks.test/")
        made = await attempt(consignment(f"https://hooks.test:{inside.port}/"), resolver=rebound)
        assert "aren't sent to" in made.error
        assert inside.requests == []


async def test_the_name_is_looked_up_once_and_the_next_of_its_addresses_tried(unused_tcp_port: int) -> None:
    asked: list[str] = []

    async def lookup(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.2", "127.0.0.1"]

    async with receiver() as hook:
        made = await attempt(consignment(f"http://hooks.test:{hook.port}/"), resolver=lookup)
        assert made.delivered
        assert hook.requests[0].headers["host"] == f"hooks.test:{hook.port}"
    assert asked == ["hooks.test"]


async def test_the_certificate_must_be_the_name_s_although_an_address_is_connected_to(tmp_path: Path) -> None:
    async def lookup(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    server, authority = server_context("hooks.test", tmp_path)
    trusting = ssl.create_default_context(cafile=authority)
    async with receiver(tls=server) as hook:
        fitting = await attempt(consignment(f"https://hooks.test:{hook.port}/"), resolver=lookup, tls=trusting)
        other = await attempt(consignment(f"https://other.test:{hook.port}/"), resolver=lookup, tls=trusting)
        literal = await attempt(consignment(f"https://127.0.0.1:{hook.port}/"), tls=trusting)
        stranger = await attempt(consignment(f"https://hooks.test:{hook.port}/"), resolver=lookup)
        assert fitting.delivered
        assert len(hook.requests) == 1
    assert all("certificate verify failed" in made.error.lower() for made in (other, literal, stranger))


async def test_a_secret_that_cant_be_read_sends_nothing() -> None:
    async with receiver() as hook:
        made = await attempt(replace(consignment(hook.url), secrets=()))
        assert "REWARD_LLM_WEBHOOK_KEY" in made.error
        assert hook.requests == []


@pytest.mark.parametrize(
    ("status", "asked", "low", "high"),
    [
        (429, "120", 120, 120),
        (500, "120", 0, 0),
        (429, "soon", 0, 0),
        (429, "²", 0, 0),
        (429, "Thu, 01 Jan 1970 00:00:00 GMT", 0, 0),
        (429, "9" * 400, 1e8, 1e9),
        (429, "Thu, 01 Jan 2099 00:00:00 +99999999999999999999", 0, 0),
    ],
)
async def test_retry_after_is_understood_where_it_means_something(
    status: int, asked: str, low: float, high: float
) -> None:
    async with receiver(answer(status, f"retry-after: {asked}")) as hook:
        made = await attempt(consignment(hook.url))
    assert low <= made.retry_after_s <= high


async def test_retry_after_may_name_a_moment() -> None:
    moment = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    async with receiver(answer(503, f"retry-after: {moment}")) as hook:
        made = await attempt(consignment(hook.url))
    assert 0 < made.retry_after_s <= 3_600
