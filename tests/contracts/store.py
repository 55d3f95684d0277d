"""What every `reward_llm.domain.ports.Store` does."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from reward_llm.domain.act import Act
from reward_llm.domain.goal import Goal, GoalState, Window
from reward_llm.domain.interpretation import (
    Decision,
    Direction,
    Emphasis,
    Intent,
    Interpretation,
    Notice,
    Quantity,
    Span,
    Unit,
)
from reward_llm.domain.policy import Attempt, Proposal, Provenance, RewardPolicy, Source
from reward_llm.domain.ports import IdempotencyClaim, Store
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weights import Weights
from reward_llm.errors import GoalUnknown, IdempotencyConflict, InvalidInput, PolicyUnknown

NOON = datetime(2026, 6, 18, 12, tzinfo=timezone(timedelta(hours=8)))
ANN = Act(actor="ann", at=NOON, reason="because")
FEED = Scope("home_feed")
NEW_USERS = Scope("home_feed", "new_user")
EVEN = Weights({"click": 0.5, "gmv": 0.5})
CLICKS = Weights({"gmv": 0.25, "click": 0.75})
CLAIM = IdempotencyClaim(key="key-1", request_hash="a" * 64)
OTHER_REQUEST = IdempotencyClaim(key="key-1", request_hash="b" * 64)


def goal(goal_id: str = "goal_1", scope: Scope = FEED, **values: Any) -> Goal:
    return Goal(id=goal_id, scope=scope, **{"text": "GMV目标1亿", "submitted_at": NOON, **values})


def proposal(weights: Weights = CLICKS, source: Source = Source.VLLM) -> Proposal:
    number = Quantity(value=1e8, unit=Unit.MONEY, span=Span(5, 7), currency="CNY")
    intent = Intent(
        utility="gmv",
        direction=Direction.RAISE,
        emphasis=Emphasis.CLEAR,
        spans=(Span(0, 7),),
        target=number,
        confidence=0.75,
    )
    return Proposal(
        interpretation=Interpretation(
            decision=Decision.PROPOSE,
            intents=(intent,),
            rationale="GMV 要到 1 亿",
            notices=(Notice(code="target_far", message="1e8 is far"),),
        ),
        numbers=(number,),
        weights=weights,
        source=source,
        reason="model_timeout: \ud83d\0",
        provenance=Provenance(
            prompt="goal_to_intents/1",
            prompt_hash="c" * 64,
            model="Qwen2",
            seed=7,
            attempts=(
                Attempt(source=Source.VLLM, succeeded=False, duration_s=30.0, reason="late", raw_answer="{\ud83d"),
            ),
        ),
    )


def no_change() -> Proposal:
    return Proposal(
        interpretation=Interpretation(decision=Decision.NO_CHANGE), numbers=(), weights=EVEN, source=Source.RULES
    )


async def actions(store: Store, subject: str | None = None) -> list[str]:
    return [record.action for record in await store.audit(subject=subject)]


class StoreContract:
    """Inherit it beside a fixture `store` that gives an empty store."""

    async def test_a_goal_comes_back_as_it_was_sent(self, store: Store) -> None:
        sent = goal(
            scope=NEW_USERS,
            targets={"retention": 0.65, "gmv": 1e8},
            window=Window(valid_from=NOON, valid_until=NOON + timedelta(days=3)),
            submitted_by="ann",
        )
        record = await store.record_goal(sent)
        assert record.goal == sent
        assert record.state is GoalState.RECEIVED
        assert record.proposal is None
        assert record.policy is None
        assert await store.goal(sent.id) == record

    async def test_moments_come_back_aware_and_equal(self, store: Store) -> None:
        await store.record_goal(goal(window=Window(valid_until=NOON.replace(microsecond=1))))
        stored = (await store.goal("goal_1")).goal
        assert stored.submitted_at.utcoffset() is not None
        assert stored.submitted_at == NOON
        assert stored.window == Window(valid_until=NOON.replace(microsecond=1))

    async def test_the_first_and_the_last_moment_come_back(self, store: Store) -> None:
        always = Window(valid_from=datetime.min.replace(tzinfo=UTC), valid_until=datetime.max.replace(tzinfo=UTC))
        await store.record_goal(goal(window=always))
        assert (await store.goal("goal_1")).goal.window == always

    async def test_a_goal_that_was_not_recorded_is_unknown(self, store: Store) -> None:
        with pytest.raises(GoalUnknown, match="goal_9"):
            await store.goal("goal_9")
        with pytest.raises(GoalUnknown):
            await store.record_proposal("goal_9", proposal(), NOON)
        assert await store.audit() == []

    async def test_the_same_key_and_request_give_the_same_goal(self, store: Store) -> None:
        first = await store.record_goal(goal("goal_1"), CLAIM)
        second = await store.record_goal(goal("goal_2"), CLAIM)
        assert second == first
        assert len((await store.goals()).items) == 1
        assert await actions(store) == ["goal.received"]

    async def test_a_repeated_goal_comes_back_with_its_proposal(self, store: Store) -> None:
        await store.record_goal(goal(), CLAIM)
        settled = await store.record_proposal("goal_1", proposal(), NOON)
        assert await store.record_goal(goal("goal_2"), CLAIM) == settled

    async def test_the_same_key_with_another_request_is_a_conflict(self, store: Store) -> None:
        await store.record_goal(goal("goal_1"), CLAIM)
        with pytest.raises(IdempotencyConflict, match="key-1"):
            await store.record_goal(goal("goal_2"), OTHER_REQUEST)
        assert len((await store.goals()).items) == 1

    async def test_a_key_of_a_goal_is_no_key_of_an_edit(self, store: Store) -> None:
        await store.record_goal(goal(), CLAIM)
        with pytest.raises(IdempotencyConflict):
            await store.record_edit(FEED, EVEN, act=ANN, claim=CLAIM)
        assert (await store.policies()).items == ()

    async def test_concurrent_goals_of_one_key_are_one_goal(self, store: Store) -> None:
        records = await asyncio.gather(*(store.record_goal(goal(f"goal_{i}"), CLAIM) for i in range(20)))
        assert len({r.goal.id for r in records}) == 1
        assert len((await store.goals()).items) == 1

    async def test_a_refusal_is_on_record_and_nothing_else(self, store: Store) -> None:
        details = {"code": "goal_invalid", "weights": EVEN, "target": float("inf")}
        await store.record_refusal(ANN, "goal.refused", details)
        (record,) = await store.audit()
        assert (record.at, record.actor, record.action) == (NOON, "ann", "goal.refused")
        assert record.details == {"code": "goal_invalid", "weights": dict(EVEN), "target": "Infinity"}
        assert (await store.goals()).items == ()

    async def test_a_proposal_makes_the_first_policy_of_its_scope(self, store: Store) -> None:
        await store.record_goal(goal(scope=NEW_USERS))
        record = await store.record_proposal("goal_1", proposal(), NOON)
        assert record.state is GoalState.PROPOSED
        assert record.policy == RewardPolicy(
            scope=NEW_USERS, version=1, weights=CLICKS, source=Source.VLLM, origin="goal_1", created_at=NOON
        )
        assert await store.goal("goal_1") == record
        assert await store.policy(record.policy.policy_id) == record.policy
        assert await actions(store, "goal_1") == ["goal.proposed", "goal.received"]

    async def test_a_proposal_comes_back_letter_by_letter(self, store: Store) -> None:
        await store.record_goal(goal())
        await store.record_proposal("goal_1", proposal(), NOON)
        assert (await store.goal("goal_1")).proposal == proposal()

    async def test_weights_keep_the_order_of_their_utilities(self, store: Store) -> None:
        policy = await store.record_edit(FEED, CLICKS, act=ANN)
        assert list((await store.policy(policy.policy_id)).weights) == ["gmv", "click"]

    async def test_a_settled_goal_is_given_back_and_nothing_doubles(self, store: Store) -> None:
        await store.record_goal(goal())
        first = await store.record_proposal("goal_1", proposal(CLICKS), NOON)
        second = await store.record_proposal("goal_1", proposal(EVEN), NOON + timedelta(hours=1))
        assert second == first
        assert len((await store.policies()).items) == 1
        assert await actions(store) == ["goal.proposed", "goal.received"]

    async def test_a_goal_settled_by_many_at_once_is_settled_once(self, store: Store) -> None:
        await store.record_goal(goal())
        records = await asyncio.gather(*(store.record_proposal("goal_1", proposal(), NOON) for _ in range(5)))
        assert all(r == records[0] for r in records)
        assert len((await store.policies()).items) == 1

    async def test_versions_count_each_scope_from_one(self, store: Store) -> None:
        made = [
            await store.record_edit(scope, EVEN, act=ANN)
            for scope in (FEED, NEW_USERS, FEED, Scope("video_feed"), NEW_USERS)
        ]
        assert [p.version for p in made] == [1, 1, 2, 1, 2]

    async def test_concurrent_proposals_of_a_scope_get_consecutive_versions(self, store: Store) -> None:
        for i in range(10):
            await store.record_goal(goal(f"goal_{i}"))
        records = await asyncio.gather(*(store.record_proposal(f"goal_{i}", proposal(), NOON) for i in range(10)))
        assert sorted(r.policy.version for r in records if r.policy) == list(range(1, 11))

    async def test_no_change_makes_no_policy(self, store: Store) -> None:
        await store.record_goal(goal())
        record = await store.record_proposal("goal_1", no_change(), NOON)
        assert record.state is GoalState.NO_CHANGE
        assert record.policy is None
        assert await store.goal("goal_1") == record
        assert (await store.policies()).items == ()
        assert await actions(store) == ["goal.no_change", "goal.received"]

    async def test_an_edit_is_a_human_policy_with_its_reason_on_record(self, store: Store) -> None:
        policy = await store.record_edit(NEW_USERS, CLICKS, act=replace(ANN, reason="618"))
        assert (policy.source, policy.version, policy.scope) == (Source.HUMAN, 1, NEW_USERS)
        assert await store.policy(policy.policy_id) == policy
        (record,) = await store.audit(subject=policy.policy_id)
        assert (record.action, record.actor, record.reason) == ("policy.edited", "ann", "618")

    async def test_a_policy_of_nobodys_is_unknown(self, store: Store) -> None:
        with pytest.raises(PolicyUnknown, match="pol_9"):
            await store.policy("pol_9")

    async def test_a_repeated_edit_gives_the_same_policy(self, store: Store) -> None:
        first = await store.record_edit(FEED, EVEN, act=ANN, claim=CLAIM)
        second = await store.record_edit(FEED, EVEN, act=ANN, claim=CLAIM)
        assert second == first
        assert len((await store.policies()).items) == 1

    async def test_a_key_tells_the_edit_that_it_stands_for(self, store: Store) -> None:
        assert await store.edit_of(CLAIM) is None
        made = await store.record_edit(FEED, EVEN, act=ANN, claim=CLAIM)
        assert await store.edit_of(CLAIM) == made
        with pytest.raises(IdempotencyConflict):
            await store.edit_of(IdempotencyClaim(key=CLAIM.key, request_hash="another"))

    async def test_goals_left_unread_are_found_by_their_state(self, store: Store) -> None:
        for i in range(3):
            await store.record_goal(goal(f"goal_{i}"))
        await store.record_proposal("goal_1", proposal(), NOON)
        page = await store.goals(state=GoalState.RECEIVED)
        assert [r.goal.id for r in page.items] == ["goal_2", "goal_0"]

    async def test_goals_are_listed_by_scenario(self, store: Store) -> None:
        await store.record_goal(goal("goal_1"))
        await store.record_goal(goal("goal_2", Scope("video_feed")))
        assert [r.goal.id for r in (await store.goals(scenario="video_feed")).items] == ["goal_2"]
        assert [r.goal.id for r in (await store.goals(scenarios={"video_feed"})).items] == ["goal_2"]
        assert (await store.goals(scenarios=())).items == ()

    async def test_policies_are_listed_by_scope_or_scenario(self, store: Store) -> None:
        feed, new = [await store.record_edit(s, EVEN, act=ANN) for s in (FEED, NEW_USERS)]
        await store.record_edit(Scope("video_feed"), EVEN, act=ANN)
        assert (await store.policies(scope=FEED)).items == (feed,)
        assert (await store.policies(scope=NEW_USERS)).items == (new,)
        assert (await store.policies(scenario="home_feed")).items == (new, feed)
        assert (await store.policies(scenarios={"home_feed"})).items == (new, feed)
        assert [p.scope for p in (await store.policies(scenarios={"video_feed"})).items] == [Scope("video_feed")]
        assert (await store.policies(scenarios=())).items == ()

    async def test_pages_stay_where_they_were_while_goals_arrive(self, store: Store) -> None:
        for i in range(5):
            await store.record_goal(goal(f"goal_{i}"))
        seen, cursor = [], None
        while True:
            page = await store.goals(cursor=cursor, limit=2)
            seen += [r.goal.id for r in page.items]
            await store.record_goal(goal(f"late_{len(seen)}"))
            if (cursor := page.next_cursor) is None:
                break
        assert seen == ["goal_4", "goal_3", "goal_2", "goal_1", "goal_0"]

    async def test_the_last_page_has_no_cursor(self, store: Store) -> None:
        for i in range(2):
            await store.record_edit(FEED, EVEN, act=replace(ANN, reason=f"{i}"))
        assert (await store.policies(limit=2)).next_cursor is None
        assert (await store.policies(limit=1)).next_cursor is not None
        assert (await store.goals()).next_cursor is None

    @pytest.mark.parametrize("cursor", ["", "x", "1", "Z29hbHM6MQ", "é", "=" * 9, "9" * 10_000])
    async def test_a_cursor_of_nobodys_is_refused(self, store: Store, cursor: str) -> None:
        with pytest.raises(InvalidInput, match="cursor"):
            await store.goals(cursor=cursor)

    async def test_a_cursor_of_another_list_is_refused(self, store: Store) -> None:
        for i in range(2):
            await store.record_goal(goal(f"goal_{i}"))
        cursor = (await store.goals(limit=1)).next_cursor
        with pytest.raises(InvalidInput, match="cursor"):
            await store.policies(cursor=cursor)

    @pytest.mark.parametrize("limit", [-1, 0, 201])
    async def test_a_limit_out_of_range_is_refused(self, store: Store, limit: int) -> None:
        for refused in (store.goals(limit=limit), store.policies(limit=limit), store.audit(limit=limit)):
            with pytest.raises(InvalidInput, match="limit"):
                await refused

    async def test_the_audit_log_is_newest_first_and_limited(self, store: Store) -> None:
        for i in range(3):
            await store.record_goal(goal(f"goal_{i}"))
        records = await store.audit(limit=2)
        assert [r.subject for r in records] == ["goal_2", "goal_1"]
        assert records[0].sequence > records[1].sequence
        assert records[0].patch[0]["value"]["text"] == "GMV目标1亿"

    async def test_the_audit_log_counts_without_gaps(self, store: Store) -> None:
        await store.record_goal(goal("goal_1"))
        with pytest.raises(InvalidInput):  # at the last row of the transaction, after its audit record
            await store.record_goal(goal("goal_2"), IdempotencyClaim(key="k", request_hash="\0"))
        await store.record_goal(goal("goal_3"))
        assert [(r.sequence, r.subject) for r in await store.audit()] == [(2, "goal_3"), (1, "goal_1")]

    @pytest.mark.parametrize("text", ["a\0b", "a\ud83d"])
    async def test_a_text_that_no_database_holds_is_refused_whole(self, store: Store, text: str) -> None:
        with pytest.raises(InvalidInput):
            await store.record_goal(goal(text=text), CLAIM)
        assert await store.audit() == []

    async def test_a_moment_that_utc_cannot_say_is_refused(self, store: Store) -> None:
        first = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=8)))
        with pytest.raises(InvalidInput):
            await store.record_goal(goal(window=Window(valid_from=first)))

    async def test_a_store_that_answers_pings(self, store: Store) -> None:
        await store.ping()
