"""People's work on controllers: proposed, granted, paused, resumed and ended."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Final

from reward_llm.api.context import Context
from reward_llm.api.controller_plans import planned
from reward_llm.api.controller_starts import base_of, in_force, records_of, start_again, started
from reward_llm.api.standings import admission
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.controllers import (
    ControllerApproval,
    ControllerReason,
    ControllerRequest,
    ControllerSummaryWire,
    ControllerWire,
)
from reward_llm.api.writes import Write
from reward_llm.domain.act import Act
from reward_llm.domain.control import (
    Approval,
    Controller,
    ControllerState,
)
from reward_llm.domain.control_documents import content_hash, controller_document, controller_of
from reward_llm.domain.control_grant import is_granted, requirement_of
from reward_llm.domain.loop import LoopKind, LoopRecord
from reward_llm.domain.ports import Page
from reward_llm.domain.scenario import Scope
from reward_llm.errors import (
    ContentHashMismatch,
    ControllerNotReady,
    SelfApprovalForbidden,
)


async def create(here: Context, sent: ControllerRequest, write: Write) -> LoopRecord:
    """Propose a controller on the policy in force; it runs at once if no approvals are needed.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SegmentUnknown: If the scenario has no such segment.
        ControllerInvalid: If it can't be run as it is asked for.
        GateRefused: If an end of its envelope doesn't pass the gate over the base.
        WeightsInvalid: If the others' bounds don't leave room for an end.
        Conflict: If nothing people made is in force there, or another controller has the scope.
        IdempotencyConflict: If the key came with another request before.
        StoreUnavailable: If it can't be put on record.
    """
    services, records = here.services, records_of(here)
    scope, scenario = Scope(sent.scenario, sent.segment), find_scenario(services.scenarios, sent.scenario)
    scenario.check_segment(sent.segment)
    act = write.because(sent.reason)
    if made := await records.made_by(LoopKind.CONTROLLER, write.claim):
        return made
    plan = planned(sent, scenario)
    base = base_of(await in_force(services, scope, act), plan, sent.base_policy)
    needed = requirement_of(plan, base, admission(services, sent.scenario))
    controller = Controller(
        name=sent.name,
        plan=plan,
        base=base,
        needed=needed.approvals,
        self_approval=needed.self_approval,
        reasons=needed.reasons,
    )
    state = ControllerState.PROPOSED
    if not needed.approvals:
        controller, state = started(controller, base.policy_id, base.weights[plan.utility], act), _RUNNING
    document = controller_document(controller)
    kind = LoopKind.CONTROLLER
    return await records.create(kind, scope, state, document, act, write.claim, over=base.policy_id)


async def approve(here: Context, controller_id: str, write: Write) -> LoopRecord:
    """Approve of exactly what has the content hash; with the last approval that is needed it starts.

    Raises:
        LoopRecordUnknown: If there is no such controller.
        Conflict: If it isn't proposed, has another hash, is the approver's own, or its base isn't in force.
        PreconditionFailed: If somebody changes it meanwhile.
        IdempotencyConflict: If the key came with another request before.
        StoreUnavailable: If it can't be put on record.
    """
    sent = write.sent(ControllerApproval)
    if known := await _done_before(here, write, "approved"):
        return known
    act, record = write.saying(sent.comment), await found(here, controller_id)
    controller = controller_of(record.document)
    _check_state(record, ControllerState.PROPOSED)
    _check_approval(record, controller, sent.content_hash, act)
    approval = Approval(actor=act.actor, at=act.at, content_hash=sent.content_hash, comment=act.reason)
    controller = replace(controller, approvals=(*controller.approvals, approval))
    state = ControllerState.PROPOSED
    if is_granted(controller, record.created_by):
        controller, state = await start_again(here, record, controller, act), _RUNNING
    return await _changed(here, record, "approved", replace(write, act=act), state, controller)


async def pause(here: Context, controller_id: str, write: Write) -> LoopRecord:
    """Have it leave the weight as it is until it is resumed.

    Raises:
        LoopRecordUnknown: If there is no such controller.
        ControllerNotReady: If it doesn't run.
        IdempotencyConflict: If the key came with another request before.
        PreconditionFailed: If somebody changes it meanwhile.
    """
    act = write.because(write.sent(ControllerReason).reason)
    if known := await _done_before(here, write, "paused"):
        return known
    record = await found(here, controller_id)
    _check_state(record, _RUNNING)
    controller = replace(controller_of(record.document), note=act.reason)
    return await _changed(here, record, "paused", replace(write, act=act), ControllerState.PAUSED, controller)


async def resume(here: Context, controller_id: str, write: Write) -> LoopRecord:
    """Go on, from the weight in force.

    Raises:
        LoopRecordUnknown: If there is no such controller.
        Conflict: If it isn't paused or overtaken, or neither its base nor a move of its own is in force.
        IdempotencyConflict: If the key came with another request before.
        PreconditionFailed: If somebody changes it meanwhile.
    """
    act = write.because(write.sent(ControllerReason).reason)
    if known := await _done_before(here, write, "resumed"):
        return known
    record = await found(here, controller_id)
    _check_state(record, ControllerState.PAUSED, ControllerState.OVERTAKEN)
    controller = await start_again(here, record, controller_of(record.document), act)
    return await _changed(here, record, "resumed", replace(write, act=act), _RUNNING, controller)


async def end(here: Context, controller_id: str, write: Write) -> LoopRecord:
    """End it for good; the weights in force stay until somebody puts others into force or rolls back.

    Raises:
        LoopRecordUnknown: If there is no such controller.
        ControllerNotReady: If it has ended.
        IdempotencyConflict: If the key came with another request before.
        PreconditionFailed: If somebody changes it meanwhile.
    """
    act = write.because(write.sent(ControllerReason).reason)
    if known := await _done_before(here, write, "ended"):
        return known
    record = await found(here, controller_id)
    _check_state(record, *(s for s in ControllerState if s is not ControllerState.ENDED))
    controller = replace(controller_of(record.document), note=act.reason)
    return await _changed(here, record, "ended", replace(write, act=act), ControllerState.ENDED, controller)


async def listed(
    here: Context, scenarios: Collection[str] | None, state: ControllerState | None, cursor: str | None, limit: int
) -> Page[ControllerSummaryWire]:
    """Controllers of the scenarios, newest first."""
    states = None if state is None else {state.value}
    page = await records_of(here).records(
        LoopKind.CONTROLLER, scenarios=scenarios, states=states, cursor=cursor, limit=limit
    )
    return Page(items=tuple(map(ControllerSummaryWire.of, page.items)), next_cursor=page.next_cursor)


async def with_readings(here: Context, record: LoopRecord, readings: int) -> ControllerWire:
    """The controller with so many of its last looks."""
    entries = list(await records_of(here).last_entries(record.id, readings)) if readings else []
    return ControllerWire.with_readings(record, entries)


async def found(here: Context, controller_id: str) -> LoopRecord:
    """The controller's record.

    Raises:
        LoopRecordUnknown: If there is no such controller.
        StoreUnavailable: If it can't be looked up.
    """
    return await records_of(here).record(LoopKind.CONTROLLER, controller_id)


_RUNNING: Final = ControllerState.RUNNING


def _check_state(record: LoopRecord, *states: ControllerState) -> None:
    if record.state not in states:
        wanted = " or ".join(states)
        raise ControllerNotReady(f"{record.id} is {record.state}; this takes one that is {wanted}")


def _check_approval(record: LoopRecord, controller: Controller, sent_hash: str, act: Act) -> None:
    own = content_hash(controller.plan, controller.base)
    if sent_hash != own:
        raise ContentHashMismatch(
            f"the approval is of {sent_hash!r}, and {record.id} has {own!r}",
            hint="Look at the controller again, and decide on what it is.",
        )
    if act.actor == record.created_by and not controller.self_approval:
        raise SelfApprovalForbidden(
            f"{act.actor} is the author of {record.id}, and authors' own approvals don't count",
            hint="Ask somebody else.",
        )


async def _changed(
    here: Context, record: LoopRecord, action: str, write: Write, state: ControllerState, controller: Controller
) -> LoopRecord:
    over = controller.start.policy_id if controller.start and state is _RUNNING else None
    return await records_of(here).change(
        record,
        action,
        write.act,
        state=state,
        document=controller_document(controller),
        claim=write.claim,
        over=over,
    )


async def _done_before(here: Context, write: Write, action: str) -> LoopRecord | None:
    """The controller as it is now, if the request's key had this done to it already."""
    return await records_of(here).made_by(LoopKind.CONTROLLER, write.claim, action)
