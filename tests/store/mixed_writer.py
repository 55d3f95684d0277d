"""A process that writes of every kind until it has written enough.

    python -m tests.store.mixed_writer URL NAME COUNT FIRST

What was acknowledged is printed, one JSON document a line. Every write has an idempotency key of its own, so a writer
that was killed is started again with the number of the write that it had begun last.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeVar

from reward_llm.domain.act import Act
from reward_llm.domain.activation import Activation
from reward_llm.domain.activation_changes import ActivationChange
from reward_llm.domain.admission import Admission
from reward_llm.domain.goal import Window
from reward_llm.domain.lifecycle import Verdict
from reward_llm.domain.policy import RewardPolicy
from reward_llm.domain.ports import IdempotencyClaim
from reward_llm.domain.review_rules import ReviewRules
from reward_llm.domain.scenario import Scenario, Scope
from reward_llm.errors import RewardLLMError, StoreUnavailable
from reward_llm.resources import scenarios_dir
from reward_llm.store import SqlStore
from reward_llm.store.database import Database
from reward_llm.store.governance import SqlGovernance
from reward_llm.validation import gate
from reward_llm.validation.scenarios import load_scenario
from tests.contracts.store import goal, proposal

SCENARIO: Final[Scenario] = replace(
    load_scenario(scenarios_dir() / "home_feed.yaml"), review=ReviewRules(approvals=1)
)
SCOPES: Final = (Scope("home_feed"), Scope("home_feed", "new_user"), Scope("home_feed", "mature_user"))
WRONG_HASH: Final = "0" * 64

Written = Mapping[str, Any]
T = TypeVar("T")


class NothingThereYet(Exception):
    """There is nothing yet to decide on or to change."""


class Writer:
    """Writes what its name and the number of the write decide, to whatever others have left."""

    def __init__(self, url: str, name: str) -> None:
        database = Database.open(url)
        self._store, self._governance = SqlStore(database), SqlGovernance(database)
        self._admission = Admission(scenario=SCENARIO, gate=gate.check)
        self._name = name
        self._kinds: dict[str, Callable[[random.Random, Act, IdempotencyClaim], Awaitable[Written]]] = {
            "goal": self._goal,
            "edit": self._edit,
            "decide": self._decide,
            "mistake": self._mistake,
            "activate": self._activate,
            "change": self._change,
            "end": self._end,
            "roll_back": self._roll_back,
            "freeze": self._freeze,
        }

    async def write(self, number: int) -> Written:
        """One write, or why it was refused."""
        rng = random.Random(f"{self._name}/{number}")
        kind = rng.choices(list(self._kinds), (12, 20, 30, 2, 14, 14, 6, 1, 1))[0]
        act = Act(actor=self._name, at=datetime.now(UTC), reason=f"write {number}")
        claim = IdempotencyClaim(key=f"{self._name}/{number}", request_hash="h")
        try:
            return {"kind": kind, **await self._kinds[kind](rng, act, claim)}
        except NothingThereYet:
            return {"kind": kind, "refused": "nothing_there_yet"}
        except StoreUnavailable:
            raise
        except RewardLLMError as exc:
            return {"kind": kind, "refused": exc.code}

    async def aclose(self) -> None:
        """Give back the connections."""
        await self._store.aclose()

    async def _goal(self, rng: random.Random, act: Act, claim: IdempotencyClaim) -> Written:
        sent = goal(f"goal_{claim.key}", rng.choice(SCOPES), submitted_at=act.at, submitted_by=act.actor)
        record = await self._store.record_goal(sent, claim)
        settled = await self._store.record_proposal(record.goal.id, proposal(_weights(rng)), act.at)
        return {"goal": settled.goal.id, "policy": settled.policy.policy_id if settled.policy else None}

    async def _edit(self, rng: random.Random, act: Act, claim: IdempotencyClaim) -> Written:
        policy = await self._store.record_edit(rng.choice(SCOPES), _weights(rng), act, claim)
        return {"policy": policy.policy_id}

    async def _decide(self, rng: random.Random, act: Act, claim: IdempotencyClaim) -> Written:
        policy = await self._some_policy(rng)
        verdict = rng.choices(list(Verdict), (19, 1))[0]
        standing = await self._governance.decide(
            policy.policy_id, policy.content_hash, verdict, act, self._admission, claim
        )
        return {"decided": standing.policy.policy_id}

    async def _mistake(self, rng: random.Random, act: Act, claim: IdempotencyClaim) -> Written:
        policy = await self._some_policy(rng)
        await self._governance.decide(policy.policy_id, WRONG_HASH, Verdict.APPROVE, act, self._admission, claim)
        return {"mistaken": policy.policy_id}

    async def _activate(self, rng: random.Random, act: Act, claim: IdempotencyClaim) -> Written:
        policy = await self._some_policy(rng)
        start = act.at + timedelta(hours=rng.randint(1, 500)) if rng.random() < 0.5 else None
        until = (start or act.at) + timedelta(hours=rng.randint(1, 50)) if rng.random() < 0.5 else None
        activation = await self._governance.activate(
            policy.policy_id,
            Window(valid_from=start, valid_until=until),
            act,
            self._admission,
            percent=rng.choice((10, 50, 100)),
            accept_conflicts=rng.random() < 0.8,
            claim=claim,
        )
        return {"activated": activation.sequence}

    async def _change(self, rng: random.Random, act: Act, claim: IdempotencyClaim) -> Written:
        seen = await self._some_activation(rng)
        await asyncio.sleep(rng.random() / 100)  # others may change it meanwhile
        change = ActivationChange(window=seen.window, percent=rng.randint(1, 100))
        activation = await self._governance.change_activation(
            seen.sequence, seen.revision, change, act, self._admission, accept_conflicts=True, claim=claim
        )
        return {"changed": [activation.sequence]}

    async def _end(self, rng: random.Random, act: Act, claim: IdempotencyClaim) -> Written:
        seen = await self._some_activation(rng)
        activation = await self._governance.end_activation(seen.sequence, act, self._admission, claim=claim)
        return {"changed": [activation.sequence]}

    async def _roll_back(self, rng: random.Random, act: Act, claim: IdempotencyClaim) -> Written:
        done = await self._governance.roll_back(rng.choice(SCOPES), None, act, self._admission, claim)
        return {"changed": [a.sequence for a in done.ended]}

    async def _freeze(self, rng: random.Random, act: Act, claim: IdempotencyClaim) -> Written:
        state = await self._governance.freeze(rng.choice(SCOPES), act, frozen=rng.random() < 0.3, claim=claim)
        return {"frozen": bool(state.frozen_by)}

    async def _some_policy(self, rng: random.Random) -> RewardPolicy:
        return _some(rng, (await self._store.policies(limit=20)).items)

    async def _some_activation(self, rng: random.Random) -> Activation:
        return _some(rng, (await self._governance.activations(limit=10)).items)


def _some(rng: random.Random, items: Sequence[T]) -> T:
    if not items:
        raise NothingThereYet
    return rng.choice(items)


def _weights(rng: random.Random) -> Any:
    """The defaults, a little moved."""
    utilities = list(SCENARIO.utility_names)
    more, less = rng.sample(utilities, 2)
    moved = rng.randint(1, 9) / 1000
    return type(SCENARIO.defaults)(
        {u: round(w + moved * ((u == more) - (u == less)), 6) for u, w in SCENARIO.defaults.items()}
    )


async def run(url: str, name: str, count: int, first: int) -> None:
    """Write until `count` writes more were acknowledged, and tell each."""
    writer, number = Writer(url, name), first
    while count:
        print(json.dumps({"begun": number}), flush=True)
        written = await writer.write(number)
        print(json.dumps({"number": number, **written}), flush=True)
        count -= "refused" not in written
        number += 1
    await writer.aclose()


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
