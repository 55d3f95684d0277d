from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.domain.completion import Completion, Vocabulary
from reward_llm.domain.weights import Weights
from reward_llm.errors import ConfigurationInvalid, PromptUnknown
from reward_llm.generation.prompts import load_bundle
from reward_llm.resources import prompts_dir
from reward_llm.validation.answers import read_answer
from reward_llm.validation.schemas import answer_names
from tests.strategies import HOME_FEED, VIDEO_FEED

BUNDLE = load_bundle("goal_to_intents")
POINTS = load_bundle("goal_to_points")
SOURCE = (prompts_dir() / "goal_to_intents.md").read_text("utf-8")


@pytest.mark.parametrize("bundle", [BUNDLE, POINTS], ids=lambda b: b.label)
@given(goal=st.text(min_size=1))
def test_the_goal_is_data_that_comes_back_whole(bundle, goal):
    system, user = bundle.render(HOME_FEED, Vocabulary.UTILITIES, goal, {})
    assert json.loads(user.content) == {"goal": goal, "lexicon": {}}
    assert system == bundle.render(HOME_FEED, Vocabulary.UTILITIES, "another", {})[0]


def test_template_syntax_in_a_goal_stays_text():
    goal = "{{ scenario.__class__ }}{% for x in y %}${goal}"
    assert json.loads(BUNDLE.render(HOME_FEED, Vocabulary.UTILITIES, goal, {})[1].content)["goal"] == goal


def test_the_lexicons_hints_speak_the_names_that_the_model_answers_with():
    hints = {"fresh_creators": "raise clear", "calm": "named"}
    for vocabulary, expected in (
        (Vocabulary.CONCEPTS, {"cold_start": "raise clear"}),
        (Vocabulary.UTILITIES, hints),
    ):
        _, user = BUNDLE.render(VIDEO_FEED, vocabulary, "x", hints)
        assert json.loads(user.content)["lexicon"] == expected


def test_the_system_turn_names_every_utility_in_both_languages():
    system = BUNDLE.render(VIDEO_FEED, Vocabulary.UTILITIES, "x", {})[0].content
    for utility in VIDEO_FEED.utilities:
        assert f"- {utility.name}: {utility.description.en} {utility.description.zh}" in system


def test_examples_speak_the_scenarios_names_and_leave_out_what_it_lacks():
    system = BUNDLE.render(VIDEO_FEED, Vocabulary.UTILITIES, "x", {})[0].content
    assert '"utility":"fresh_creators"' in system
    assert '"utility":"gmv"' not in system


def test_points_are_asked_for_with_those_that_each_utility_has_now_and_its_limits():
    base = Weights({"watch_quality": 0.5, "return_tomorrow": 0.3, "fresh_creators": 0.155, "calm": 0.045})
    system = POINTS.render(VIDEO_FEED, Vocabulary.UTILITIES, "x", {}, base)[0].content
    assert "- return_tomorrow (now 30, range 27 to 60): " in system
    assert "- calm (now 4.5, range 0 to 40): " in system


@pytest.mark.parametrize("scenario", [HOME_FEED, VIDEO_FEED], ids=lambda s: s.name)
def test_the_examples_with_points_are_answers_that_pass(scenario):
    system = POINTS.render(scenario, Vocabulary.UTILITIES, "x", {})[0].content
    answers = [line for line in system.splitlines() if line.startswith('{"decision"')]
    names = answer_names(scenario, Vocabulary.UTILITIES)
    assert len(answers) >= 2
    for text in answers:
        completion = Completion(text=text, model="m")
        answer = read_answer(completion, POINTS.schema(scenario, Vocabulary.UTILITIES), names, "x")
        weighed = POINTS.form.weigh(answer, scenario, scenario.defaults)
        assert (weighed.doubt, weighed.notices) == (None, ())
        assert sum(answer.points.values()) == 100


def test_the_hash_changes_with_any_part_of_the_bundle(tmp_path):
    hashes = {BUNDLE.content_hash}
    for old, new in [
        ("max_tokens: 600", "max_tokens: 601"), ("one short sentence", "one sentence"), ("{{ goal }}", "{{ goal }}."),
        ("Mix it up", "Mix them up"),
    ]:  # fmt: skip
        (tmp_path / "goal_to_intents.md").write_text(SOURCE.replace(old, new), "utf-8")
        hashes.add(load_bundle("goal_to_intents", tmp_path).content_hash)
    assert len(hashes) == 5


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("no front matter", "expected front matter"),
        (SOURCE.replace("variables: [scenario, ", "variables: [surface, "), "surface.*scenario"),
        (SOURCE.replace("{{ goal }}", "{{ goal }} {{ secret }}"), "secret"),
        (SOURCE.replace("{{ goal }}", "{{ goal "), "goal_to_intents.md"),
        (SOURCE.replace("max_tokens: 600", "max_token: 600"), "max_token"),
        (SOURCE.replace("answer: intents", "answer: poems"), "answer"),
    ],
)
def test_a_broken_template_is_refused_when_it_is_loaded(source, complaint, tmp_path):
    (tmp_path / "goal_to_intents.md").write_text(source, "utf-8")
    with pytest.raises(ConfigurationInvalid, match=complaint):
        load_bundle("goal_to_intents", tmp_path)


def test_an_unknown_prompt_says_where_prompts_are():
    with pytest.raises(PromptUnknown) as caught:
        load_bundle("goal_to_poems")
    assert str(prompts_dir()) in caught.value.hint
