"""What is put into force, when and for whom; everything is decided in the store's own transactions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from reward_llm.api.conditions import IfMatch, failed
from reward_llm.api.services import Services
from reward_llm.api.standings import admission
from reward_llm.api.wire.activations import (
    ActivationChangeRequest,
    ActivationRequest,
    ActivationTerms,
    ActivationWire,
    ConflictWire,
    EndRequest,
)
from reward_llm.api.writes import Write
from reward_llm.domain.activation import Activation
from reward_llm.domain.goal import Window
from reward_llm.domain.ports import ActivationChange
from reward_llm.errors import Outdated, PreconditionFailed, StoreUnavailable

_NO_REVISION = 0
"""Revisions count from 1, so the store finds that this one is outdated."""
_log = structlog.get_logger(__name__)


async def activate(services: Services, policy_id: str, write: Write) -> Activation:
    """Put a policy into force, and the board with it.

    Raises:
        PolicyUnknown: If there is no such policy.
        ScenarioUnknown: If its scenario is gone.
        Conflict: If it was rejected or withdrawn, lacks approvals, cuts into a window, or its scope is frozen.
        GateRefused: If it is too far from what is active, or weighs other utilities than the scenario has.
        InvalidInput: If the window is over, or nobody is to get it.
        IdempotencyConflict: If the key came with another request before.
        StoreUnavailable: If it can't be put on record.
    """
    sent = write.sent(ActivationRequest)
    policy = await services.store.policy(policy_id)
    activation = await services.governance.activate(
        policy_id,
        Window(valid_from=sent.valid_from, valid_until=sent.valid_until),
        write.act,
        admission(services, policy.scope.scenario),
        percent=sent.percent,
        accept_conflicts=sent.conflicts == "accept",
        claim=write.claim,
    )
    await show(services)
    return activation


async def change(services: Services, sequence: int, condition: IfMatch, write: Write) -> Activation:
    """Change an activation that is as the caller knows it.

    Raises:
        ActivationUnknown: If there is no such activation.
        PreconditionFailed: If it is another version by now.
        Conflict: If it has ended, or its policy may not be in force then or for so many.
        InvalidInput: If it has begun and its start is to change, or it would end in the past.
        StoreUnavailable: If it can't be put on record.
    """
    sent = write.sent(ActivationChangeRequest)
    current = await services.governance.activation(sequence)
    try:
        changed = await services.governance.change_activation(
            sequence,
            _revision(condition, current),
            _merged(sent, current),
            write.act,
            admission(services, current.policy.scope.scenario),
            accept_conflicts=sent.conflicts == "accept",
            claim=write.claim,
        )
    except Outdated as exc:
        raise await _outdated(services, sequence, _wanted(sent)) from exc
    await show(services)
    return changed


async def end(services: Services, sequence: int, condition: IfMatch | None, write: Write) -> Activation:
    """End an activation now, or call off one that hasn't begun.

    Raises:
        ActivationUnknown: If there is no such activation.
        PreconditionFailed: If it is another version than the caller knows.
        ActivationOver: If it has ended.
        ScheduleConflict: If others were admitted over it, and are too far from what holds without it.
        ScenarioUnknown: If its scenario is gone.
        InvalidInput: If no reason is given.
        StoreUnavailable: If it can't be put on record.
    """
    act = write.because(write.sent(EndRequest).reason)
    current = await services.governance.activation(sequence)
    revision = None if condition is None else _revision(condition, current)
    rules = admission(services, current.policy.scope.scenario)
    try:
        ended = await services.governance.end_activation(sequence, act, rules, revision=revision, claim=write.claim)
    except Outdated as exc:
        raise await _outdated(services, sequence, {}) from exc
    await show(services)
    return ended


async def conflicts(services: Services, policy_id: str, window: Window) -> list[ConflictWire]:
    """What an activation of the policy would cut into or be cut by.

    Raises:
        PolicyUnknown: If there is no such policy.
        StoreUnavailable: If that can't be read.
    """
    now = services.clock()
    found = await services.governance.conflicts(policy_id, window, now)
    return [ConflictWire.of(o, now) for o in found]


async def show(services: Services) -> None:
    """Have what was just written served at once, here and elsewhere; if the store is away again, a little later."""
    try:
        await services.board.refresh()
    except StoreUnavailable as exc:
        _log.warning("board.late", error=exc.message)
    await services.feed.announce(services.board.revision)


def _revision(condition: IfMatch, current: Activation) -> int:
    """The revision that the write is for; whether that is the one now, the store says."""
    return current.revision if condition.allows(str(current.revision)) else _NO_REVISION


def _merged(sent: ActivationChangeRequest, current: Activation) -> ActivationChange:
    named = sent.model_fields_set
    return ActivationChange(
        window=Window(
            valid_from=sent.valid_from if "valid_from" in named else current.window.valid_from,
            valid_until=sent.valid_until if "valid_until" in named else current.window.valid_until,
        ),
        percent=sent.percent if "percent" in named else current.percent,
    )


def _wanted(sent: ActivationChangeRequest) -> Mapping[str, Any]:
    """The fields that the caller named, as an activation has them."""
    terms = ActivationTerms(valid_from=sent.valid_from, valid_until=sent.valid_until, percent=sent.percent)
    return terms.model_dump(mode="json", by_alias=True, include=sent.model_fields_set)


async def _outdated(services: Services, sequence: int, wanted: Mapping[str, Any]) -> PreconditionFailed:
    current = await services.governance.activation(sequence)
    return failed(wanted, ActivationWire.of(current, services.clock()).model_dump(mode="json", by_alias=True))
