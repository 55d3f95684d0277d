"""What holds in a scope: seeing it, taking it out of force, and the kill switch."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Final

import rfc8785

from reward_llm.api.activation_desk import show
from reward_llm.api.services import Services
from reward_llm.api.standings import admission
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.activations import ActivationWire
from reward_llm.api.wire.scopes import (
    MAX_SHOWN,
    FreezeRequest,
    FreezeWire,
    RollbackRequest,
    RollbackWire,
    ScopeWire,
    activation_wires,
)
from reward_llm.api.wire.weights import ScopeWeights
from reward_llm.api.writes import Write
from reward_llm.domain.activation import Activation
from reward_llm.domain.scenario import Scope
from reward_llm.errors import NotRollbackable

WHOLE_SCENARIO: Final = "-"
"""What stands in a path for no segment."""
_ETAG_DIGITS: Final = 32


def scope_of(services: Services, scenario: str, segment: str) -> Scope:
    """The scope that a path names.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SegmentUnknown: If the scenario has no such segment.
    """
    named = None if segment == WHOLE_SCENARIO else segment
    find_scenario(services.scenarios, scenario).check_segment(named)
    return Scope(scenario, named)


async def look(services: Services, scope: Scope) -> ScopeWire:
    """What holds in the scope, what lies below it and what is to come.

    Raises:
        StoreUnavailable: If that can't be read.
    """
    now = services.clock()
    state = await services.governance.scope(scope, now)
    below = await services.governance.scope(Scope(scope.scenario), now) if scope.segment else None
    return ScopeWire(
        scenario=scope.scenario,
        segment=scope.segment,
        served=_served(services, scope),
        frozen=bool(state.frozen_by),
        frozen_by=[FreezeWire.of(f) for f in state.frozen_by],
        stack=activation_wires(state.stack[:MAX_SHOWN], now),
        inherited=activation_wires(below.stack[:MAX_SHOWN], now) if below else [],
        coming=activation_wires(state.coming, now),
    )


def etag_of(scope: ScopeWire) -> str:
    """Changes with everything that is said of the scope."""
    document = scope.model_dump(mode="json", by_alias=True)
    return hashlib.sha256(rfc8785.dumps(document)).hexdigest()[:_ETAG_DIGITS]


async def roll_back(services: Services, scope: Scope, write: Write) -> RollbackWire:
    """Take what holds in the scope out of force at once.

    Raises:
        PolicyUnknown: If `to_policy` names no policy.
        Conflict: If there is nothing to take out, `to_policy` can't come back, or the scope is frozen.
        InvalidInput: If no reason is given.
        StoreUnavailable: If it can't be put on record.
    """
    sent = write.sent(RollbackRequest)
    act = write.because(sent.reason)
    rules = admission(services, scope.scenario)
    guard = partial(_check_winning, scope, sent.from_policy)
    done = await services.governance.roll_back(scope, sent.to_policy, act, rules, write.claim, guard)
    await show(services)
    now = services.clock()
    return RollbackWire(
        ended=activation_wires(done.ended, now),
        activation=ActivationWire.of(done.activation, now) if done.activation else None,
        scope=await look(services, scope),
    )


async def freeze(services: Services, scope: Scope, write: Write) -> ScopeWire:
    """Have the scope serve its baseline alone, or what is in force again.

    Raises:
        InvalidInput: If no reason is given.
        StoreUnavailable: If it can't be put on record.
    """
    sent = write.sent(FreezeRequest)
    act = write.because(sent.reason)
    await services.governance.freeze(scope, act, frozen=sent.frozen, claim=write.claim)
    await show(services)
    return await look(services, scope)


def _check_winning(scope: Scope, meant: str | None, winning: Activation | None) -> None:
    """Accept a rollback of what holds when it is written, so that of two at once one takes it out."""
    holds = winning.policy.policy_id if winning else None
    if meant is not None and meant != holds:
        raise NotRollbackable(
            f"{meant} doesn't hold in {scope}: {holds or 'nothing that was activated'} does",
            hint="Look at the scope again before you take that out.",
        )


def _served(services: Services, scope: Scope) -> ScopeWeights:
    served = services.board.lookup(scope, services.clock())
    return ScopeWeights.model_validate_json(served.content)
