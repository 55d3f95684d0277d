"""What is remembered of a goal, put down as a worker would."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from reward_llm.domain.act import Act
from reward_llm.domain.interpretation import Direction, Emphasis, Intent
from reward_llm.domain.memory import Forecast, GoalMemory, Observation, Predicted, Tried
from reward_llm.domain.metrics import Estimate
from reward_llm.domain.scenario import Scope
from reward_llm.domain.source import Source
from reward_llm.loop.memory.ledger import Ledger
from reward_llm.store.database import Database
from reward_llm.store.loop import SqlLoop
from tests.strategies import HOME_FEED

START = datetime(2026, 6, 18, 12, tzinfo=UTC)
RAISE_GMV = Intent(utility="gmv", direction=Direction.RAISE, emphasis=Emphasis.CLEAR)
HOLD_RETENTION = Intent(utility="retention", direction=Direction.HOLD, emphasis=Emphasis.CLEAR)


def estimate(value: float) -> Estimate:
    return Estimate(value=value, low=0.9 * value, high=1.1 * value, events=1_000)


def observation(policy_id: str, days: int, **metrics: float) -> Observation:
    return Observation(
        activation=1,
        policy_id=policy_id,
        since=START,
        until=START + timedelta(days=days),
        metrics={m: estimate(v) for m, v in metrics.items()},
        before={m: estimate(v / 2) for m, v in metrics.items()},
    )


async def put_down(
    url: str,
    goal_id: str,
    policy_id: str,
    *,
    intents: Sequence[Intent] = (RAISE_GMV,),
    scope: Scope = Scope("home_feed"),  # noqa: B008 - a value
    days: Sequence[int] = (1, 7),
    predicted: bool = True,
) -> GoalMemory:
    """A goal whose policy had a CTR of 25 % on each look, where 20 % were predicted, and a GMV of 118.

    Watch time, which events don't tell, was predicted to be 31.5 minutes.

    Args:
        url: The database's.
        goal_id: The goal.
        policy_id: The policy that came of it.
        intents: What the goal asked.
        scope: What it was for.
        days: How long it was observed each time.
        predicted: Whether anything was predicted.
    """
    database = Database.open(url)
    ledger, act = Ledger(SqlLoop(database)), Act(actor="memory", at=START)
    metrics = {"ctr": Predicted(mean=0.2, error=0.01), "watch_time_min": Predicted(mean=31.5, error=1.0)}
    forecast = Forecast(made_by="surface 3f9a", metrics=metrics)
    tried = Tried(
        policy_id=policy_id,
        source=Source.RULES,
        weights=dict(HOME_FEED.defaults),
        predicted=forecast if predicted else None,
    )
    memory = await ledger.open(goal_id, scope, intents, tried, act)
    for length in days:
        memory = await ledger.observe(memory, observation(policy_id, length, ctr=0.25, gmv=118.0), act)
    await database.aclose()
    return memory
