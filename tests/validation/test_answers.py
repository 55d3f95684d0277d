from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.completion import Choice, Completion, Vocabulary
from reward_llm.domain.interpretation import Direction, Emphasis
from reward_llm.errors import AnswerMalformed
from reward_llm.validation.answers import parse_json, read_answer
from reward_llm.validation.schemas import answer_names, intents_schema, points_schema
from tests.choices import GMV_UP, chosen
from tests.strategies import HOME_FEED, VIDEO_FEED, intents_for

SCHEMA = intents_schema(HOME_FEED, Vocabulary.CONCEPTS)
NAMES = answer_names(HOME_FEED, Vocabulary.CONCEPTS)


POINTS = dict(zip(HOME_FEED.utility_names, (40, 15, 11, 15, 7, 8, 4), strict=True))


def read(text, goal="raise GMV by 15%", choices=()):
    return read_answer(Completion(text=text, model="m", choices=choices), SCHEMA, NAMES, goal).reading


def read_points(text):
    names = answer_names(HOME_FEED, Vocabulary.UTILITIES)
    return read_answer(Completion(text=text, model="m"), points_schema(HOME_FEED), names, "raise CTR")


def answer_with_points(**changes):
    return canonical_answer([("click", Direction.RAISE, Emphasis.CLEAR)], POINTS | changes)


def answer(intents, decision="propose", rationale=""):
    items = [{"utility": u, "direction": d, "emphasis": e} for u, d, e in intents]
    return json.dumps({"decision": decision, "intents": items, "rationale": rationale})


@given(intents_for(HOME_FEED))
def test_what_is_written_canonically_is_read_back(intents):
    triples = [(i.utility, i.direction, i.emphasis) for i in intents]
    reading = read(canonical_answer(triples))
    assert [(i.utility, i.direction, i.emphasis) for i in reading.intents] == triples


def test_concepts_are_read_as_the_scenarios_own_utilities():
    schema, names = intents_schema(VIDEO_FEED, Vocabulary.CONCEPTS), answer_names(VIDEO_FEED, Vocabulary.CONCEPTS)
    text = canonical_answer([("cold_start", Direction.RAISE, Emphasis.CLEAR)])
    reading = read_answer(Completion(text=text, model="m"), schema, names, "more new faces")
    assert [i.utility for i in reading.reading.intents] == ["fresh_creators"]


def test_points_are_read_beside_the_intents():
    answered = read_points(answer_with_points())
    assert answered.points == POINTS
    assert [i.utility for i in answered.reading.intents] == ["click"]


def test_an_answer_without_points_has_none():
    completion = Completion(text=canonical_answer([]), model="m")
    assert read_answer(completion, SCHEMA, NAMES, "hello").points == {}


@pytest.mark.parametrize(
    "text",
    [
        answer_with_points(click=-1), answer_with_points(click=101), answer_with_points(click=40.5),
        answer_with_points(click="40"), answer_with_points(click=True), answer_with_points(click=None),
        answer_with_points(clicks=1), answer_with_points().replace('"click":40,', ""),
        answer_with_points().replace('"click":40,', '"click":40,"click":40,'),
        canonical_answer([("click", Direction.RAISE, Emphasis.CLEAR)]),
    ],
)  # fmt: skip
def test_points_out_of_shape_are_refused(text):
    with pytest.raises(AnswerMalformed):
        read_points(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "click", "[]", "{", '{"decision":"propose"}', answer([("click", "raise", "clear")]) + " done",
        answer([("clicks", "raise", "clear")]), answer([("click", "up", "clear")]),
        answer([("click", "raise", "clear")]).replace('"rationale": ""', '"rationale": NaN'),
        answer([("click", "raise", "clear")]).replace('"rationale"', '"extra": 1, "rationale"'),
        answer([("click", "raise", "clear")]).replace('"rationale"', '"decision": "propose", "rationale"'),
        answer([(u, "raise", "clear") for u in HOME_FEED.utility_names]),
    ],
)  # fmt: skip
def test_an_answer_out_of_shape_is_refused(text):
    with pytest.raises(AnswerMalformed):
        read(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (answer([]), "empty"),
        (answer([("click", "raise", "clear")], decision="no_change"), "unexpected"),
        (answer([("click", "raise", "clear"), ("click", "hold", "clear")]), "repeated"),
        (answer([("gmv", "raise", "clear")], rationale="x" * 501), "long"),
        (answer([("gmv", "raise", "clear")], rationale="GMV is to rise by 20%."), "unsupported_number"),
    ],
)
def test_an_answer_without_sense_is_refused_with_the_reason(text, code):
    with pytest.raises(AnswerMalformed) as caught:
        read(text)
    assert [v.code for v in caught.value.violations] == [code]


def test_numbers_of_the_goal_may_be_repeated_in_the_rationale():
    assert read(answer([("gmv", "raise", "clear")], rationale="GMV up by 15%.")).rationale == "GMV up by 15%."


def test_an_intents_confidence_is_the_product_of_its_choices():
    text = answer([("click", "raise", "clear"), ("gmv", "hold", "clear")])
    first, second = text.index('"click"'), text.index('"gmv"')
    choices = [
        Choice(start=first, end=first + 5, probability=0.5), Choice(start=first + 8, end=first + 9, probability=0.8),
        Choice(start=second, end=second + 3, probability=0.9),
    ]  # fmt: skip
    assert [i.confidence for i in read(text, choices=choices).intents] == [pytest.approx(0.4), pytest.approx(0.9)]
    assert [i.confidence for i in read(text).intents] == [None, None]


def test_an_intent_is_as_sure_as_the_decision_and_its_emphasis_does_not_count():
    completion = chosen(
        GMV_UP,
        {
            'propose","intents":[': (0.5, {}), '{"utility":"': (1.0, {}), 'gmv","direction":"': (0.8, {}),
            'raise","emphasis":"': (0.9, {}), 'clear"}': (0.1, {}), '],"rationale":"': (0.7, {}),
        },
    )  # fmt: skip
    reading = read(GMV_UP, choices=completion.choices)
    assert reading.intents[0].confidence == pytest.approx(0.36)
    assert reading.completeness == pytest.approx(0.7)
    assert reading.confidence == pytest.approx(0.36)


def test_that_nothing_is_asked_is_as_sure_as_the_decision():
    text = canonical_answer([])
    completion = chosen(text, {'no_change","intents":[': (0.6, {}), '],"rationale":"': (0.9, {})})
    reading = read(text, choices=completion.choices)
    assert reading.confidence == reading.completeness == pytest.approx(0.54)


def test_an_answer_with_escaped_keys_is_read_but_not_weighed_for_confidence():
    text = GMV_UP.replace('"intents"', '"\\u0069ntents"')
    reading = read(text, choices=chosen(text, {"gmv": (0.5, {})}).choices)
    assert [i.utility for i in reading.intents] == ["gmv"]
    assert reading.confidence is None


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e400", "-1e400", '{"a":1,"a":2}', "1 2", "[" * 100_000])
def test_json_that_other_readers_would_read_differently_is_refused(text):
    with pytest.raises(AnswerMalformed):
        parse_json(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_strict_reading_agrees_with_the_standard_library_on_proper_json(value):
    read_back = parse_json(json.dumps(value))
    assert read_back == value or (isinstance(value, float) and math.isclose(read_back, value))
