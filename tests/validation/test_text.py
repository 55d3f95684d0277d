from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from reward_llm.validation.text import clean


@given(st.text(st.characters()))
def test_nothing_that_a_person_can_see_is_taken_out(text):
    cleaned, removed = clean(text)
    visible = [c for c in text if unicodedata.category(c) not in {"Cc", "Cf", "Cs"}]
    assert [c for c in cleaned if unicodedata.category(c) not in {"Cc", "Cf", "Cs"}] == visible
    assert len(cleaned) + removed == len(text.replace("\r\n", "\n"))


@given(st.text(st.characters()))
def test_cleaning_twice_changes_nothing_more(text):
    cleaned, _ = clean(text)
    assert clean(cleaned) == (cleaned, 0)


def test_marks_that_reorder_or_hide_text_are_taken_out():
    assert clean("提升\u202eGMV\u202c\u0000\u200b!\ud800") == ("提升GMV!", 5)


def test_line_ends_tabs_and_joined_emoji_stay():
    assert clean("a\r\nb\tc👩\u200d💻") == ("a\nb\tc👩\u200d💻", 0)
