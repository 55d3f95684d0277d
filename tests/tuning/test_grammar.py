from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_llm.domain.scenario import Concept
from reward_llm.tuning.augment import Augmenter
from reward_llm.tuning.corpus import Label, LabelledGoal
from reward_llm.tuning.grammar import Grammar
from reward_llm.tuning.lexicon import Lexicon, load_lexicon

seeds = st.integers(min_value=0, max_value=2**32)


@settings(deadline=None)
@given(seeds)
def test_one_seed_gives_the_same_goals_again(seed: int) -> None:
    def goals() -> list[LabelledGoal]:
        grammar = Grammar(random.Random(seed))
        return [grammar.goal(), grammar.nothing(), grammar.goal()]

    assert goals() == goals()


@settings(deadline=None)
@given(seeds)
def test_a_made_goal_asks_for_every_utility_at_most_once_in_the_order_of_the_concepts(seed: int) -> None:
    goal = Grammar(random.Random(seed)).goal()
    order = [list(Concept).index(label.utility) for label in goal.labels]
    assert order == sorted(set(order)) != []


@settings(deadline=None)
@given(seeds)
def test_no_template_is_left_open(seed: int) -> None:
    text = Grammar(random.Random(seed)).goal().goal
    assert text.strip()
    assert not any(slot in text for slot in ("{g}", "{good}", "{bad}", "{a}", "{user}", "|]"))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_template_of_the_lexicon_can_be_said(language: str) -> None:
    lexicon = load_lexicon(language)
    rng = random.Random(0)
    given_values = dict.fromkeys([*"abcgklxy", "good", "bad", "noun", "low", "high", "g1", "g2", "g3"], "word")
    for trade in lexicon.trades:
        for template in _templates(lexicon):
            lexicon.expand(template, {**trade, **given_values}, rng)


def _templates(lexicon: Lexicon) -> list[str]:
    said = [t for words in lexicon.concepts.values() for kind in words.values() for t in kind]
    return said + [t for rule in lexicon.rules.values() for t in rule]


def test_the_grammar_reaches_every_utility_in_every_direction() -> None:
    grammar = Grammar(random.Random(0))
    asked = {(label.utility, label.direction) for _ in range(1500) for label in grammar.goal().labels}
    assert len(asked) == len(Concept) * 3


@settings(deadline=None)
@given(seeds)
def test_a_varied_goal_keeps_its_labels(seed: int) -> None:
    rng = random.Random(seed)
    goal = Grammar(rng).goal()
    varied = Augmenter(rng).varied(goal)
    assert varied.labels == goal.labels
    assert varied.goal.strip()


@settings(deadline=None)
@given(seeds)
def test_joined_goals_ask_for_what_both_asked_for(seed: int) -> None:
    rng = random.Random(seed)
    first, second = Grammar(rng).goal(), Grammar(rng).goal()
    joined = Augmenter(rng).joined(first, second)
    if joined is None:
        return
    labels: set[Label] = {*first.labels, *second.labels}
    assert set(joined.labels) == labels
    assert second.goal in joined.goal


def test_goals_on_the_same_utility_are_not_joined() -> None:
    goal = Grammar(random.Random(1)).goal()
    assert Augmenter(random.Random(1)).joined(goal, goal) is None
