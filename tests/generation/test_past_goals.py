"""What came of earlier goals reaches a model whose prompt asks for it, and nobody else's."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reward_llm.domain.completion import Vocabulary
from reward_llm.domain.goal import Goal
from reward_llm.domain.memory import GoalMemory, Tried
from reward_llm.domain.policy import default_policy
from reward_llm.domain.scenario import Scope
from reward_llm.domain.source import Source
from reward_llm.errors import PromptInvalid, StoreUnavailable
from reward_llm.generation.clients.scripted import ScriptedModel
from reward_llm.generation.past_goals import told
from reward_llm.generation.prompt_contract import check_prompt
from reward_llm.generation.prompt_variables import variable_problems
from reward_llm.generation.prompts import PromptBundle, load_bundle
from reward_llm.generation.proposer import Proposer, ProposerConfig
from reward_llm.reading.rules import RuleReader
from tests.api.harness import RAISE_GMV as ANSWER
from tests.memories import HOLD_RETENTION, RAISE_GMV, observation
from tests.strategies import HOME_FEED, VIDEO_FEED

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
PLAIN = load_bundle("goal_to_intents")
LINES = """{% for one in outcomes %}
ASKED {{ one.asked }}; {{ one.brought }}; {{ one.days }} days; {{ one.weights }}
{% endfor %}"""
SAYS = "ASKED gmv raise clear, retention hold clear; ctr 0.125 to 0.25, gmv 59 to 118; 7 days; click 0.25"


def telling(lines: str = LINES) -> PromptBundle:
    content = PLAIN.content
    return PromptBundle(
        replace(content, system=f"{content.system}\n{lines}", variables=(*content.variables, "outcomes"))
    )


def remembered() -> GoalMemory:
    return GoalMemory(
        goal_id="goal_1",
        scope=Scope("home_feed"),
        intents=(RAISE_GMV, HOLD_RETENTION),
        tried=(Tried(policy_id="pol_1", source=Source.RULES, weights=dict(HOME_FEED.defaults)),),
        observations=(observation("pol_1", 1, ctr=0.3), observation("pol_1", 7, ctr=0.25, gmv=118.0)),
    )


class Kept:
    """Memories that are given, or that can't be read."""

    def __init__(self, *found: GoalMemory, away: bool = False) -> None:
        self.found = found
        self.away = away
        self.asked: list[tuple[Scope, list[str]]] = []

    async def of(self, goal_id: str) -> GoalMemory | None:
        return None

    async def similar(self, scope: Scope, utilities: Collection[str]) -> Sequence[GoalMemory]:
        self.asked.append((scope, list(utilities)))
        if self.away:
            raise StoreUnavailable("away")
        return self.found


async def system_turn(bundle: PromptBundle, memories: Kept | None) -> str:
    model = ScriptedModel([ANSWER])
    proposer = Proposer(
        model=model,
        bundle=bundle,
        readers={"home_feed": RuleReader(HOME_FEED)},
        config=ProposerConfig(),
        memories=memories,
    )
    goal = Goal(id="g", scope=Scope("home_feed"), text="raise GMV", submitted_at=NOON)
    proposal = await proposer.propose(goal, HOME_FEED, default_policy(HOME_FEED, None, NOON))
    assert proposal.source is model.source
    return model.requests[-1].messages[0].content


async def test_a_prompt_that_asks_is_told_of_the_goals_that_are_most_alike() -> None:
    kept = Kept(remembered())
    assert SAYS in await system_turn(telling(), kept)
    assert kept.asked == [(Scope("home_feed"), ["gmv"])]


async def test_a_prompt_that_doesnt_ask_costs_no_question() -> None:
    kept = Kept(remembered())
    assert "ASKED" not in await system_turn(PLAIN, kept)
    assert kept.asked == []


async def test_where_it_is_off_or_away_the_prompt_goes_without() -> None:
    for memories in (None, Kept(away=True), Kept()):
        assert "ASKED" not in await system_turn(telling(), memories)


def test_a_version_that_asks_keeps_the_contract() -> None:
    check_prompt(telling().content, [HOME_FEED, VIDEO_FEED])


def test_what_no_outcome_has_is_found_before_it_becomes_a_version() -> None:
    with pytest.raises(PromptInvalid, match="text"):
        check_prompt(telling("{% for one in outcomes %}{{ one.text }}{% endfor %}").content, [HOME_FEED])


def test_the_variable_must_be_declared() -> None:
    content = replace(telling().content, variables=PLAIN.content.variables)
    assert "outcomes" in "".join(p.message for p in variable_problems(content))


def test_utilities_that_the_model_has_no_name_for_are_left_out() -> None:
    (one,) = told([remembered()], {"gmv": "money"})
    assert (one["asked"], one["weights"]) == ("money raise clear", "money 0.20")


def test_a_goal_that_nobody_looked_at_is_nothing_to_tell() -> None:
    assert told([replace(remembered(), observations=())], {"gmv": "gmv"}) == []


def test_rendering_without_memories_leaves_the_place_empty() -> None:
    system, _ = telling().render(HOME_FEED, Vocabulary.CONCEPTS, "raise GMV", {})
    assert "ASKED" not in system.content
