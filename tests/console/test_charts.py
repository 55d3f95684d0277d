"""Charts: well-formed pictures that say in words what they show, with everything inside of them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from reward_llm.console import charts

shares = st.floats(0, 1)
numbers = st.floats(-1e6, 1e6)


def parsed(picture: str) -> ElementTree.Element:
    root = ElementTree.fromstring(picture)  # noqa: S314 - our own
    assert root.get("role") == "img"
    assert root.get("aria-label")
    assert not re.search(r"\sstyle=|<script", picture)
    return root


def places(root: ElementTree.Element) -> list[float]:
    """Every place along a bar, in per cent."""
    found = [e.get(name, "") for e in root.iter() for name in ("x", "x1", "x2", "cx", "width")]
    return [float(value[:-1]) for value in found if value.endswith("%")]


@given(shares, shares, shares, st.none() | shares)
def test_bars_stay_within_their_cell(value: float, low: float, high: float, before: float | None) -> None:
    for picture in (
        charts.weight_bar(value, min(low, high), max(low, high), before=before, title="GMV: <0.2> & more"),
        charts.share_bar(value, before=before, title="GMV"),
    ):
        assert all(0 <= p <= 100 for p in places(parsed(picture)))


@given(numbers, numbers, numbers, st.floats(0, 1e6))
def test_intervals_stay_within_their_cell_and_say_their_sign(a: float, b: float, c: float, limit: float) -> None:
    low, mean, high = sorted((a, b, c))
    picture = charts.interval_dot(mean, low, high, limit=limit, title="GMV")
    assert all(0 <= p <= 100 for p in places(parsed(picture)))
    assert ("better" in picture, "worse" in picture) == (low > 0, high < 0)


@given(st.lists(numbers, max_size=30))
def test_lines_are_drawn_of_anything(values: list[float]) -> None:
    line = charts.Series(name="GMV", xs=list(range(len(values))), ys=values, lows=values, highs=values)
    for picture in (charts.sparkline(values, title="GMV"), charts.line_chart([line], title="GMV")):
        if picture:
            parsed(picture)
            assert "nan" not in picture


@given(st.lists(st.tuples(numbers, numbers), max_size=8), numbers, st.floats(0, 1e6))
def test_what_holds_when_stays_within_its_row(spans: list[tuple[float, float]], start: float, length: float) -> None:
    stretches = [charts.Stretch(start=min(s), end=max(s), kind="over", title="pol") for s in spans]
    picture = charts.timeline_row(stretches, start=start, end=start + length, now=start, title="home_feed")
    assert all(0 <= p <= 100 for p in places(parsed(picture)))


def test_what_is_said_is_text() -> None:
    assert parsed(charts.share_bar(0.5, title='"><script>')).get("aria-label") == '"><script>'
    assert parsed(charts.stacked_bar({"a": 0.25, "b": 0.75}, title="both")) is not None
