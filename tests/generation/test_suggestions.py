from __future__ import annotations

import asyncio
import itertools
from datetime import UTC, datetime

import pytest

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.completion import Completion, CompletionRequest, Suggestion, Vocabulary
from reward_llm.domain.interpretation import Decision, Direction, Emphasis, Interpretation
from reward_llm.domain.policy import default_policy
from reward_llm.generation.asking import LEXICON_TRUST, Asking
from reward_llm.generation.clients.embedded import EmbeddedConfig, EmbeddedModel
from reward_llm.generation.prompts import load_bundle
from reward_llm.reading.rules import RuleReader
from tests.strategies import HOME_FEED, VIDEO_FEED

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BUNDLE = load_bundle("goal_to_intents")
TEXT = "GMV提升10%，点击率不能掉"
OWN = canonical_answer([("click", Direction.HOLD, Emphasis.CLEAR), ("gmv", Direction.RAISE, Emphasis.CLEAR)])
OTHER = canonical_answer([("click", Direction.RAISE, Emphasis.CLEAR), ("gmv", Direction.RAISE, Emphasis.CLEAR)])


@pytest.fixture(scope="module")
def model():
    built = EmbeddedModel(EmbeddedConfig())
    yield built
    asyncio.run(built.aclose())


def request(text, suggestion=None, scenario=HOME_FEED, **changes):
    asking = Asking(RuleReader(scenario), Vocabulary.CONCEPTS)
    made = asking.request(asking.shown(text), BUNDLE, default_policy(scenario, None, NOW), 0)
    facts = {"messages": made.messages, "schema": made.schema, "suggestion": suggestion}
    return CompletionRequest(**(facts | changes))


@pytest.mark.parametrize(("trust", "chosen"), [(0.0, OWN), (1.0, OWN), (30.0, OTHER)])
async def test_a_suggestion_is_taken_if_it_is_trusted_enough_and_no_sooner(model, trust, chosen):
    completion = await model.complete(request(TEXT, Suggestion(text=OTHER, trust=trust)))
    assert (completion.text, completion.suggested) == (chosen, chosen == OTHER)


async def test_an_answer_that_is_read_along_has_the_choices_that_writing_it_had(model):
    free = await model.complete(request(TEXT))
    other = await model.complete(request(TEXT, Suggestion(text=OTHER, trust=30.0)))
    again = await model.complete(request(TEXT, Suggestion(text=OWN, trust=30.0), temperature=0.0))
    assert free == again
    shared = [(a, b) for a, b in zip(free.choices, other.choices, strict=False) if a.start == b.start]
    same = list(itertools.takewhile(lambda pair: pair[0].end == pair[1].end, shared))
    assert same
    assert all(a.probability == pytest.approx(b.probability, abs=1e-4) for a, b in same[:2])


@pytest.mark.parametrize(
    "text", ["not json", '{"decision":"propose"', OTHER.replace("click", "fame"), OTHER + OTHER, OTHER * 200]
)
async def test_what_does_not_keep_to_the_schema_is_never_taken(model, text):
    assert (await model.complete(request(TEXT, Suggestion(text=text, trust=1e9)))).text == OWN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (TEXT, Suggestion(text=OWN, trust=LEXICON_TRUST)),
        ("今天中午吃什么？", Suggestion(text=canonical_answer([]))),
    ],
)
def test_the_lexicon_suggests_what_it_would_answer_and_is_trusted_less_where_it_finds_nothing(text, expected):
    asking = Asking(RuleReader(HOME_FEED), Vocabulary.CONCEPTS)
    made = asking.request(asking.shown(text), BUNDLE, default_policy(HOME_FEED, None, NOW), 0)
    assert made.suggestion == expected


def test_a_suggestion_names_only_what_the_model_has_a_word_for():
    asking = Asking(RuleReader(VIDEO_FEED), Vocabulary.CONCEPTS)
    shown = asking.shown("more calm videos, finish rate up")
    made = asking.request(shown, BUNDLE, default_policy(VIDEO_FEED, None, NOW), 0)
    assert made.suggestion
    assert made.suggestion.text == canonical_answer([("satisfaction", Direction.RAISE, Emphasis.CLEAR)])


def test_a_model_that_reads_the_scenarios_own_names_is_suggested_nothing():
    asking = Asking(RuleReader(HOME_FEED), Vocabulary.UTILITIES)
    made = asking.request(asking.shown(TEXT), BUNDLE, default_policy(HOME_FEED, None, NOW), 0)
    assert made.suggestion is None


@pytest.mark.parametrize("suggested", [True, False])
def test_a_reading_that_was_suggested_says_so(suggested):
    asking = Asking(RuleReader(HOME_FEED), Vocabulary.CONCEPTS)
    completion = Completion(text=OWN, model="some", suggested=suggested)
    reading = asking.settled(Interpretation(decision=Decision.NO_CHANGE), asking.shown(TEXT), completion)
    assert [n.code for n in reading.notices] == ["read_by_both"] * suggested
