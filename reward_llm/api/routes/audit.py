"""The audit log: who did what."""

from __future__ import annotations

from fastapi import APIRouter

from reward_llm.api.context import Here
from reward_llm.api.openapi import problems
from reward_llm.api.routes.parameters import Limit, Name
from reward_llm.api.wire.audit import AuditWire
from reward_llm.api.wire.base import Listing

router = APIRouter(prefix="/v1/audit", tags=["audit"])


@router.get("", summary="Read the audit log", response_model=Listing[AuditWire], responses=problems(422, 503))
async def list_records(here: Here, subject: Name = None, limit: Limit = 50) -> Listing[AuditWire]:
    """What happened, newest first; of one goal or policy if `subject` names it."""
    records = await here.services.store.audit(subject=subject, limit=limit)
    return Listing(items=[AuditWire.of(r) for r in records])
