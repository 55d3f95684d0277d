"""From a request to a study, and from a study to a proposal, which is never activated by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from reward_llm.api.context import Context
from reward_llm.api.services import Services
from reward_llm.api.submissions import find_scenario
from reward_llm.api.wire.search_requests import SearchProposal, SearchRequest
from reward_llm.api.wire.searches import SearchSummaryWire, SearchWire
from reward_llm.api.writes import Write
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports import Page
from reward_llm.domain.ports.searching import Searches
from reward_llm.domain.scenario import Scope
from reward_llm.domain.searching import Finalist, SearchPlan, SearchStudy
from reward_llm.domain.source import Source
from reward_llm.domain.weights import Weights
from reward_llm.errors import GateRefused, SearchInvalid, SearchUnavailable


def searches_of(here: Context) -> Searches:
    """What searches here.

    Raises:
        SearchUnavailable: If nothing does.
    """
    if here.services.searches is None:
        raise SearchUnavailable("this service searches nothing")
    return here.services.searches


async def start(here: Context, sent: SearchRequest, write: Write) -> SearchWire:
    """Have what was sent searched for, from the weights that are in force.

    Raises:
        ScenarioUnknown: If there is no such scenario.
        SegmentUnknown: If the scenario has no such segment.
        SearchInvalid: If it contradicts itself.
        SearchBusy: If too much waits.
        SearchUnavailable: If nothing is searched here.
        IdempotencyConflict: If the key came with another request before.
        StoreUnavailable: If it can't be put on record.
    """
    searches = searches_of(here)
    scenario = find_scenario(here.services.scenarios, sent.scenario)
    scenario.check_segment(sent.segment)
    in_force = here.services.board.lookup(Scope(sent.scenario, sent.segment), write.act.at).policy
    plan = SearchPlan(
        scenario=sent.scenario,
        segment=sent.segment,
        in_force=dict(in_force.weights),
        in_force_policy=in_force.policy_id,
        evaluator=sent.evaluator_asked(),
        method=sent.method,
        objectives=tuple(sent.objectives),
        constraints=sent.constraints_asked(),
        budget=sent.budget,
        seed=sent.seed,
        finalists=sent.finalists,
        final_evaluations=sent.final_evaluations,
        prefer=sent.prefer,
    )
    if violations := plan.wrong():
        message = "the search can't be made: " + "; ".join(map(str, violations))
        raise SearchInvalid(message, violations=violations)
    return SearchWire.of(await searches.start(plan, write.act, write.claim))


async def study(here: Context, study_id: str) -> SearchWire:
    """A study with its trials.

    Raises:
        LoopRecordUnknown: If there is none.
        SearchUnavailable: If nothing is searched here.
        StoreUnavailable: If it can't be read.
    """
    return SearchWire.of(await searches_of(here).study(study_id))


async def studies(
    here: Context, scenarios: frozenset[str] | None, cursor: str | None, limit: int
) -> Page[SearchSummaryWire]:
    """Studies of the scenarios, newest first.

    Raises:
        InvalidInput: If the cursor isn't one of this list's.
        SearchUnavailable: If nothing is searched here.
        StoreUnavailable: If they can't be read.
    """
    page = await searches_of(here).studies(scenarios=scenarios, cursor=cursor, limit=limit)
    return Page(tuple(map(SearchSummaryWire.of, page.items)), page.next_cursor)


async def cancel(here: Context, study_id: str, write: Write) -> SearchWire:
    """End a study; its trials stay.

    Raises:
        LoopRecordUnknown: If there is none.
        IdempotencyConflict: If the key came with another request before.
        PreconditionFailed: If somebody changes it meanwhile.
        SearchUnavailable: If nothing is searched here.
        StoreUnavailable: If it can't be put on record.
    """
    return SearchWire.of(await searches_of(here).cancel(study_id, write.act, write.claim))


async def resume(here: Context, study_id: str, write: Write) -> SearchWire:
    """Go on with a study from its last trial.

    Raises:
        LoopRecordUnknown: If there is none.
        IdempotencyConflict: If the key came with another request before.
        PreconditionFailed: If somebody changes it meanwhile.
        SearchBusy: If it is worked on or complete, or too much waits.
        SearchUnavailable: If nothing is searched here.
        StoreUnavailable: If it can't be put on record.
    """
    return SearchWire.of(await searches_of(here).resume(study_id, write.act, write.claim))


async def propose(here: Context, study_id: str, sent: SearchProposal, write: Write) -> RewardPolicy:
    """Make a finalist's weights the scope's next policy, for people to decide on.

    Raises:
        LoopRecordUnknown: If there is no such study.
        SearchInvalid: If it isn't done, or nothing of it can be proposed.
        GateRefused: If the weights don't pass the gate any more.
        IdempotencyConflict: If the key came with another request before.
        SearchUnavailable: If nothing is searched here.
        StoreUnavailable: If it can't be put on record.
    """
    searches, services = searches_of(here), here.services
    study = await searches.study(study_id)
    if write.claim is not None and (made := await services.store.edit_of(write.claim)):
        if study.policy_id is None:  # what the first request didn't get to
            await searches.proposed(study_id, made.policy_id, write.act)
        return made
    finalist = _finalist(study, sent.trial)
    said = write.saying(sent.reason)
    act = replace(said, reason=said.reason or f"trial {finalist.trial} of {study_id}, by {study.plan.method.value}")
    await services.board.refresh()
    scope, weights = Scope(study.plan.scenario, study.plan.segment), Weights.rounded(finalist.weights)
    _pass_gate(services, weights, scope, act.at)
    policy = await services.store.record_edit(scope, weights, act, write.claim, source=Source.SEARCH, origin=study_id)
    await searches.proposed(study_id, policy.policy_id, act)
    return policy


def _finalist(study: SearchStudy, trial: int | None) -> Finalist:
    if study.result is None:
        raise SearchInvalid(f"{study.id} is {study.state.value}", hint="Only of one that is done can be proposed.")
    chosen = study.result.chosen if trial is None else trial
    if chosen is None:
        hint = "Relax the constraints, or name a finalist's trial."
        raise SearchInvalid(f"nothing that {study.id} found keeps to the constraints", hint=hint)
    found = {finalist.trial: finalist for finalist in study.result.finalists}
    if chosen not in found:
        hint = f"Those are: {', '.join(map(str, found)) or 'none'}."
        raise SearchInvalid(f"trial {chosen} isn't a finalist of {study.id}", hint=hint)
    return found[chosen]


def _pass_gate(services: Services, weights: Weights, scope: Scope, moment: datetime) -> None:
    active = services.board.lookup(scope, moment).policy.weights
    violations = services.gate(weights, services.scenarios[scope.scenario], active)
    if violations:
        message = "the weights don't pass the gate any more: " + "; ".join(map(str, violations))
        raise GateRefused(message, hint="Search again, from what is in force now.", violations=violations)
