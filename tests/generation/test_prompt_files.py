from __future__ import annotations

import pytest

from reward_llm.domain.prompts import PromptVersion
from reward_llm.errors import PromptInvalid
from reward_llm.generation.prompt_files import packaged_prompts, parse_prompt, prompt_of, prompt_text
from reward_llm.resources import prompts_dir

PACKAGED = packaged_prompts()
SOURCE = (prompts_dir() / "goal_to_intents.md").read_text("utf-8")


def test_the_files_that_ship_are_the_first_version_of_their_names() -> None:
    assert sorted(PACKAGED) == ["goal_to_intents", "goal_to_points"]
    assert {(v.number, v.author, v.packaged, v.created_at) for v in PACKAGED.values()} == {(1, "package", True, None)}


@pytest.mark.parametrize("version", PACKAGED.values(), ids=PACKAGED)
def test_a_prompt_comes_back_from_its_text_and_from_its_document(version: PromptVersion) -> None:
    assert parse_prompt(prompt_text(version.content, 3)) == version.content
    assert prompt_of(version.content.document) == version.content


def test_the_number_in_a_file_isnt_part_of_the_prompt() -> None:
    assert parse_prompt(SOURCE.replace("version: 1", "version: 12")) == parse_prompt(
        SOURCE.replace("version: 1\n", "")
    )


def test_line_ends_of_other_systems_change_nothing() -> None:
    assert parse_prompt(SOURCE.replace("\n", "\r\n")) == parse_prompt(SOURCE)


@pytest.mark.parametrize(
    ("source", "path"),
    [
        (SOURCE.replace("max_tokens: 600", "max_tokens: many"), "parameters/max_tokens"),
        (SOURCE.replace("answer: intents", "answer: poems"), "answer"),
        (SOURCE.replace("threshold: 0.8", "threshold: 80"), "golden/threshold"),
        (SOURCE.replace("golden: {set: goal_to_intents", "golden: {set: ../secrets"), "golden/set"),
        (SOURCE.replace("concept: click", "concept: joy"), "examples/0/intents/0/concept"),
        (SOURCE.replace("description:", "author: me\ndescription:"), "author"),
    ],
)
def test_a_file_that_breaks_the_format_is_refused_with_the_place(source: str, path: str) -> None:
    with pytest.raises(PromptInvalid) as caught:
        parse_prompt(source)
    assert path in [v.path for v in caught.value.violations]


@pytest.mark.parametrize(
    "source", ["", "no front matter", SOURCE.replace("# user", "# reader"), "---\n{\n---\n# system\n\n# user\n"]
)
def test_what_isnt_such_a_file_is_refused(source: str) -> None:
    with pytest.raises(PromptInvalid):
        parse_prompt(source)


def test_yaml_that_builds_objects_is_refused() -> None:
    with pytest.raises(PromptInvalid, match="isn't YAML"):
        parse_prompt(SOURCE.replace("description: ", "description: !!python/object/apply:os.getcwd []  # "))
