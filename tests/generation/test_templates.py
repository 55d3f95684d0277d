from __future__ import annotations

import pytest

from reward_llm.errors import PromptInvalid
from reward_llm.generation.templates import MAX_RENDERED_CHARS, compiled, filled_in, template_problems
from tests.strategies import HOME_FEED

GIVEN = {"goal": "sell more", "utilities": [{"name": "click"}, {"name": "gmv"}], "scenario": HOME_FEED}


def problems(source: str) -> list[tuple[str, str]]:
    return [(p.path, p.code) for p in template_problems(source, GIVEN, "system")]


@pytest.mark.parametrize(
    "source",
    [
        "{{ goal }}",
        "{{ scenario.title.en | upper }}",
        "{% for u in utilities %}{{ loop.index }} {{ u.name }}\n{% endfor %}",
        "{% if scenario.segments and goal != '' %}{{ goal }}{% else %}-{% endif %}",
        "{{ goal if goal is defined else '' }}{# a comment #}",
    ],
)
def test_a_template_may_name_decide_and_go_through_a_list(source: str) -> None:
    assert problems(source) == []
    assert filled_in(compiled(source), GIVEN)


@pytest.mark.parametrize(
    "source",
    [
        "\n{{ goal * 1000000000 }}",
        "\n{{ goal.upper() }}",
        "\n{{ goal | center(1000000000) }}",
        "\n{{ goal['__class__'] }}",
        "\n{% set x = goal %}",
        "\n{% include 'other' %}",
        "\n{% macro m() %}x{% endmacro %}",
        "\n{{ '%1000000000d' | format(1) }}",
        "\n{% if goal is mapping %}{% endif %}",
        "\n{% for u in utilities %}{% for v in utilities %}{{ goal }}{% endfor %}{% endfor %}",
        "\n{{ goal[1:] }}",
        "\n{{ [goal, goal] }}",
    ],
)
def test_a_template_may_neither_calculate_nor_call_nor_nest_loops(source: str) -> None:
    assert ("system:2", "template_forbidden") in problems(source)


def test_an_undeclared_variable_is_named_with_its_line() -> None:
    (found,) = template_problems("a\nb {{ goal }}\n{{ secret.key }}", GIVEN, "user")
    assert (found.path, found.code) == ("user:3", "variable_undeclared")
    assert "'secret'" in found.message


def test_what_jinja_brings_along_is_no_variable() -> None:
    assert problems("{{ range }}{{ dict }}{{ lipsum }}") == [("system:1", "variable_undeclared")] * 3


def test_broken_syntax_is_told_with_its_line() -> None:
    assert problems("a\n\n{{ goal ") == [("system:3", "template_syntax")]


@pytest.mark.parametrize(
    "source", ["a\n{{ scenario.nothing }}", "a\n{{ scenario.__class__ }}", "a\n{{ scenario.check_segment }}"]
)
def test_what_isnt_there_or_nobodys_business_ends_the_rendering_with_its_line(source: str) -> None:
    with pytest.raises(PromptInvalid, match="line 2: "):
        filled_in(compiled(source), GIVEN)


def test_a_text_that_grows_too_long_is_given_up() -> None:
    template = compiled("{% for u in utilities %}" + "x" * 1_000 + "{% endfor %}")
    assert len(filled_in(template, {"utilities": range(MAX_RENDERED_CHARS // 1_000)})) == MAX_RENDERED_CHARS
    with pytest.raises(PromptInvalid, match="longer than"):
        filled_in(template, {"utilities": range(10_000_000)})
