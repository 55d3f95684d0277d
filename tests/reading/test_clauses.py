from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from reward_llm.reading.clauses import split_clauses


def pieces(text: str) -> list[str]:
    return [c.span.of(text) for c in split_clauses(text)]


def test_clauses_end_at_punctuation_and_before_words_that_open_one() -> None:
    assert pieces("提升点击，但GMV不能掉。") == ["提升点击", "但GMV不能掉"]
    assert pieces("Raise CTR without hurting GMV; thanks") == ["Raise CTR", "without hurting GMV", "thanks"]


def test_numbers_stay_whole() -> None:
    assert pieces("GMV 3,500万, D7 4.5%") == ["GMV 3,500万", "D7 4.5%"]


def test_bullets_and_speakers_are_left_out() -> None:
    assert pieces("- CTR up\n2) GMV up\nLena: keep D7") == ["CTR up", "GMV up", "keep D7"]


def test_clauses_know_their_sentence() -> None:
    assert [c.sentence for c in split_clauses("a, b. c")] == [0, 0, 1]


@given(st.text())
def test_clauses_lie_in_the_text_in_order_and_apart(text: str) -> None:
    clauses = split_clauses(text)

    assert all(0 <= c.span.start < c.span.end <= len(text) for c in clauses)
    assert all(a.span.end <= b.span.start for a, b in pairwise(clauses))
