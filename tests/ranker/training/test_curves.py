from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from ranker.training.curves import HEIGHT, WIDTH, chart, curves_page


def points(text: str) -> list[tuple[float, float]]:
    found = re.search(r'points="([^"]*)"', text)
    assert found
    return [(float(x), float(y)) for x, y in (pair.split(",") for pair in found[1].split())]


@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30),
)
def test_a_chart_stays_in_its_box_and_puts_the_highest_value_on_top(values: list[float]) -> None:
    drawn = points(chart("reward", list(enumerate(values))))
    assert len(drawn) == len(values)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in drawn)
    assert [x for x, _ in drawn] == sorted(x for x, _ in drawn)
    assert drawn[values.index(max(values))][1] == min(y for _, y in drawn)


def test_a_page_has_a_chart_for_every_column_of_every_journal() -> None:
    journals = {
        "evaluator": [{"step": "1", "click": "0.5"}, {"step": "2", "click": "0.25"}],
        "actor": [{"step": "1", "reward": "nan", "<b>": "1"}, {"step": "2", "reward": "0.75", "<b>": "3"}],
        "empty": [],
    }
    text = curves_page(journals)
    root = ElementTree.fromstring(text.partition("</style>")[2].join(["<html>", ""]))  # noqa: S314 - our own page
    assert [heading.text for heading in root.iter("h2")] == ["evaluator", "actor", "empty"]
    assert [name.text for name in root.iter("b")] == ["click", "reward", "<b>"]
    assert [last.text for last in root.iter("small")][0::3] == ["0.25", "0.75", "3"]


def test_a_chart_of_nothing_is_empty() -> None:
    assert chart("reward", []) == ""
