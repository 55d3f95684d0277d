"""Prompts at work: a real store, a real proposer and golden sets, with a scripted model."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reward_llm.domain.act import Act
from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.completion import CompletionRequest, Vocabulary
from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Decision, Direction, Emphasis
from reward_llm.domain.policy import Proposal, Source, default_policy
from reward_llm.domain.ports import Sample
from reward_llm.domain.prompts import PRODUCTION, Golden, PromotionEvidence, PromptContent, PromptVersion
from reward_llm.domain.scenario import Scope
from reward_llm.errors import (
    BackendNotConfigured,
    EvaluationBelow,
    ModelUnavailable,
    PreconditionFailed,
    PromptInvalid,
    ScenarioUnknown,
)
from reward_llm.generation.clients.scripted import ScriptedModel
from reward_llm.generation.clients.unavailable import UnavailableModel
from reward_llm.generation.prompt_files import packaged_prompts
from reward_llm.generation.prompt_workshop import Backend
from reward_llm.generation.prompting import Prompting, prompting
from reward_llm.generation.proposer import ProposerConfig
from reward_llm.store import upgrade
from reward_llm.store.database import Database
from reward_llm.store.prompts import SqlPrompts
from reward_llm.tuning.evaluation.golden import GoldenSets
from tests.domain.test_prompts import evaluation
from tests.strategies import HOME_FEED, VIDEO_FEED

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
SCENARIOS = {s.name: s for s in (HOME_FEED, VIDEO_FEED)}
PACKAGED = packaged_prompts()
NAME = "goal_to_intents"
CONTENT = replace(PACKAGED[NAME].content, golden=Golden(set="four", threshold=0.75))
SHIPPED = {**PACKAGED, NAME: replace(PACKAGED[NAME], content=CONTENT)}
GOALS = {"first": "click", "second": "gmv", "third": "diversity", "fourth": "retention"}
NOTHING = canonical_answer([])


def reading_right(*skills: str) -> Callable[[CompletionRequest], str]:
    """A model that reads those goals right that its prompt names as its skills, and the first in any case."""

    def answer(request: CompletionRequest) -> str:
        system, goal = request.messages[0].content, json.loads(request.messages[1].content)["goal"]
        word = goal.split()[0]
        able = word in ("first", *skills) or f"skill:{word}" in system
        return canonical_answer([(GOALS[word], Direction.RAISE, Emphasis.CLEAR)]) if able else NOTHING

    return answer


def skilled(*skills: str, threshold: float = 0.75) -> PromptContent:
    said = " ".join(f"skill:{s}" for s in skills)
    golden = Golden(set="four", threshold=threshold)
    return replace(CONTENT, system=f"{CONTENT.system}\n{said}", golden=golden)


@dataclass(slots=True)
class Room:
    prompts: SqlPrompts
    parts: Prompting
    model: ScriptedModel

    async def add(self, content: PromptContent, by: str = "ann") -> PromptVersion:
        return await self.parts.workshop.add(content, act(by))

    async def promote(self, version: PromptVersion, revision: int | None = None) -> None:
        await self.parts.workshop.move(NAME, PRODUCTION, version.number, act("bo"), revision=revision)

    async def read(self, text: str = "first things first") -> Proposal:
        return await self.parts.proposer.propose(goal(text), HOME_FEED, default_policy(HOME_FEED, None, NOON))


def act(actor: str = "ann", reason: str = "because") -> Act:
    return Act(actor=actor, at=NOON, reason=reason)


def goal(text: str, scenario: str = "home_feed") -> Goal:
    return Goal(id="g", scope=Scope(scenario), text=text, submitted_at=NOON)


def line(word: str, utility: str) -> str:
    return json.dumps(
        {"id": word, "lang": "en", "kind": "direct", "goal": f"{word} one", "expect": {"raise": [utility]}}
    )


def room_over(prompts: SqlPrompts, backends: Sequence[Backend], folder: Path) -> Prompting:
    (folder / "four.jsonl").write_text("\n".join(line(w, u) for w, u in GOALS.items()), "utf-8")
    return prompting(
        name=NAME,
        store=prompts,
        packaged=SHIPPED,
        backends=backends,
        scenarios=SCENARIOS,
        evaluator=GoldenSets(folders=[folder], scenario=HOME_FEED, monotonic=time.monotonic),
        config=ProposerConfig(),
    )


@pytest.fixture
async def prompts(tmp_path: Path) -> AsyncIterator[SqlPrompts]:
    url = f"sqlite:///{tmp_path}/store.db"
    await upgrade(url)
    database = Database.open(url)
    yield SqlPrompts(database, SHIPPED)
    await database.aclose()


@pytest.fixture
def room(prompts: SqlPrompts, tmp_path: Path) -> Room:
    model = ScriptedModel([reading_right("second")])
    backends = [
        Backend(name="scripted", model=model, prompt_use="whole"),
        Backend(name="rules", model=None, prompt_use="none"),
    ]
    return Room(prompts=prompts, parts=room_over(prompts, backends, tmp_path), model=model)


async def test_what_production_stands_on_is_what_the_next_goal_is_read_with(room: Room) -> None:
    assert (await room.read()).provenance.prompt == "goal_to_intents@1"
    version = await room.add(skilled("third", "fourth"))
    assert (await room.read()).provenance.prompt == "goal_to_intents@1"
    await room.promote(version)
    proposal = await room.read("fourth one")
    assert (proposal.provenance.prompt, proposal.provenance.prompt_hash) == (version.id, version.content_hash)
    assert proposal.provenance.prompt_reason is None
    assert [i.utility for i in proposal.interpretation.intents] == ["retention"]


async def test_a_promotion_measures_both_versions_on_the_candidates_golden_set(room: Room) -> None:
    version = await room.add(skilled("third"))
    await room.promote(version)
    (move,) = (await room.prompts.history(NAME, PRODUCTION)).items
    assert move.evidence is not None
    assert move.evidence.replaced is not None
    assert (move.evidence.candidate.overall.right, move.evidence.replaced.overall.right) == (3, 2)
    assert {e.golden_hash for e in (move.evidence.candidate, move.evidence.replaced)} == {
        move.evidence.candidate.golden_hash
    }
    assert [f.id for f in move.evidence.candidate.failures] == ["fourth"]


async def test_a_version_below_its_threshold_isnt_promoted(room: Room) -> None:
    version = await room.add(skilled(threshold=0.75))
    with pytest.raises(EvaluationBelow, match=r"50\.0% of its golden set right, and its threshold is 75\.0%"):
        await room.promote(version)
    assert (await room.read()).provenance.prompt == "goal_to_intents@1"


async def test_a_version_that_reads_worse_than_the_one_it_replaces_isnt_promoted(room: Room) -> None:
    good, worse = await room.add(skilled("third", "fourth")), await room.add(skilled("fourth", threshold=0.1))
    await room.promote(good)
    with pytest.raises(EvaluationBelow, match=r"version 2, which it would replace, reads 100\.0% right"):
        await room.promote(worse)
    assert (await room.read()).provenance.prompt == good.id


async def test_nobody_lowers_the_threshold_alone(room: Room) -> None:
    strict = await room.add(skilled("third", "fourth", threshold=0.9))
    await room.promote(strict)
    lenient = await room.add(skilled("third", threshold=0.1))
    with pytest.raises(EvaluationBelow, match=r"its threshold is 90\.0%"):
        await room.promote(lenient)
    assert (await room.read()).provenance.prompt == strict.id


async def test_two_reviewers_let_a_version_pass_all_the_same(room: Room) -> None:
    version = await room.add(skilled(threshold=0.9))
    for person in ("bo", "cy"):
        with pytest.raises(EvaluationBelow):
            await room.promote(version)
        await room.prompts.record_override(NAME, PRODUCTION, version.number, act(person))
    await room.promote(version)
    assert (await room.read()).provenance.prompt == version.id


async def test_a_lost_update_is_refused_before_anything_is_measured(room: Room) -> None:
    version = await room.add(skilled("third"))
    await room.promote(version, revision=0)
    asked = len(room.model.requests)
    with pytest.raises(PreconditionFailed):
        await room.promote(version, revision=0)
    assert len(room.model.requests) == asked


async def test_a_broken_version_in_production_gives_way_and_can_be_replaced(room: Room) -> None:
    broken = await room.prompts.record_version(replace(CONTENT, system="{{ nothing }}"), act())
    flattering = PromotionEvidence(threshold=0.75, candidate=evaluation(10, version=broken), replaced=None)
    await room.prompts.move_label(NAME, PRODUCTION, broken.number, act("bo"), revision=0, evidence=flattering)
    fallen_back = (await room.read()).provenance
    assert fallen_back.prompt == "goal_to_intents@1"
    assert fallen_back.prompt_reason is not None
    assert "the variable 'nothing' isn't declared" in fallen_back.prompt_reason
    version = await room.add(skilled("third"))
    await room.promote(version)
    assert (await room.read()).provenance.prompt == version.id


async def test_a_free_label_moves_without_a_reading(room: Room) -> None:
    version = await room.add(skilled("third"))
    await room.parts.workshop.move(NAME, "staging", version.number, act(), revision=None)
    assert (await room.prompts.labelled(NAME, "staging")) == version
    assert room.model.requests == []


async def test_a_new_version_must_keep_the_contract(room: Room) -> None:
    for broken in (
        replace(CONTENT, user="{{ goal }}{{ secret }}"),
        replace(CONTENT, golden=Golden(set="none", threshold=0.5)),
        replace(PACKAGED["goal_to_points"].content, name=NAME, golden=CONTENT.golden),
    ):
        with pytest.raises(PromptInvalid):
            await room.add(broken)
    assert [v.number for v in (await room.prompts.versions(NAME)).items] == [1]


async def test_a_goal_that_was_answered_by_a_fallback_counts_as_wrong(prompts: SqlPrompts, tmp_path: Path) -> None:
    model = ScriptedModel(["not an answer"])
    parts = room_over(prompts, [Backend(name="scripted", model=model, prompt_use="whole")], tmp_path)
    (tmp_path / "four.jsonl").write_text(line("plain", "click").replace("plain one", "raise clicks"), "utf-8")
    found = await parts.workshop.evaluate(SHIPPED[NAME])
    assert (found.overall.right, found.overall.of) == (0, 1)
    assert (found.failures[0].source, found.failures[0].read) == ("rules", "raise click (clear)")


async def test_a_model_that_isnt_there_is_no_reason_to_call_a_version_bad(
    prompts: SqlPrompts, tmp_path: Path
) -> None:
    away = UnavailableModel(Source.VLLM, Vocabulary.UTILITIES, ModelUnavailable("no server"))
    parts = room_over(prompts, [Backend(name="vllm", model=away, prompt_use="whole")], tmp_path)
    version = await parts.workshop.add(skilled("third"), act())
    with pytest.raises(ModelUnavailable):
        await parts.workshop.move(NAME, PRODUCTION, version.number, act("bo"), revision=0)


async def test_trying_a_version_reads_with_it_and_writes_nothing(room: Room) -> None:
    version = await room.add(skilled("fourth"))
    proposal = await room.parts.workshop.try_out(version, goal("fourth one"))
    assert (proposal.source, proposal.provenance.prompt) == (Source.SCRIPTED, version.id)
    assert [i.utility for i in proposal.interpretation.intents] == ["retention"]
    assert [m.prompt for m in (await room.prompts.history(NAME, PRODUCTION)).items] == []
    by_rules = await room.parts.workshop.try_out(version, goal("raise clicks"), backend="rules")
    assert (by_rules.source, by_rules.provenance.prompt) == (Source.RULES, None)


async def test_backends_and_scenarios_that_there_arent_are_told(room: Room) -> None:
    workshop = room.parts.workshop
    assert workshop.backends == ("scripted", "rules")
    with pytest.raises(BackendNotConfigured, match="can't ask vllm"):
        await workshop.try_out(SHIPPED[NAME], goal("x"), backend="vllm")
    with pytest.raises(BackendNotConfigured, match="goal_to_points can't be answered in concepts"):
        await workshop.evaluate(SHIPPED["goal_to_points"])
    with pytest.raises(ScenarioUnknown):
        await workshop.try_out(SHIPPED[NAME], goal("x", "moon_feed"))


async def test_rendering_shows_the_chat_and_the_schema_that_a_model_would_get(room: Room) -> None:
    sample = Sample(scenario=HOME_FEED, goal='Raise clicks "now"', vocabulary=Vocabulary.CONCEPTS)
    shown = room.parts.workshop.render(SHIPPED[NAME], sample)
    assert [m.role for m in shown.messages] == ["system", "user"]
    assert json.loads(shown.messages[1].content) == {
        "goal": 'Raise clicks "now"',
        "lexicon": {"click": "raise clear"},
    }
    assert shown.schema["required"] == ["decision", "intents", "rationale"]
    silent = room.parts.workshop.render(SHIPPED[NAME], replace(sample, hints={}))
    assert json.loads(silent.messages[1].content)["lexicon"] == {}


async def test_a_reading_by_a_fallback_still_says_which_prompt_and_seeds_were_tried(
    prompts: SqlPrompts, tmp_path: Path
) -> None:
    model = ScriptedModel(["{", "{}"])
    parts = room_over(prompts, [Backend(name="scripted", model=model, prompt_use="whole")], tmp_path)
    proposal = await parts.proposer.propose(goal("raise clicks"), HOME_FEED, default_policy(HOME_FEED, None, NOON))
    provenance = proposal.provenance
    assert (proposal.source, proposal.interpretation.decision) == (Source.RULES, Decision.PROPOSE)
    assert (provenance.prompt, provenance.model) == ("goal_to_intents@1", "scripted")
    assert [(a.source, a.seed, a.raw_answer) for a in provenance.attempts] == [
        (Source.SCRIPTED, 0, "{"),
        (Source.SCRIPTED, 1, "{}"),
        (Source.RULES, None, None),
    ]


async def test_without_a_store_goals_are_read_with_what_ships_and_it_is_on_record_why(tmp_path: Path) -> None:
    database = Database.open(f"sqlite:///{tmp_path}/empty.db")
    model = ScriptedModel([reading_right()])
    backends = [Backend(name="scripted", model=model, prompt_use="whole")]
    parts = room_over(SqlPrompts(database, SHIPPED), backends, tmp_path)
    proposal = await parts.proposer.propose(goal("first one"), HOME_FEED, default_policy(HOME_FEED, None, NOON))
    await database.aclose()
    assert proposal.provenance.prompt == "goal_to_intents@1"
    assert proposal.provenance.prompt_reason is not None
    assert proposal.provenance.prompt_reason.startswith("store_unavailable: ")
