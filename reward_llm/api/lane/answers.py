"""Answers about weights, as the lane and the application both give them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, NamedTuple

from fastapi import Response
from starlette.types import Receive, Scope, Send

from reward_llm.api.headers import is_known
from reward_llm.domain.serving import EncodedSnapshot, Freshness, ServedWeights

Fields = list[tuple[bytes, bytes]]
STALE: Final = {True: b"true", False: b"false"}
"""As header fields and JSON both have it."""
_JSON: Final = (b"content-type", b"application/json")
_ALWAYS_ASK: Final = (b"cache-control", b"no-cache")


class Answer(NamedTuple):
    """A status, header fields, and the parts of a body; a snapshot is too large to be copied into one."""

    status: int
    fields: Fields
    parts: tuple[bytes, ...]

    async def send(self, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.fields})
        for part in self.parts[:-1]:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": self.parts[-1]})


class AnswerResponse(Response):
    """An answer as the application gives it."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(status_code=answer.status)
        self.raw_headers = answer.fields
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await self._answer.send(send)


def weights_answer(served: ServedWeights, revision: int, if_none_match: bytes | None) -> Answer:
    """The weights of a scope, or that the client has them."""
    freshness = served.freshness
    age, stale = b"%.3f" % freshness.age_s, STALE[freshness.stale]
    fields = _fields(served.etag, age, stale, revision)
    if if_none_match is not None and is_known(served.etag, if_none_match):
        return Answer(304, fields, (b"",))
    body = b'%b,"stale":%b,"age_s":%b}' % (served.content[:-1], stale, age)
    fields += ((b"content-length", b"%d" % len(body)), _JSON)
    return Answer(200, fields, (body,))


def snapshot_answer(
    snapshot: EncodedSnapshot, as_of: datetime, freshness: Freshness, if_none_match: bytes | None
) -> Answer:
    """All weights, or that the client has them."""
    age, stale = b"%.3f" % freshness.age_s, STALE[freshness.stale]
    at = as_of.astimezone(UTC).isoformat().replace("+00:00", "Z").encode("ascii")
    fields = [*_fields(snapshot.etag, age, stale, snapshot.revision), (b"weights-as-of", at)]
    if if_none_match is not None and is_known(snapshot.etag, if_none_match):
        return Answer(304, fields, (b"",))
    head = b'{"revision":%d,"as_of":"%b","stale":%b,"age_s":%b,"items":[' % (snapshot.revision, at, stale, age)
    parts = (head, snapshot.items, b"]}")
    fields += ((b"content-length", b"%d" % sum(map(len, parts))), _JSON)
    return Answer(200, fields, parts)


def _fields(etag: str, age: bytes, stale: bytes, revision: int) -> Fields:
    return [
        (b"etag", b'"%b"' % etag.encode("ascii")),
        _ALWAYS_ASK,
        (b"weights-age", age),
        (b"weights-stale", stale),
        (b"weights-revision", b"%d" % revision),
    ]
