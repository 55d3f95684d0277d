"""Real brokers of one's own, on loopback, that can be killed and started again on what they kept."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
from confluent_kafka import Producer

from reward_llm.feedback.intake.streams.kafka import KafkaLink
from reward_llm.feedback.intake.streams.links import Link
from reward_llm.feedback.intake.streams.nats import NatsLink
from reward_llm.feedback.intake.streams.redis import RedisLink

STREAM: Final = "events"
KINDS: Final = ("nats", "redis", "kafka")
_PATIENCE_S: Final = 10.0


@dataclass(slots=True)
class Broker:
    """A broker, and how to connect to it."""

    kind: str
    url: str
    command: list[str] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None

    @property
    def open_link(self) -> Callable[[], Link]:
        links: dict[str, Callable[[], Link]] = {
            "nats": lambda: NatsLink(self.url, stream=STREAM),
            "redis": lambda: RedisLink(self.url, stream=STREAM),
            "kafka": lambda: KafkaLink(self.url, topic=STREAM),
        }
        return links[self.kind]

    def start(self) -> None:
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        host, port = self.url.partition("://")[2].split(":")
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex((host, int(port.partition("/")[0]))) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError(f"{self.command[0]} doesn't listen")

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/bin")
    if found is None:
        if os.environ.get(f"REWARD_LLM_REQUIRE_{name.partition('-')[0].upper()}") == "1":
            pytest.fail(f"there is no {name} here")
        pytest.skip(f"there is no {name} here")
    return found


@contextmanager
def broker(kind: str, folder: Path, port: int) -> Iterator[Broker]:
    """A broker that keeps what it has in the folder; Kafka is the cluster that librdkafka has for tests."""
    if kind == "kafka":
        mock: Any = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "127.0.0.1", "log_level": 0})
        (server,) = mock.list_topics(timeout=_PATIENCE_S).brokers.values()
        yield Broker(kind, f"{server.host}:{server.port}")
        return
    if kind == "nats":
        command = [_program("nats-server"), "-js", "-a", "127.0.0.1", "-p", str(port), "-sd", str(folder)]
        made = Broker(kind, f"nats://127.0.0.1:{port}", command)
    else:
        command = [_program("redis-server"), "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
        made = Broker(
            kind, f"redis://127.0.0.1:{port}/0", [*command, "--appendonly", "yes", "--appendfsync", "always"]
        )
    made.start()
    try:
        yield made
    finally:
        made.kill()
