from __future__ import annotations

import json

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.answer import canonical_answer
from reward_llm.domain.completion import Choice, Completion, RunnerUp, Vocabulary
from reward_llm.domain.interpretation import Decision, Direction, Emphasis, Intent, Interpretation, Reader
from reward_llm.domain.review import MAX_ALTERNATIVES
from reward_llm.reading.rules import RuleReader
from reward_llm.validation.alternatives import alternatives
from reward_llm.validation.answers import read_answer
from reward_llm.validation.schemas import answer_names, intents_schema
from tests.choices import GMV_UP, chosen
from tests.strategies import HOME_FEED, intents_for

SCHEMA = intents_schema(HOME_FEED, Vocabulary.CONCEPTS)
NAMES = answer_names(HOME_FEED, Vocabulary.CONCEPTS)
SILENT = Interpretation(decision=Decision.NO_CHANGE)
BOTH = canonical_answer([("gmv", Direction.RAISE, Emphasis.CLEAR), ("retention", Direction.HOLD, Emphasis.CLEAR)])
NOTHING = canonical_answer([])


def written(reading: Interpretation) -> str:
    return canonical_answer((i.utility, i.direction, i.emphasis) for i in reading.intents)


def found(completion: Completion, second: Interpretation = SILENT) -> list[tuple[str, float]]:
    reading = read_answer(completion, SCHEMA, NAMES, "any goal").reading
    return [(written(a.reading), a.probability) for a in alternatives(completion, reading, second, NAMES)]


@pytest.mark.parametrize(
    ("text", "piece", "other", "expected"),
    [
        (GMV_UP, 'gmv","direction":"', 'click","direction":"', GMV_UP.replace("gmv", "click")),
        (GMV_UP, 'raise","emphasis":"', 'lower","emphasis":"', GMV_UP.replace("raise", "lower")),
        (GMV_UP, 'clear"}', 'dominant"}', GMV_UP.replace("clear", "dominant")),
        (GMV_UP, 'propose","intents":[', 'no_change","intents":[', NOTHING),
        (GMV_UP, "gm", "gr", GMV_UP.replace("gmv", "group_order")),
        (GMV_UP, '"gmv', '"s', GMV_UP.replace("gmv", "satisfaction")),
        (BOTH, ',{"utility":"', '],"rationale":"', GMV_UP),
        (BOTH, 'retention","direction":"', 'click","direction":"', BOTH.replace("retention", "click")),
    ],
)
def test_the_place_of_a_runner_up_says_what_it_exchanges(text, piece, other, expected):
    assert found(chosen(text, {piece: (0.6, {other: 0.3})})) == [(expected, 0.3)]


@pytest.mark.parametrize(
    ("text", "piece", "other"),
    [
        (GMV_UP, "gmv", "g"),  # the same word in other tokens
        (GMV_UP, "gmv", "c"),  # click or cold_start
        (GMV_UP, '],"rationale":"', ',{"utility":"'),  # an intent that nobody knows
        (GMV_UP, '""}', '".'),  # the rationale
        (BOTH, 'retention","direction":"', 'gmv","direction":"'),  # twice the same utility
        (GMV_UP, 'clear"}', '\ufffd"}'),
    ],
)  # fmt: skip
def test_a_runner_up_that_leads_nowhere_is_no_alternative(text, piece, other):
    assert found(chosen(text, {piece: (0.6, {other: 0.3})})) == []


def test_where_another_intent_would_open_the_rule_reader_stands_in():
    second = RuleReader(HOME_FEED).read("GMV目标1亿，用户留存目标是65%")
    opened = chosen(GMV_UP, {'],"rationale":"': (0.51, {',{"utility":"': 0.49})})
    ((text, probability),) = found(opened, second)
    assert probability == 0.49
    assert {i["utility"] for i in json.loads(text)["intents"]} == {"gmv", "retention"}
    decided = chosen(NOTHING, {'no_change","intents":[': (0.6, {'propose","intents":[': 0.4})})
    assert found(decided, second) == [(text, 0.4)]


def test_the_likeliest_come_first_and_trifles_are_left_out():
    completion = chosen(
        GMV_UP,
        {
            'gmv","direction":"': (0.5, {'click","direction":"': 0.3, 'retention","direction":"': 0.009}),
            'raise","emphasis":"': (0.6, {'hold","emphasis":"': 0.4}),
            'clear"}': (0.7, {'dominant"}': 0.2, 'slight"}': 0.1}),
        },
    )
    assert [p for _, p in found(completion)] == [0.4, 0.3, 0.2]


def test_what_the_lexicon_added_to_the_answer_stays_in_every_alternative():
    calm = Intent(utility="calm", direction=Direction.RAISE, emphasis=Emphasis.CLEAR, read_by=Reader.RULES)
    completion = chosen(GMV_UP, {'propose","intents":[': (0.6, {'no_change","intents":[': 0.4})})
    reading = read_answer(completion, SCHEMA, NAMES, "any goal").reading
    both = Interpretation(decision=Decision.PROPOSE, intents=(*reading.intents, calm))
    (alternative,) = alternatives(completion, both, SILENT, NAMES)
    assert [i.utility for i in alternative.reading.intents] == ["calm"]


@st.composite
def completions(draw: st.DrawFn) -> Completion:
    """Answers with choices anywhere, and anything for runners-up."""
    text = canonical_answer((i.utility, i.direction, i.emphasis) for i in draw(intents_for(HOME_FEED)))
    starts = draw(st.lists(st.integers(0, len(text) - 1), unique=True, max_size=8).map(sorted))
    pieces = st.sampled_from([
        *(f'{u}","direction":"' for u in HOME_FEED.utility_names), *(f'{d}","emphasis":"' for d in Direction),
        *(f'{e}"}}' for e in Emphasis), *(f'{d}","intents":[' for d in Decision), ',{"utility":"', '],"rationale":"',
    ]) | st.text(max_size=3)  # fmt: skip
    runner_up = st.builds(RunnerUp, text=pieces, probability=st.floats(0, 1))
    places = [text.find(w, s) for s in starts for w in ("propose", "raise", "clear", '"utility', "]", ",{")]
    return Completion(
        text=text,
        model="m",
        choices=tuple(
            Choice(start=s, end=s + 1, probability=0.5, runners_up=tuple(draw(st.lists(runner_up, max_size=3))))
            for s in sorted({*starts, *(p for p in places if p >= 0)})
        ),
    )


@given(completions(), intents_for(HOME_FEED))
def test_alternatives_are_distinct_valid_and_never_the_answer(completion, second):
    reading = read_answer(completion, SCHEMA, NAMES, "any goal").reading
    decision = Decision.PROPOSE if second else Decision.NO_CHANGE
    others = alternatives(completion, reading, Interpretation(decision=decision, intents=second), NAMES)
    texts = [written(a.reading) for a in others]
    assert len(texts) <= MAX_ALTERNATIVES
    assert len({frozenset(a.reading.intents) for a in others}) == len(others)
    assert completion.text not in texts
    assert [a.probability for a in others] == sorted((a.probability for a in others), reverse=True)
    for text, other in zip(texts, others, strict=True):
        jsonschema.validate(json.loads(text), SCHEMA)
        bare = read_answer(Completion(text=text, model="m"), SCHEMA, NAMES, "any goal").reading
        assert (bare.decision, bare.intents) == (other.reading.decision, tuple(
            Intent(utility=i.utility, direction=i.direction, emphasis=i.emphasis) for i in other.reading.intents
        ))  # fmt: skip
