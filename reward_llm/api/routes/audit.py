"""The audit log: who did what, and whether it still says so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import StreamingResponse

from reward_llm.api.access.permissions import Caller, Calling, Where, needs
from reward_llm.api.access.scenario_of import number_of
from reward_llm.api.audit_export import ExportFormat, exported
from reward_llm.api.context import Context, Here
from reward_llm.api.openapi import problems
from reward_llm.api.routes.parameters import Cursor, Limit, Name
from reward_llm.api.wire.audit import AuditWire, VerificationWire
from reward_llm.api.wire.base import Listing, MomentIn
from reward_llm.domain.access import Permission
from reward_llm.domain.ports import AuditQuery

router = APIRouter(prefix="/v1/audit", tags=["audit"])

_MAX_SEQUENCE: Final = 2**63 - 1
_OF_NONE: Final = "-"
_MEDIA: Final = {ExportFormat.JSONL: "application/jsonl", ExportFormat.CSV: "text/csv"}
_EXPORTED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {media: {} for media in _MEDIA.values()}, "description": "The records, oldest first."}
}
Sequence = Annotated[int, Path(ge=1, le=_MAX_SEQUENCE)]
Since = Annotated[MomentIn | None, Query(description="From this moment on.")]
Until = Annotated[MomentIn | None, Query(description="Before this moment.")]
Actor = Annotated[str | None, Query(max_length=200)]
Beginning = Annotated[
    str | None, Query(max_length=100, description="What the action begins with, such as `policy.`.")
]
Scenario = Annotated[
    str | None,
    Query(max_length=100, pattern=r"^[\x20-\x7e]*$", description="`-` for what belongs to no scenario."),
]


async def _sought(
    subject: Name = None,
    actor: Actor = None,
    action: Beginning = None,
    request_id: Name = None,
    since: Since = None,
    until: Until = None,
) -> AuditQuery:
    return AuditQuery(subject=subject, actor=actor, action=action, request_id=request_id, since=since, until=until)


Sought = Annotated[AuditQuery, Depends(_sought)]


async def _of_record(request: Request) -> str | None:
    """The scenario that a record belongs to."""
    context: Context = request.app.state.context
    record = await context.services.audit_log.record(number_of(request, "sequence"))
    return record.chain or None


@router.get(
    "",
    summary="Read the audit log",
    response_model=Listing[AuditWire],
    responses=problems(422, 503),
    dependencies=[needs(Permission.AUDIT, Where.LISTED)],
)
async def list_records(
    here: Here, caller: Calling, sought: Sought, scenario: Scenario = None, cursor: Cursor = None, limit: Limit = 50
) -> Listing[AuditWire]:
    """What happened and what one may read, newest first."""
    query = replace(sought, chains=_chains(caller, scenario))
    page = await here.services.audit_log.records(query, cursor=cursor, limit=limit)
    return Listing(items=[AuditWire.of(r) for r in page.items], next_cursor=page.next_cursor)


@router.get(
    "/verification",
    summary="Verify the audit log",
    response_model=VerificationWire,
    responses=problems(503),
    dependencies=[needs(Permission.AUDIT)],
)
async def verify(here: Here) -> VerificationWire:
    """Walk the whole log: every record's hash, its place in both chains, and its signed checkpoints.

    What the records replay to is compared with what the store holds. That is as much work as there are records;
    who asks meanwhile is given the same answer.
    """
    return VerificationWire.of(await here.verification())


@router.get(
    "/export",
    summary="Export the audit log",
    response_class=StreamingResponse,
    responses={**_EXPORTED, **problems(422, 503)},
    dependencies=[needs(Permission.AUDIT)],
)
async def export(
    here: Here,
    written_as: Annotated[
        ExportFormat, Query(alias="format", description="`jsonl` can be verified; `csv` is for people.")
    ] = ExportFormat.JSONL,
    first: Annotated[int, Query(alias="from", ge=1, le=_MAX_SEQUENCE)] = 1,
    last: Annotated[int | None, Query(alias="to", ge=1, le=_MAX_SEQUENCE)] = None,
) -> StreamingResponse:
    """All records up to now, or those from one sequence to another, oldest first.

    `reward-llm audit verify FILE` verifies the lines, without the service.
    """
    log = here.services.audit_log
    end = (await log.head()).sequence
    lines = exported(log, first, end if last is None else min(last, end), written_as)
    name = f'attachment; filename="audit.{written_as.value}"'
    return StreamingResponse(lines, media_type=_MEDIA[written_as], headers={"Content-Disposition": name})


@router.get(
    "/{sequence}",
    summary="Get an audit record",
    response_model=AuditWire,
    responses=problems(404, 422, 503),
    dependencies=[needs(Permission.AUDIT, _of_record)],
)
async def get_record(sequence: Sequence, here: Here) -> AuditWire:
    """One thing that happened."""
    return AuditWire.of(await here.services.audit_log.record(sequence))


def _chains(caller: Caller, scenario: str | None) -> Collection[str] | None:
    """The chains that a list is asked for, None for all."""
    if scenario == _OF_NONE:
        caller.require(None)
        return {""}
    return caller.scenarios(scenario or None)
