from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reward_llm import bootstrap
from reward_llm.domain.goal import Goal
from reward_llm.domain.policy import Proposal, RewardPolicy
from reward_llm.domain.ports import GoalProposer
from reward_llm.domain.prompts import Evaluation
from reward_llm.domain.scenario import Scenario
from reward_llm.errors import EvaluationTimeout, PromptInvalid
from reward_llm.generation.prompt_files import packaged_prompts
from reward_llm.resources import golden_dir
from reward_llm.tuning.corpus import corpus_dir
from reward_llm.tuning.dedupe import near_copies
from reward_llm.tuning.evaluation import GoldenConfig, GoldenSets, UnchangedProposer, load_lines
from tests.strategies import HOME_FEED

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
PACKAGED = packaged_prompts()
VERSION = PACKAGED["goal_to_intents"]
LINES = {name: load_lines(golden_dir() / f"{name}.jsonl", HOME_FEED) for name in PACKAGED}
ASKS = '{"id": "%s", "lang": "en", "kind": "direct", "goal": "more clicks", "expect": {"raise": ["click"]}}'
ASKS_NOTHING = '{"id": "n", "lang": "zh", "kind": "no_change", "goal": "你好", "expect": {"outcome": "no_change"}}'


def golden_sets(folder: Path, *rows: str, **config: float) -> GoldenSets:
    (folder / "goal_to_intents.jsonl").write_text("\n".join(rows), "utf-8")
    limits = GoldenConfig(**config)
    return GoldenSets(folders=[golden_dir(), folder], scenario=HOME_FEED, monotonic=time.monotonic, config=limits)


async def measured(sets: GoldenSets, proposer: GoalProposer | None = None) -> Evaluation:
    return await sets.evaluate(VERSION, proposer or UnchangedProposer(), backend="rules", prompt_use="none")


@pytest.mark.parametrize("name", LINES)
def test_the_golden_sets_that_ship_cover_both_languages_and_every_kind(name: str) -> None:
    lines = LINES[name]
    assert 30 <= len(lines) <= 60
    kinds = Counter(line.kind for line in lines)
    assert set(kinds) >= {"direct", "constraint", "lower", "metric", "no_change", "injection", "hostile_format"}
    assert min(Counter(line.lang for line in lines).values()) >= 15
    asked = {u for line in lines for u in line.expect.raised}
    assert asked >= set(HOME_FEED.utility_names) - {"group_order"}
    assert PACKAGED[name].content.golden.set == name


@pytest.mark.parametrize("name", LINES)
def test_no_golden_goal_is_one_that_models_learn_from(name: str) -> None:
    learnt = [
        json.loads(row)["goal"]
        for file in corpus_dir().glob("*.jsonl")
        for row in file.read_text("utf-8").splitlines()
        if row.strip()
    ]
    assert near_copies([line.goal for line in LINES[name]], learnt) == []


async def test_what_was_asked_is_tallied_as_a_whole_by_kind_and_by_language(tmp_path: Path) -> None:
    rows = (ASKS % "a", ASKS % "b", ASKS_NOTHING)
    found = await measured(golden_sets(tmp_path, *rows))
    assert (found.overall.right, found.overall.of, found.directional.of) == (1, 3, 2)
    assert {k: (t.right, t.of) for k, t in found.by_kind.items()} == {"direct": (0, 2), "no_change": (1, 1)}
    assert {k: (t.right, t.of) for k, t in found.by_lang.items()} == {"en": (0, 2), "zh": (1, 1)}
    assert [(f.id, f.expected, f.read) for f in found.failures] == [
        ("a", "raise click", "no_change"),
        ("b", "raise click", "no_change"),
    ]
    assert found.golden_hash == hashlib.sha256("\n".join(rows).encode()).hexdigest()


async def test_progress_is_told_after_each_goal(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    await golden_sets(tmp_path, ASKS % "a", ASKS_NOTHING).evaluate(
        VERSION,
        UnchangedProposer(),
        backend="rules",
        prompt_use="none",
        on_progress=lambda done, of: told.append((done, of)),
    )
    assert told == [(1, 2), (2, 2)]


async def test_others_get_their_turn_between_two_goals(tmp_path: Path) -> None:
    order: list[str] = []
    begun = asyncio.Event()

    class Noting(UnchangedProposer):
        async def propose(self, goal: Goal, scenario: Scenario, active: RewardPolicy) -> Proposal:
            order.append(goal.id)
            begun.set()
            return await super().propose(goal, scenario, active)

    async def somebody() -> None:
        await begun.wait()
        order.append("somebody")

    sets = golden_sets(tmp_path, ASKS % "a", ASKS % "b")
    await asyncio.gather(measured(sets, Noting()), somebody())
    assert order == ["a", "somebody", "b"]


async def test_a_golden_set_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    class Stuck(UnchangedProposer):
        async def propose(self, goal: Goal, scenario: Scenario, active: RewardPolicy) -> Proposal:
            await asyncio.Event().wait()
            raise AssertionError

    with pytest.raises(EvaluationTimeout, match=r"the 1 goals of goal_to_intents weren't read within 0\.01 s"):
        await measured(golden_sets(tmp_path, ASKS % "a", deadline_s=0.01), Stuck())


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ((ASKS % "a", ASKS % "b", ASKS_NOTHING), "has 3 goals; at most 2 are read"),
        (("{",), "can't be used"),
        ((ASKS.replace("click", "joy") % "a",), "no utility 'joy'"),
    ],
)
async def test_a_golden_set_that_cant_be_used_is_refused(
    tmp_path: Path, rows: tuple[str, ...], complaint: str
) -> None:
    with pytest.raises(PromptInvalid, match=complaint):
        await measured(golden_sets(tmp_path, *rows, goals=2))


async def test_an_unknown_golden_set_says_which_there_are(tmp_path: Path) -> None:
    sets = golden_sets(tmp_path, ASKS % "a")
    assert sets.names == {"goal_to_intents", "goal_to_points"}
    with pytest.raises(PromptInvalid) as caught:
        await sets.evaluate(VERSION, UnchangedProposer(), backend="rules", prompt_use="none", golden_set="poems")
    assert caught.value.hint == "There are: goal_to_intents, goal_to_points."


async def test_the_model_that_ships_reads_its_golden_set_well_enough_for_production() -> None:
    settings = bootstrap.load_settings(backend="embedded")
    model = bootstrap.build_model(settings)
    assert model is not None
    sets = GoldenSets(folders=[golden_dir()], scenario=HOME_FEED, monotonic=time.monotonic)
    found = await sets.evaluate(
        VERSION, bootstrap.build_proposer(settings, model), backend="embedded", prompt_use="user_turn"
    )
    await model.aclose()
    assert found.score >= VERSION.content.golden.threshold
    assert found.model is not None
    assert found.checkpoint_hash is not None
    assert found.checkpoint_hash.startswith(found.model.rpartition("@")[2])
