"""Goals read with the bundle `goal_to_points`, every way that an answer may go."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.completion import Vocabulary
from reward_llm.domain.goal import Goal
from reward_llm.domain.interpretation import Decision, Direction, Emphasis, Intent
from reward_llm.domain.policy import Source, default_policy
from reward_llm.domain.scenario import Scope
from reward_llm.domain.weighting import weights_for
from reward_llm.domain.weights import Weights
from reward_llm.errors import AnswerTruncated, ConfigurationInvalid, ModelTimeout, ModelUnavailable
from reward_llm.generation.clients.scripted import ScriptedModel
from reward_llm.generation.prompts import load_bundle
from reward_llm.generation.proposer import Proposer, ProposerConfig
from reward_llm.reading.rules import RuleReader
from reward_llm.validation import gate
from tests.strategies import HOME_FEED, VIDEO_FEED, intents_for, points_for

NOON = datetime(2026, 6, 18, 12, tzinfo=UTC)
BUNDLE = load_bundle("goal_to_points")
READERS = {s.name: RuleReader(s) for s in (HOME_FEED, VIDEO_FEED)}
DEFAULT = default_policy(HOME_FEED, None, NOON)
ACTIVE = replace(
    DEFAULT, version=3, source=Source.HUMAN, weights=Weights({**HOME_FEED.defaults, "click": 0.20, "gmv": 0.25})
)
TODAY = {
    "click": 25,
    "gmv": 20,
    "satisfaction": 15,
    "retention": 15,
    "diversity": 10,
    "cold_start": 10,
    "group_order": 5,
}
NO_POINTS = dict.fromkeys(TODAY, 0)


def raise_gmv(emphasis=Emphasis.CLEAR, **points):
    return canonical_answer([("gmv", Direction.RAISE, emphasis)], TODAY | points)


MORE = raise_gmv(gmv=35, click=20, diversity=5, cold_start=5)
LESS = raise_gmv(gmv=10, click=35)
BY_RULE = weights_for(
    [Intent(utility="gmv", direction=Direction.RAISE, emphasis=Emphasis.CLEAR)], HOME_FEED, HOME_FEED.defaults
)


def scripted(*lines):
    return ScriptedModel(lines, vocabulary=Vocabulary.UTILITIES)


async def propose(model, text="GMV 提升 15%", active=DEFAULT, scenario=HOME_FEED, **config):
    proposer = Proposer(model=model, bundle=BUNDLE, readers=READERS, config=ProposerConfig(**config))
    goal = Goal(id="g", scope=Scope(scenario.name), text=text, submitted_at=NOON)
    return await proposer.propose(goal, scenario, active)


def codes(proposal):
    return [n.code for n in proposal.interpretation.notices]


def outcomes(proposal):
    return [(a.source, a.succeeded) for a in proposal.provenance.attempts]


async def test_points_that_hold_to_everything_are_the_weights():
    proposal = await propose(scripted(MORE))
    assert proposal.weights == Weights(
        {"click": 0.20, "gmv": 0.35, "satisfaction": 0.15, "retention": 0.15, "diversity": 0.05, "cold_start": 0.05,
         "group_order": 0.05}
    )  # fmt: skip
    assert (proposal.source, proposal.reason, codes(proposal)) == (Source.SCRIPTED, None, [])
    assert (proposal.provenance.prompt, proposal.provenance.prompt_hash) == ("goal_to_points@1", BUNDLE.content_hash)


async def test_points_need_not_add_up_to_a_hundred():
    doubled = raise_gmv(**{k: 2 * v for k, v in (TODAY | {"gmv": 40, "click": 10, "diversity": 5}).items()})
    halved = raise_gmv(**(TODAY | {"gmv": 40, "click": 10, "diversity": 5}))
    assert (await propose(scripted(doubled))).weights == (await propose(scripted(halved))).weights


async def test_the_model_is_shown_what_the_goal_is_read_against():
    adding_up = replace(VIDEO_FEED, base="active")
    weights = Weights({"watch_quality": 0.5, "return_tomorrow": 0.3, "fresh_creators": 0.15, "calm": 0.05})
    active = replace(default_policy(adding_up, None, NOON), version=1, weights=weights)
    model = scripted("garbage")
    await propose(model, "more small creators", active, adding_up)
    assert "- fresh_creators (now 15, range 5 to 45)" in model.requests[0].messages[0].content


@pytest.mark.parametrize(
    ("answer", "limit"),
    [
        (raise_gmv(**NO_POINTS | {"gmv": 100}), "weights/gmv: 100.00% is outside 5.00% to 50.00%"),
        (raise_gmv(gmv=40, retention=5), "weights/retention: "),
        (raise_gmv(click=5, gmv=48, satisfaction=4, retention=14, diversity=2, cold_start=2), "weights: a step of "),
    ],
)
async def test_points_beyond_a_limit_are_drawn_back_at_once_and_said_so(answer, limit):
    proposal = await propose(scripted(answer))
    assert outcomes(proposal) == [(Source.SCRIPTED, True)]
    (notice,) = proposal.interpretation.notices
    assert notice.code == "points_drawn_back"
    assert limit in notice.message
    assert proposal.weights["gmv"] > HOME_FEED.defaults["gmv"]
    assert gate.check(proposal.weights, HOME_FEED, DEFAULT.weights, proposal.interpretation) == ()


async def test_points_against_the_reading_are_asked_for_again_with_what_was_wrong():
    model = scripted(LESS, MORE)
    proposal = await propose(model)
    assert outcomes(proposal) == [(Source.SCRIPTED, False), (Source.SCRIPTED, True)]
    assert (proposal.weights["gmv"], proposal.reason, codes(proposal)) == (0.35, None, [])
    assert proposal.provenance.attempts[0].reason.startswith("answer_inconsistent: ")
    broken, complaint = model.requests[1].messages[2:]
    assert broken.content == LESS
    assert "weights/gmv: the intent is to raise it from 20.00%, but its points make 10.00%" in complaint.content


@pytest.mark.parametrize(
    "second", [LESS, "garbage", ModelTimeout("too slow"), ModelUnavailable("gone"), AnswerTruncated("cut off")]
)
async def test_a_sound_reading_whose_points_stay_wrong_is_weighed_by_the_rule(second):
    proposal = await propose(scripted(LESS, second))
    assert (proposal.source, proposal.weights) == (Source.SCRIPTED, BY_RULE)
    assert outcomes(proposal) == [(Source.SCRIPTED, False), (Source.SCRIPTED, False)]
    (notice,) = proposal.interpretation.notices
    assert notice.code == "weighed_by_rule"
    assert "weights/gmv" in notice.message


async def test_with_one_attempt_only_the_rule_weighs_at_once():
    model = scripted(LESS)
    proposal = await propose(model, attempts=1)
    assert (len(model.requests), proposal.weights, codes(proposal)) == (1, BY_RULE, ["weighed_by_rule"])


async def test_of_two_doubtful_answers_the_first_one_is_kept():
    milder = raise_gmv(Emphasis.SLIGHT, gmv=10)
    proposal = await propose(scripted(LESS, milder))
    assert (proposal.weights, proposal.provenance.seed) == (BY_RULE, 0)


async def test_a_proposal_without_a_single_point_is_weighed_by_the_rule():
    proposal = await propose(scripted(raise_gmv(**NO_POINTS)))
    assert (proposal.weights, codes(proposal)) == (BY_RULE, ["weighed_by_rule"])
    assert "no utility has a point" in proposal.interpretation.notices[0].message


@pytest.mark.parametrize("points", [NO_POINTS, TODAY, NO_POINTS | {"gmv": 100}])
async def test_points_beside_no_change_change_nothing(points):
    proposal = await propose(scripted(canonical_answer([], points)), "今天中午吃什么", ACTIVE)
    assert proposal.interpretation.decision is Decision.NO_CHANGE
    assert (proposal.weights, proposal.source, codes(proposal)) == (ACTIVE.weights, Source.SCRIPTED, [])


@pytest.mark.parametrize("answer", ["garbage", canonical_answer([("gmv", Direction.RAISE, Emphasis.CLEAR)])])
async def test_answers_out_of_shape_are_left_to_the_rules(answer):
    proposal = await propose(scripted(answer))
    assert proposal.source is Source.RULES
    assert proposal.reason.startswith("answer_malformed: ")


def test_a_model_that_speaks_concepts_is_refused_with_what_to_do():
    with pytest.raises(ConfigurationInvalid, match="goal_to_points") as caught:
        Proposer(model=ScriptedModel([MORE]), bundle=BUNDLE, readers=READERS, config=ProposerConfig())
    assert "REWARD_LLM_VOCABULARY=utilities" in caught.value.hint


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(intents_for(HOME_FEED), points_for(HOME_FEED), st.sampled_from([DEFAULT, ACTIVE]))
async def test_no_points_get_past_the_gate_and_none_leave_the_model_unheard(intents, points, active):
    answer = canonical_answer(((i.utility, i.direction, i.emphasis) for i in intents), points)
    proposal = await propose(scripted(answer), active=active)
    assert proposal.source is Source.SCRIPTED
    assert gate.check(proposal.weights, HOME_FEED, active.weights, proposal.interpretation) == ()
