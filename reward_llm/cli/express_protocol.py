"""HTTP as `serve` speaks it: what the express can answer never becomes a task, and uvicorn speaks the rest.

bytes ─► a head as before, on an idle connection? ─► the express's answer, written at once
           │ no
         httptools ─► a GET, next in line, on a connection that is kept? ─► the express's answer, written at once
                        │ no, or it has none
                        └─► uvicorn: a task, the application
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from reward_llm.api.lane.encoding import encoded_fields
from reward_llm.api.lane.express import express_of
from reward_llm.api.lane.request import Asked
from reward_llm.cli.http_protocol import LimitedHeads

_TICK_S: Final = 0.002
"""How exactly timers go off."""


class _Common:
    """What uvicorn puts first into every answer, encoded; it makes a new list once a second, for the date."""

    def __init__(self) -> None:
        self._fields: Sequence[tuple[bytes, bytes]] = ()
        self._encoded = b""

    def encoded(self, fields: Sequence[tuple[bytes, bytes]]) -> bytes:
        """The fields, each with its line's end."""
        if fields is not self._fields:
            self._fields, self._encoded = fields, encoded_fields(fields)
        return self._encoded


_common: Final = _Common()


class ExpressProtocol(LimitedHeads):
    """Asks the express first, where an answer at once keeps the order and the pace of the connection."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        is_plain = not (self.access_log or self.root_path or self.limit_concurrency is not None)
        self._express = express_of(self.config.app) if is_plain else None
        self._begun = False
        """Whether a request has begun to arrive and hasn't ended."""
        self._heads_read = 0
        self._answered: Asked | None = None
        """What the request asked for that is arriving, if the express has answered it."""
        self._idle_since_s = 0.0

    def data_received(self, data: bytes) -> None:
        """Answer a head that was read before, or read on."""
        if self._express is None or self._begun or not self._is_next():
            super().data_received(data)
            return
        answer = self._express.again(data, self.client, self._common_fields())
        if answer is not None:
            self._send(answer)
            return
        self._heads_read = 0
        super().data_received(data)
        if self._answered is not None and self._heads_read == 1 and not self._begun:
            self._express.keep(data, self._answered)

    def on_message_begin(self) -> None:
        """Begin a head, perhaps in the same read that ended the request before."""
        self._unset_keepalive_if_required()
        self._begun, self._answered = True, None
        self._heads_read += 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Answer the request, or have it answered."""
        if not self._is_answered():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body, for an answer that waits for it."""
        if self._answered is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._begun = False
        if self._answered is None:
            super().on_message_complete()

    def on_response_complete(self) -> None:
        """End an answer that came through ASGI."""
        self._idle_since_s = self.loop.time()
        super().on_response_complete()

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection, if nothing was answered meanwhile."""
        left_s = self._idle_since_s + self.timeout_keep_alive - self.loop.time()
        if left_s > _TICK_S and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(left_s, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def _is_answered(self) -> bool:
        if self._express is None or not self._is_next() or not self._is_kept():
            return False
        asked = self._express.understood(self.url, self.headers)
        answer = asked and self._express.answer(asked, self.client, self._common_fields())
        if not answer:
            return False
        self._answered = asked
        self._end_head()
        self._send(answer)
        return True

    def _is_next(self) -> bool:
        """Whether no answer before is still on its way, or waits for its reader."""
        is_idle = self.cycle is None or self.cycle.response_complete
        return is_idle and not self.flow.write_paused and not self.transport.is_closing()

    def _is_kept(self) -> bool:
        """Whether it is a GET by HTTP/1.1, after which the connection is kept as it is."""
        parser = self.parser
        return (
            parser.get_method() == b"GET"
            and parser.get_http_version() == "1.1"
            and parser.should_keep_alive()
            and not parser.should_upgrade()
        )

    def _common_fields(self) -> bytes:
        return _common.encoded(self.server_state.default_headers)

    def _send(self, answer: bytes) -> None:
        """Send an answer; the timer that closes idle connections goes on, and looks for itself when it goes off."""
        self.transport.write(answer)
        self.server_state.total_requests += 1
        self._idle_since_s = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )
