import itertools

import pytest

from reward_llm.api.wire.activations import ActivationState
from reward_llm.cli.wording import Lang, say, system_lang
from reward_llm.domain.goal import GoalState
from reward_llm.domain.interpretation import Direction, Emphasis, Reader, Role
from reward_llm.domain.lifecycle import PolicyState
from reward_llm.domain.policy import Source
from reward_llm.domain.serving import Rule

WORDS = [*itertools.chain(Direction, Emphasis, Role, Reader, GoalState), *(s for s in Source if s != Source.SCRIPTED)]


STATES = [*PolicyState, *ActivationState]


@pytest.mark.parametrize("word", [*WORDS, *STATES])
def test_every_word_of_a_reading_is_known_in_chinese(word):
    assert say(word, Lang.ZH) != word


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_of_a_lookup_has_words_in_both_languages(rule):
    assert len({f"rule_{rule}", *(say(f"rule_{rule}", lang) for lang in Lang)}) == 3


def test_a_word_that_the_catalogue_does_not_know_stands_for_itself():
    assert say("thermostat", Lang.ZH) == "thermostat"


@pytest.mark.parametrize(
    ("environ", "lang"),
    [
        ({}, Lang.EN),
        ({"LANG": "zh_CN.UTF-8"}, Lang.ZH),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, Lang.EN),
        ({"LANG": "de_DE.UTF-8"}, Lang.EN),
    ],
)
def test_the_language_follows_the_locale(environ, lang):
    assert system_lang(environ) is lang
