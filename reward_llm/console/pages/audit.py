"""The audit log: who did what, every value before and after, and whether the log still is what was written."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from reward_llm.console.changes import value_rows
from reward_llm.console.frame import Area
from reward_llm.console.pages.policies import scopes_of
from reward_llm.console.visit import Visit, Visiting

router = APIRouter(prefix="/audit")
AREA = Area(name="audit", router=router, path="/audit", permission="audit")

_SHOWN: Final = 50
_GROUPS: Final = (
    "goal",
    "policy",
    "activation",
    "scope",
    "prompt",
    "token",
    "session",
    "webhook",
    "memory",
    "study",
    "controller",
    "store",
)
"""What actions begin with."""
_FILTERS: Final = ("scenario", "action", "actor", "subject", "request_id")
_TIMES: Final = ("since", "until")
_FORMATS: Final = {"jsonl": "application/jsonl", "csv": "text/csv"}


@router.get("")
async def records(visit: Visiting, cursor: str = "") -> Response:
    """What happened and fits the filters, newest first."""
    query = {name: visit.request.query_params.get(name, "").strip() for name in (*_FILTERS, *_TIMES)}
    times = {name: visit.f.from_input(query[name]) for name in _TIMES}
    listing = await visit.api.get("/v1/audit", **{**query, **times}, cursor=cursor, limit=_SHOWN)
    return visit.page(
        "audit/list.html",
        records=listing["items"],
        next_cursor=listing["next_cursor"],
        query=query,
        is_filtered=any(query.values()),
        groups=_GROUPS,
        names=await scopes_of(visit),
    )


@router.get("/verification")
async def verification(visit: Visiting) -> Response:
    """Whether the log is what was written, and leads to what is stored."""
    return visit.page("audit/verification.html", found=await visit.api.get("/v1/audit/verification"))


@router.get("/export")
async def export(visit: Visiting, file: str = "jsonl") -> Response:
    """The whole log as a file, passed on as it is read."""
    kind = file if file in _FORMATS else "jsonl"
    stream = _exported(visit, kind)
    first = await anext(stream, b"")
    name = f'attachment; filename="audit.{kind}"'
    headers = {"Content-Disposition": name, "Content-Encoding": "identity"}
    return StreamingResponse(_continued(first, stream), media_type=_FORMATS[kind], headers=headers)


@router.get("/{sequence}")
async def record(sequence: int, visit: Visiting) -> Response:
    """One thing that happened, with every value before and after."""
    shown = await visit.api.get(f"/v1/audit/{sequence}")
    return visit.page("audit/record.html", record=shown, changes=value_rows(shown["changes"]))


async def _exported(visit: Visit, kind: str) -> AsyncIterator[bytes]:
    params: dict[str, Any] = {"format": kind}
    async with visit.api.stream("GET", "/v1/audit/export", **params) as answer:
        async for part in answer.aiter_bytes():
            yield part


async def _continued(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The stream with its first part, which was read ahead so that a refusal is still a page."""
    yield first
    async for part in rest:
        yield part
