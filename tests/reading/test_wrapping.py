from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reward_llm.reading.wrapping import without_json

words = st.text("abc 点击率", min_size=1).filter(str.strip)


@given(st.dictionaries(words, words | st.integers() | st.none() | st.lists(words), min_size=1))
def test_only_the_string_values_of_a_document_are_left_and_in_their_place(document: dict[str, object]) -> None:
    text = json.dumps(document, ensure_ascii=False)
    left = without_json(text)
    strings = [s for v in document.values() for s in (v if isinstance(v, list) else [v]) if isinstance(s, str)]
    assert left.split() == " ".join(strings).split()
    assert len(left) == len(text)
    assert all(a in (b, " ") for a, b in zip(left, text, strict=True))


@pytest.mark.parametrize(
    "text", ["raise CTR", "[urgent] raise CTR", "{{ goal }}", '{"goal": "raise CTR"', "", "{" * 9_000]
)
def test_what_is_no_document_stays_as_it_is(text: str) -> None:
    assert without_json(text) == text
