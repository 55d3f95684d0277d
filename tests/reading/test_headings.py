from __future__ import annotations

import pytest

from reward_llm.reading.clauses import split_clauses
from reward_llm.reading.rules import RuleReader
from tests.strategies import HOME_FEED

READER = RuleReader(HOME_FEED)


@pytest.mark.parametrize(
    ("text", "hints"),
    [
        (
            "Increase the variety of shops. Hold: CTR, conversion.",
            {"click": "hold clear", "gmv": "hold clear", "diversity": "raise clear"},
        ),
        (
            "Keep these steady: CTR, D7. More orders.",
            {"click": "hold clear", "gmv": "raise clear", "retention": "hold clear"},
        ),
        ("护栏：点击率，留存。GMV提升", {"click": "hold clear", "gmv": "raise clear", "retention": "hold clear"}),
    ],
)
def test_the_heading_of_a_list_speaks_of_all_its_items(text: str, hints: dict[str, str]) -> None:
    assert READER.hints(text) == hints


@pytest.mark.parametrize("text", ["前提：留存不降，GMV 1亿", "Guardrail: retention must not drop, GMV to 1 million"])
def test_a_heading_ends_where_an_item_speaks_for_itself(text: str) -> None:
    assert READER.hints(text) == {"gmv": "raise clear", "retention": "hold clear"}


def test_a_heading_ends_with_its_sentence() -> None:
    assert READER.hints("Hold: CTR. GMV") == {"click": "hold clear", "gmv": "raise clear"}


def test_a_clause_before_a_colon_is_a_heading() -> None:
    assert [c.heading for c in split_clauses("two limits: CTR, D7：5")] == [True, False, True, False]
